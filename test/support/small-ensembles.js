// Small classifiers on made-up data, quick to train, and what is right said by plain arrays.
import { adam, binaryCrossEntropy, dense, meanSquaredError, relu, sequential, softmaxCrossEntropy } from 'gradus'
import { numbers } from './reference.js'

/** Three classes about corners of a triangle, with so much noise that a tenth lies on the wrong side. */
export function blobs(rows, seed) {
  const noise = numbers(rows * 8, seed)
  const y = Int32Array.from({ length: rows }, (_, i) => (i * 7 + seed) % 3)
  const x = Float64Array.from({ length: rows * 4 }, (_, at) => {
    const [i, j] = [Math.floor(at / 4), at % 4]
    return (j === y[i] ? 1.2 : 0) + 1.3 * (noise[2 * at] + noise[2 * at + 1])
  })
  return { x, y }
}

export const classifier = (seed, dtype = 'float32', units = 16) =>
  sequential({ input: [4], seed, dtype }, [dense(units), relu(), dense(3)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.02 }),
    metrics: ['accuracy', 'logLoss'],
  })

export const answerer = (seed, outputs = 1) =>
  sequential({ input: [4], seed }, [dense(12), relu(), dense(outputs)]).compile({
    loss: binaryCrossEntropy(),
    optimizer: adam({ learningRate: 0.02 }),
    metrics: ['accuracy'],
  })

export const regressor = (seed) =>
  sequential({ input: [4], seed }, [dense(12), relu(), dense(2)]).compile({
    loss: meanSquaredError(),
    optimizer: adam({ learningRate: 0.02 }),
    metrics: ['rootMeanSquaredError'],
  })

export async function trained(models, data, options = {}) {
  for (const model of models) await model.fit(data, { epochs: 15, quiet: true, ...options })
  return models
}

export const softmax = (scores, temperature = 1) => {
  const powers = Array.from(scores, (score) => Math.exp((score - Math.max(...scores)) / temperature))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((power) => power / sum)
}

/** By the definitions, row by row, with classes of the highest probability; bins are (m/15, (m+1)/15]. */
export function plainFigures(probabilities, labels, weights = labels.map(() => 1)) {
  const bins = Array.from({ length: 15 }, () => [])
  let [right, loss, total] = [0, 0, 0]
  probabilities.forEach((row, i) => {
    const top = row.indexOf(Math.max(...row))
    right += top === labels[i] ? weights[i] : 0
    loss -= weights[i] * Math.log(row[labels[i]])
    total += weights[i]
    const bin = bins.findIndex((_, m) => row[top] <= (m + 1) / 15)
    bins[bin].push([weights[i], row[top], Number(top === labels[i])])
  })
  const gap = (bin) => Math.abs(bin.reduce((sum, [w, p, hit]) => sum + w * (p - hit), 0))
  return {
    accuracy: right / total,
    logLoss: loss / total,
    calibrationError: bins.map(gap).reduce((a, b) => a + b) / total,
  }
}
