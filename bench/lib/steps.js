// Steps over resident data of noise, as benches time them: what a checkout's native program does, without the layer above.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { median } from './median.js'

/** A module of what is built in a checkout. */
export const loadFrom = (checkout, name) => import(pathToFileURL(resolve(checkout, 'dist', name)).href)

/**
 * Of a compiled model and its data, of so many rows: calls that go over all batches, `train` with statistics of tensors or
 * without. The data lie in native memory; each step gathers a batch of its own. `place`: of another device than the processor.
 */
export function stepsOf({
  native,
  model,
  inputs,
  classes,
  batch,
  batches,
  threads,
  learningRate,
  momentum,
  place = [],
}) {
  const program = new native.Program(model.descriptor, undefined, ...place)
  const rows = batch * batches
  const dataset = new native.Dataset(
    rows,
    [{ name: model.inputs[0].name, type: 'float32', shape: inputs }],
    { name: 'y', type: 'int32', shape: [] },
    null,
  )
  const size = inputs.reduce((product, length) => product * length, 1)
  const x = Float32Array.from({ length: rows * size }, () => Math.random() * 2 - 1)
  const y = Int32Array.from({ length: rows }, () => Math.floor(Math.random() * classes))
  dataset.write('input', 0, 0, x)
  dataset.write('target', 0, 0, y)

  const call = { dataset, batchSize: batch, threads }
  const training = {
    ...call,
    shuffle: false,
    epoch: 1,
    firstRow: 0,
    batches,
    learningRates: new Float64Array(batches).fill(learningRate),
    momenta: momentum === undefined ? undefined : new Float64Array(batches).fill(momentum),
  }
  async function train(tensorStatistics, inspections = {}) {
    const { updates } = await program.train({ ...training, tensorStatistics, ...inspections })
    if (updates !== batches) throw new Error(`${updates} of ${batches} steps were done`)
  }
  return { train, evaluate: () => program.evaluate(call), predict: () => program.predict(call) }
}

/** Medians of microseconds a step, by the passes' names, which take turns; each pass makes so many steps. */
export async function timesOf(passes, steps, milliseconds) {
  const times = Object.fromEntries(Object.keys(passes).map((name) => [name, []]))
  const first = Object.keys(passes)[0]
  for (const end = performance.now() + milliseconds; performance.now() < end || times[first].length < 3; ) {
    for (const [name, pass] of Object.entries(passes)) {
      const begin = performance.now()
      await pass()
      times[name].push(((performance.now() - begin) * 1000) / steps)
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, found]) => [name, median(found)]))
}
