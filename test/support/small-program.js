// A small program for the tests of the native surface, and what holds for it after every mistake.
import { dense, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import * as assert from 'uvu/assert'
import { native } from '../../dist/native.js'
import { numbers } from './reference.js'

export const rows = 12
export const real = { name: 'x', type: 'float32', shape: [3] }
export const label = { name: 'y', type: 'int32', shape: [] }

export const model = sequential({ input: [3], seed: 2 }, [dense(5), dense(4)])
export const { descriptor } = model.compile({
  loss: softmaxCrossEntropy(),
  optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
})
export const program = new native.Program(descriptor)

export function filled(labels = Array.from({ length: rows }, (_, i) => i % 4), weight = null) {
  const made = new native.Dataset(rows, [real], label, weight)
  made.write('input', 0, 0, Float32Array.from(numbers(rows * 3, 1)))
  made.write('target', 0, 0, Int32Array.from(labels))
  return made
}
export const dataset = filled()
/** The same rows again and again: a call on them is not done at once. */
export const longDataset = dataset.subset(Uint32Array.from({ length: 100_000 }, (_, i) => i % rows))
export const oneRate = () => new Float64Array([0.1])
export const call = (more = {}) => ({
  dataset,
  shuffle: false,
  epoch: 0,
  firstRow: 0,
  batchSize: 4,
  batches: 1,
  learningRates: oneRate(),
  threads: 1,
  ...more,
})

export const state = () =>
  program.arenas
    .filter((arena) => arena !== 'gradients')
    .flatMap((arena) => program.parameters.map((_, i) => program.read(arena, i)))

/** Checks that the work throws this error and that nothing of the program has changed by it. */
export async function refused(work, message, code = 'GRADUS_INVALID_ARGUMENT') {
  const before = [program.step, ...state()]
  let thrown
  try {
    await work()
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown, `nothing was thrown: ${message}`)
  assert.is(`${thrown.name} ${thrown.code}`, `GradusError ${code}`, thrown.stack)
  assert.match(thrown.message, message)
  assert.equal([program.step, ...state()], before)
}

/** To be called after each test: whatever happened, the program still trains. */
export async function stillTrains() {
  while (program.busy) await new Promise(setImmediate)
  const { updates, loss } = await program.train(call())
  assert.ok(updates === 1 && Number.isFinite(loss[0]), 'the program still trains')
}
