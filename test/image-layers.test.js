// Layers of images against PyTorch in float64: what they answer in training and evaluation, gradients of weights and of
// inputs, running averages. fixtures/images/layers.py made the numbers.
import { readFileSync } from 'node:fs'
import * as gradus from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const factories = { ...gradus }
const { conv1d, conv2d, flatten, meanSquaredError, sequential, sgd } = gradus
const test = suite('image-layers')
const { cases } = JSON.parse(readFileSync(new URL('./fixtures/images/layers.json', import.meta.url), 'utf8'))

const farthest = (a, b) => a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0)
function near(found, expected, what) {
  assert.is(found.length, expected.length, what)
  const distance = farthest(Array.from(found), expected)
  assert.ok(distance < 1e-10, `${what}: ${distance}`)
}

function modelOf({ call: [factory, ...given], inputShape, mix, weights }) {
  const layer = factories[factory](...given)
  const channels = inputShape.at(-1)
  const first = (inputShape.length === 2 ? conv1d : conv2d)(channels, 1, { bias: false, name: 'mix' })
  const model = sequential({ input: inputShape, seed: 1, dtype: 'float64' }, [first, layer, flatten()])
  const all = model.getWeights()
  all['mix.weight'].data.set(mix)
  for (const [role, data] of Object.entries(weights)) all[`${factory}1.${role}`].data.set(data)
  model.setWeights(all)
  return model.compile({ loss: meanSquaredError(), optimizer: sgd({ learningRate: 1 }) })
}

for (const one of cases) {
  test(`as PyTorch: ${one.name}`, async () => {
    const { call, batch, x, target, gradients, running, evaluation, outputShape } = one
    const model = modelOf(one)
    const [factory, ...given] = call
    assert.equal(
      sequential({ input: one.inputShape, seed: 1 }, [factories[factory](...given)]).outputShape,
      outputShape,
    )
    const before = model.getWeights()
    const data = {
      x: Float64Array.from(x),
      y: { data: Float64Array.from(target), shape: [batch, target.length / batch] },
    }
    // A step at rate 1 takes away the gradient. Running averages are PyTorch's, whose momentum is 1 − ours.
    await model.fit(data, { epochs: 1, batchSize: batch, shuffle: false, quiet: true }).done
    const after = model.getWeights()
    const moved = (name) => Array.from(before[name].data, (w, i) => w - after[name].data[i])
    for (const [role, gradient] of Object.entries(gradients)) {
      near(moved(role === 'mix' ? 'mix.weight' : `${factory}1.${role}`), gradient, `gradient of ${role}`)
    }
    for (const [role, average] of Object.entries(running ?? {})) near(after[`${factory}1.${role}`].data, average, role)
    // In evaluation, with the weights from before.
    for (const name of Object.keys(before)) if (/\.(mean|variance)$/.test(name)) before[name] = after[name]
    model.setWeights(before)
    near((await model.predict(data.x)).data, evaluation, 'evaluation')
  })
}

test.run()
