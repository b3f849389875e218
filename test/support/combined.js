// What an ensemble gives, in plain float64, from the members' scores.

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)

/** log Σ e^x */
export function logSum(logs) {
  const largest = Math.max(...logs)
  return largest + Math.log(sum(logs.map((log) => Math.exp(log - largest))))
}

export const logSoftmax = (row) => row.map((score) => score - logSum(row))
const logSigmoid = (score) => Math.min(score, 0) - Math.log1p(Math.exp(-Math.abs(score)))

const mean = (weights, values) => sum(values.map((value, m) => (weights[m] === 0 ? 0 : weights[m] * value)))

/** log Σ w · e^x of the members whose weight is not 0. */
const logMean = (weights, logs) =>
  logSum(logs.flatMap((log, m) => (weights[m] === 0 ? [] : [Math.log(weights[m]) + log])))

const floor = (share) => Math.log(Math.max(share, 1e-7))

function votes(weights, rows, link) {
  if (link === 'sigmoid') {
    return rows[0].map((_, i) => {
      const yes = rows.map((row) => Number(row[i] > 0))
      return (
        floor(mean(weights, yes)) -
        floor(
          mean(
            weights,
            yes.map((vote) => 1 - vote),
          ),
        )
      )
    })
  }
  const choices = rows.map((row) => row.indexOf(Math.max(...row)))
  return rows[0].map((_, i) =>
    floor(
      mean(
        weights,
        choices.map((choice) => Number(choice === i)),
      ),
    ),
  )
}

/**
 * One row of the ensemble's scores from a row of each member's.
 *
 * @param link 'softmax', 'sigmoid' or undefined: what makes probabilities of the scores
 */
export function combinedRow(rows, { combine = 'probabilities', weights, link, temperature = 1 }) {
  const scaled = (row) => row.map((score) => score / temperature)
  const only = weights.indexOf(1)
  if (only >= 0) return scaled(rows[only])
  const each = (of) => rows[0].map((_, i) => of(i))
  if (combine === 'vote') return scaled(votes(weights, rows, link))
  if (!link || combine === 'scores' || (combine === 'geometric' && link === 'sigmoid')) {
    return scaled(
      each((i) =>
        mean(
          weights,
          rows.map((row) => row[i]),
        ),
      ),
    )
  }
  if (link === 'sigmoid') {
    const logOf = (sign) =>
      each((i) =>
        logMean(
          weights,
          rows.map((row) => logSigmoid(sign * row[i])),
        ),
      )
    const [yes, no] = [logOf(1), logOf(-1)]
    return scaled(each((i) => yes[i] - no[i]))
  }
  const logs = rows.map(logSoftmax)
  const combineLogs = combine === 'geometric' ? mean : logMean
  return scaled(
    each((i) =>
      combineLogs(
        weights,
        logs.map((row) => row[i]),
      ),
    ),
  )
}

/** The weighted standard deviation of the members' probabilities, or values. */
export function spreadRow(rows, { weights, link }) {
  const values = rows.map((row) => {
    if (link === 'softmax') return logSoftmax(row).map(Math.exp)
    return link === 'sigmoid' ? row.map((score) => 1 / (1 + Math.exp(-score))) : row
  })
  return rows[0].map((_, i) => {
    const middle = mean(
      weights,
      values.map((row) => row[i]),
    )
    return Math.sqrt(
      mean(
        weights,
        values.map((row) => (row[i] - middle) ** 2),
      ),
    )
  })
}
