// A run of a few milliseconds an epoch with all that a checkpoint keeps, for whoever ends it in the middle.
import { createHash } from 'node:crypto'
import {
  adam,
  averagedWeights,
  dense,
  dropout,
  earlyStopping,
  reduceOnPlateau,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'

const rows = 24
const x = Array.from({ length: rows }, (_, i) => Array.from({ length: 4 }, (_, j) => Math.sin(7 * i + 3 * j)))
const y = x.map(([a, b]) => (a > b ? 1 : 0) + (a * b > 0.1 ? 1 : 0))

export const tinyData = { x, y }

export function tinyModel({ units = 5, seed = 3 } = {}) {
  const model = sequential({ input: [4], seed }, [dense(units), relu(), dropout(0.2), dense(3)])
  const optimizer = adam({ learningRate: 0.02, average: averagedWeights({ decay: 0.9 }) })
  return model.compile({ loss: softmaxCrossEntropy(), optimizer, metrics: ['accuracy'] })
}

/** Trains the model into a directory, going on with what is there. */
export function fitTiny(model, dir, { callbacks = [], ...options } = {}) {
  return model.fit(tinyData, {
    ...{ dir, resume: true, quiet: true, threads: 1, epochs: 3, batchSize: 4, stepsPerCall: 2 },
    ...{ validation: { x: x.slice(0, 9), y: y.slice(0, 9) }, schedule: reduceOnPlateau({ patience: 1 }) },
    ...options,
    callbacks: [...callbacks, earlyStopping({ patience: 50, restoreBest: true })],
  })
}

/** Of all that a run leaves in memory, but for the time that it took: weights, slots, average, step and history. */
export async function digestOf(model, { seconds: _, samplesPerSecond: __, ...history } = {}) {
  const hash = createHash('sha256').update(JSON.stringify(history))
  return hash.update(await model.toBuffer({ optimizer: true })).digest('hex')
}

/** Of what a run without checkpoints comes to. */
export async function uninterrupted(epochs, options) {
  const model = tinyModel(options)
  return digestOf(model, await fitTiny(model, undefined, { epochs, resume: false }))
}
