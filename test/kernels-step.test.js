// One step of a Program is the same step composed from gradus/kernels, bit for bit.
import { dense, dropout, relu, sequential, sgd, softmaxCrossEntropy, tanh } from 'gradus'
import * as kernels from 'gradus/kernels'
import { activationBackward, columnSums, softmaxCrossEntropy as lossOf, matmul } from 'gradus/kernels'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rules } from './support/golden.js'
import { numbers } from './support/reference.js'
import { stepFunctions } from './support/step-functions.js'

const test = suite('a step composed from kernels')
const [rows, inputs, hidden, classes] = [37, 21, 33, 5]
const x = Float32Array.from(numbers(rows * inputs, 1))
const y = Int32Array.from({ length: rows }, (_, i) => (3 * i) % classes)

/** Forward, loss, backward of dense → activation → dense on the weights; returns the gradients by name. */
function gradients(w, activation) {
  const make = (n) => new Float32Array(n)
  const options = { m: rows, n: hidden, k: inputs, bias: w['dense1.bias'], activation }
  const h = matmul(x, w['dense1.weight'], make(rows * hidden), options)
  const head = { m: rows, n: classes, k: hidden, bias: w['dense2.bias'] }
  const scores = matmul(h, w['dense2.weight'], make(rows * classes), head)
  const [losses, dscores] = [make(rows), make(rows * classes)]
  const sum = lossOf(scores, y, losses, { rows, columns: classes, scale: 1 / rows, gradient: dscores })
  const [dw2, db2] = [make(hidden * classes), make(classes)]
  matmul(h, dscores, dw2, { m: hidden, n: classes, k: rows, transposeA: true })
  columnSums(dscores, db2, { rows, columns: classes })
  const dh = make(rows * hidden)
  matmul(dscores, w['dense2.weight'], dh, { m: rows, n: hidden, k: classes, transposeB: true })
  activationBackward(activation, h, h, dh, dh)
  const [dw1, db1] = [make(inputs * hidden), make(hidden)]
  matmul(x, dh, dw1, { m: inputs, n: hidden, k: rows, transposeA: true })
  columnSums(dh, db1, { rows, columns: hidden })
  return { loss: sum / rows, 'dense1.weight': dw1, 'dense1.bias': db1, 'dense2.weight': dw2, 'dense2.bias': db2 }
}

for (const [name, { slots, step }] of Object.entries(stepFunctions)) {
  const [made] = rules[name]
  for (const [activation, layer] of [
    ['relu', relu()],
    ['tanh', tanh()],
  ]) {
    test(`three steps with ${name} and ${activation}`, async () => {
      const model = sequential({ input: [inputs], seed: 5 }, [dense(hidden), layer, dense(classes)])
      model.compile({ loss: softmaxCrossEntropy(), optimizer: made })
      const weights = Object.fromEntries(Object.entries(model.getWeights()).map(([key, { data }]) => [key, data]))
      const slotsOf = (w) => Object.fromEntries(slots.map((slot) => [slot, new Float32Array(w.length)]))
      const states = Object.fromEntries(Object.keys(weights).map((key) => [key, slotsOf(weights[key])]))
      const losses = []
      for (let t = 1; t <= 3; t++) {
        const { loss, ...found } = gradients(weights, activation)
        losses.push(loss)
        for (const key of Object.keys(weights)) step(found[key], weights[key], states[key], t)
      }
      const options = { epochs: 3, batchSize: rows, shuffle: false, quiet: true }
      const history = await model.fit({ x, y }, options).done
      assert.equal(history.loss.map(Math.fround), losses.map(Math.fround))
      for (const [key, { data }] of Object.entries(model.getWeights())) assert.equal([...data], [...weights[key]], key)
    })
  }
}

test('dropout of a model in training is the kernel with the seed, the node and the step', async () => {
  const model = sequential({ input: [inputs], seed: 5 }, [dropout(0.5), dense(classes, { init: 'zeros' })])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 1 }) })
  await model.fit({ x, y }, { epochs: 1, batchSize: rows, shuffle: false, quiet: true }).done
  const dropped = kernels.dropout(x, new Float32Array(x.length), { seed: 5, stream: 1, rate: 0.5 })
  const dscores = new Float32Array(rows * classes)
  const zeros = new Float32Array(rows * classes)
  lossOf(zeros, y, new Float32Array(rows), { rows, columns: classes, scale: 1 / rows, gradient: dscores })
  const options = { m: inputs, n: classes, k: rows, transposeA: true }
  const dw = matmul(dropped, dscores, new Float32Array(inputs * classes), options)
  const expected = dw.map((g) => -g)
  assert.equal([...model.getWeights()['dense1.weight'].data], [...expected])
})

test.run()
