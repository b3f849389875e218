// The path that an optimizer takes on a surface, by way of a real model.
import { customLoss, dense, sequential } from 'gradus'

/**
 * The points [x, y] from the start to the last step, steps + 1 of them. A dense layer without bias that is fed 1 gives
 * its two weights; the loss takes them for coordinates. So the engine's own kernels walk on the surface.
 */
export async function trajectory({ start, value, gradient }, optimizer, steps) {
  const model = sequential({ input: [1], dtype: 'float64' }, [dense(2, { bias: false, name: 'point' })])
  const height = customLoss({
    name: 'height',
    forward: ([x, y]) => Float64Array.of(value(x, y)),
    backward: ([x, y]) => Float64Array.from(gradient(x, y)),
  })
  model.compile({ loss: height, optimizer })
  model.setWeights({ 'point.weight': { data: Float64Array.from(start), shape: [1, 2] } })
  const points = [start]
  const onEpochEnd = () => points.push([...model.getWeights()['point.weight'].data])
  const data = { x: [[1]], y: [[0, 0]] } // the loss has no use for targets
  await model.fit(data, { epochs: steps, batchSize: 1, callbacks: [{ onEpochEnd }], threads: 1, quiet: true }).done
  return points
}
