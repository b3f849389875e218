// Averages of the weights against the weights that training had after each update, and what is made of them.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import {
  adam,
  averagedWeights,
  batchNorm,
  customOptimizer,
  dense,
  equalAverage,
  lion,
  loadModel,
  meanSquaredError,
  muon,
  nadam,
  powerAverage,
  relu,
  sequential,
  sgd,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { fused } from './support/fused.js'
import { numbers } from './support/reference.js'
import { warningsOf } from './support/warnings.js'

const test = suite('averages')
const rows = 23
const x = numbers(rows * 5, 3)
const y = numbers(rows * 3, 4)
/** The example at whose batch no number is finite: its update is refused. */
const refusing = x.slice()
refusing[5 * 13] = 1e308

const copies = (weights) => Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, data.slice()]))
const bits = (weights) => {
  const hash = createHash('sha256')
  for (const { data } of Object.values(weights)) hash.update(data)
  return hash.digest('hex')
}
const heavyBall = (options) =>
  customOptimizer({
    ...options,
    name: 'heavyBall',
    slots: ['velocity'],
    update(gradient, { slots: { velocity }, learningRate }) {
      gradient.forEach((g, i) => {
        velocity[i] = 0.5 * velocity[i] - learningRate * g
      })
      return velocity
    },
  })
const optimizers = {
  sgd: (options) => sgd({ learningRate: 0.05, ...options }),
  momentum: (options) => sgd({ learningRate: 0.02, momentum: 0.9, weightDecay: 0.01, ...options }),
  adam: (options) => adam({ learningRate: 0.01, ...options }),
  'adam in bfloat16': (options) => adam({ learningRate: 0.01, slots: 'bfloat16', ...options }),
  nadam: (options) => nadam({ learningRate: 0.01, ...options }),
  lion: (options) => lion({ learningRate: 0.01, ...options }),
  muon: (options) => muon({ learningRate: 0.01, ...options }),
  custom: (options) => heavyBall({ learningRate: 0.05, ...options }),
}
/** Each with what it keeps at the n-th accepted update of the run, from 1; by epochs at the end of the e-th. */
const averages = {
  running: [averagedWeights({ decay: 0.7 }), (n) => Math.min(0.7, (1 + (n - 1)) / (10 + (n - 1)))],
  power: [powerAverage({ gamma: 3 }), (n) => (1 - 1 / n) ** 4],
  'equal by steps': [
    equalAverage({ from: 3, every: 2, unit: 'step' }),
    (n) => (n < 3 || n % 2 === 0 ? 1 : (n - 3) / 2 / ((n - 3) / 2 + 1)),
  ],
  'equal by epochs': [
    equalAverage({ from: 1, every: 2 }),
    null,
    (e) => (e % 2 === 0 ? 1 : (e - 1) / 2 / ((e - 1) / 2 + 1)),
  ],
}

/** maxNorm on the first layer, statistics in the second, plain weights in the third; odd sizes everywhere. */
const network = (optimizer, dtype = 'float64') =>
  sequential({ input: [5], seed: 2, dtype }, [dense(17, { maxNorm: 0.7 }), batchNorm(), relu(), dense(3)]).compile({
    loss: meanSquaredError(),
    optimizer,
  })

const follow = (average, weights, keep) => {
  if (keep === 1) return
  for (const [name, { data }] of Object.entries(weights))
    average[name].forEach((old, i) => {
      average[name][i] = fused(keep, old, (1 - keep) * data[i])
    })
}

/** Trains, and makes the average again from the weights after each accepted update, in the kernel's order of operations. */
async function compared(optimizer, [, byUpdate, byEpoch], options = {}) {
  const model = network(optimizer)
  const expected = copies(model.getWeights())
  let accepted = 0
  let refused = 0
  const callbacks = [
    {
      onStepsEnd({ steps }) {
        refused += steps.refused[0]
        if (!steps.refused[0]) accepted++
        if (!steps.refused[0] && byUpdate) follow(expected, model.getWeights(), byUpdate(accepted))
      },
      onEpochEnd({ epoch }) {
        if (byEpoch) follow(expected, model.getWeights(), byEpoch(epoch))
        const found = model.getWeights({ average: true })
        for (const name in expected) assert.equal(found[name].data, expected[name], `${name} after epoch ${epoch}`)
      },
    },
  ]
  const settings = { epochs: 5, batchSize: 3, shuffle: false, stepsPerCall: 1, quiet: true, callbacks, ...options }
  await warningsOf(() => model.fit({ x: refusing, y }, settings))
  assert.ok(refused >= 5 && accepted > 10, `${accepted} accepted, ${refused} refused`)
  return model
}

for (const [rule, make] of Object.entries(optimizers)) {
  for (const [name, average] of Object.entries(averages)) {
    test(`${rule} with a ${name} average: the bits of the formula, refused updates between`, async () => {
      await compared(make({ average: average[0] }), average, { threads: 1 })
    })
  }
}
for (const [name, average] of Object.entries(averages)) {
  test(`${name}: with accumulation, on two threads and with many updates a call the same bits`, async () => {
    const options = { accumulate: 2, threads: 1 }
    const model = await compared(optimizers.adam({ average: average[0] }), average, options)
    for (const more of [{ threads: 2 }, { stepsPerCall: 100 }, { stepsPerCall: 3, threads: 2 }]) {
      const other = network(optimizers.adam({ average: average[0] }))
      const settings = { epochs: 5, batchSize: 3, shuffle: false, quiet: true, ...options, ...more }
      await warningsOf(() => other.fit({ x: refusing, y }, settings))
      assert.equal(bits(other.getWeights({ average: true })), bits(model.getWeights({ average: true })))
    }
  })
}

test('equal averages are the plain mean of the weights that they were taken from', async () => {
  const model = network(sgd({ learningRate: 0.1, average: equalAverage({ from: 2, unit: 'step' }) }))
  const taken = []
  const callbacks = [{ onStepsEnd: () => void taken.push(copies(model.getWeights())) }]
  await model.fit({ x, y }, { epochs: 3, batchSize: 5, stepsPerCall: 1, quiet: true, callbacks })
  taken.shift()
  for (const [name, { data }] of Object.entries(model.getWeights({ average: true })))
    data.forEach((value, i) => {
      const mean = taken.reduce((sum, of) => sum + of[name][i], 0) / taken.length
      assert.ok(Math.abs(value - mean) < 1e-13, `${name}[${i}]`)
    })
})

test('the count goes on with the next fit, and by steps and epochs begins anew', async () => {
  const once = { epochs: 1, batchSize: rows, quiet: true }
  const powered = network(sgd({ average: powerAverage({ gamma: 0 }) }))
  const equal = network(sgd({ average: equalAverage({ from: 1 }) }))
  const seen = []
  for (let n = 1; n <= 3; n++) {
    await powered.fit({ x, y }, once)
    await equal.fit({ x, y }, once)
    seen.push(powered.getWeights()['dense2.weight'].data)
    assert.equal(equal.getWeights({ average: true }), equal.getWeights())
  }
  powered.getWeights({ average: true })['dense2.weight'].data.forEach((value, i) => {
    assert.ok(Math.abs(value - seen.reduce((sum, of) => sum + of[i], 0) / 3) < 1e-14)
  })
})

test('before the first weights come into it the average is not even read', async () => {
  const model = network(sgd({ average: equalAverage({ from: 99, unit: 'step' }) }), 'float32')
  for (const i of model.program.parameters.keys())
    model.program.write('average', i, new Float32Array(model.program.parameters[i].size).fill(7))
  const { program } = model
  const marked = program.parameters.map((_, i) => program.read('average', i))
  await model.fit({ x, y }, { epochs: 3, batchSize: 4, quiet: true })
  assert.equal(
    program.parameters.map((_, i) => program.read('average', i)),
    marked,
  )
})

const network32 = () => network(optimizers.adam({ average: averagedWeights({ decay: 0.9 }) }), 'float32')
async function digest() {
  const hash = createHash('sha256')
  for (const [name, [average]] of Object.entries(averages)) {
    for (const dtype of ['float32', 'float64']) {
      for (const make of [optimizers.momentum, optimizers.adam, optimizers.lion]) {
        const model = network(make({ average }), dtype)
        await warningsOf(() => model.fit({ x, y }, { epochs: 4, batchSize: 3, quiet: true }))
        hash.update(name).update(bits(model.getWeights({ average: true })))
        const { loss } = await model.evaluate({ x, y }, { weights: 'average' })
        hash.update(String(loss))
      }
    }
  }
  return hash.digest('hex')
}
if (process.env.GRADUS_PRINT_BITS) process.stdout.write(`${native.isa} ${await digest()}`)
else {
  test('the same bits on every ISA', async () => {
    const expected = await digest()
    for (const isa of native.availableIsas) {
      const env = { ...process.env, GRADUS_ISA: isa, GRADUS_PRINT_BITS: '1' }
      const printed = execFileSync(process.execPath, [fileURLToPath(import.meta.url)], { env, encoding: 'utf8' })
      assert.is(printed, `${isa} ${expected}`)
    }
  })
}

test('a model keeps its average in a file, bit for bit, and goes on with it', async () => {
  for (const [name, [average]] of Object.entries(averages)) {
    const [whole, half] = [0, 1].map(() => network(optimizers.adam({ average }), 'float32'))
    const settings = { batchSize: 4, quiet: true }
    await whole.fit({ x, y }, { ...settings, epochs: 6 })
    await half.fit({ x, y }, { ...settings, epochs: 3 })
    const loaded = await loadModel(await half.toBuffer({ optimizer: true }))
    assert.equal(loaded.getWeights({ average: true }), half.getWeights({ average: true }), name)
    await loaded.fit({ x, y }, { ...settings, epochs: 6, initialEpoch: 3 })
    assert.equal(loaded.getWeights({ average: true }), whole.getWeights({ average: true }), name)
  }
})

test('what is set, frozen or compiled anew', async () => {
  const model = network32()
  const other = network32()
  await model.fit({ x, y }, { epochs: 2, batchSize: 4, quiet: true })
  other.setWeights(model.getWeights())
  assert.equal(other.getWeights({ average: true }), model.getWeights(), 'before the first update')
  const before = model.getWeights({ average: true })
  model.setWeights(network32().getWeights())
  assert.equal(model.getWeights({ average: true }), before, 'later it is the optimizer’s')
  model.freeze('dense1')
  assert.equal(model.getWeights({ average: true }), model.getWeights(), 'the optimizer begins anew')
  await model.fit({ x, y }, { epochs: 2, batchSize: 4, quiet: true })
  const [now, average] = [model.getWeights(), model.getWeights({ average: true })]
  assert.equal(average['dense1.weight'], now['dense1.weight'])
  assert.not.equal(average['dense2.weight'], now['dense2.weight'])
  assert.not.equal(average['batchNorm1.mean'], now['batchNorm1.mean'])
  const set = network32().getWeights()
  model.setWeights(set)
  assert.equal(model.getWeights({ average: true })['dense1.weight'], set['dense1.weight'], 'what is not trained')
})

if (!process.env.GRADUS_PRINT_BITS) test.run()
