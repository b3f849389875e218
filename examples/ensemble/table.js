// A row for each method: means over the repeats, and how far one repeat lies from another (standard deviation).
const columns = {
  accuracy: ['accuracy', 4],
  logLoss: ['NLL', 4],
  calibrationError: ['ECE', 4],
  training: ['training, s', 1],
  evaluation: ['evaluation, ms', 1],
}

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

function deviationOf(values) {
  const mean = meanOf(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
}

const cell = (values, digits) => {
  const mean = meanOf(values).toFixed(digits)
  return values.length > 1 && digits > 1 ? `${mean} ± ${deviationOf(values).toFixed(digits)}` : mean
}

/** rows: of each method a list with the figures of each repeat. */
export function printTable(title, rows) {
  const heading = ['', ...Object.values(columns).map(([name]) => name)]
  const body = Object.entries(rows).map(([method, repeats]) => [
    method,
    ...Object.entries(columns).map(([key, [, digits]]) =>
      cell(
        repeats.map((figures) => figures[key]),
        digits,
      ),
    ),
  ])
  const widths = heading.map((_, i) => Math.max(...[heading, ...body].map((row) => row[i].length)))
  const line = (row) => row.map((text, i) => (i === 0 ? text.padEnd(widths[0]) : text.padStart(widths[i]))).join('  ')
  console.log(title)
  console.log(line(heading))
  console.log('─'.repeat(line(heading).length))
  for (const row of body) console.log(line(row))
}
