// How functions read their options, and what they say to a name that is not among them.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkBoolean, checkPositive, oneOf } from '../dist/checks.js'
import { anything, needed, optionsOf } from '../dist/options.js'
import { nearest } from '../dist/suggest.js'

const read = optionsOf()('cook', {
  heat: needed(checkPositive),
  minutes: [checkPositive, 10],
  lid: checkBoolean,
  style: oneOf('boil', 'fry'),
  note: anything,
})

/** The sentence of the error that a call throws. */
function refusal(call) {
  try {
    call()
  } catch (error) {
    assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
    return error.message
  }
  assert.unreachable('was accepted')
}

test('defaults are filled in, what was left out is undefined, and nothing else comes through', () => {
  assert.equal(read({ heat: 3 }), { heat: 3, minutes: 10, lid: undefined, style: undefined, note: undefined })
  const all = { heat: 3, minutes: 1, lid: false, style: 'fry', note: null }
  assert.equal(read(all), all)
  assert.equal(read({ heat: 3, minutes: undefined }).minutes, 10)
})

test('each value is checked, by its own name and by its place', () => {
  assert.is(
    refusal(() => read({})),
    'heat: expected a positive number, received undefined',
  )
  assert.is(
    refusal(() => read()),
    'heat: expected a positive number, received undefined',
  )
  assert.is(
    refusal(() => read({ heat: 1, minutes: null })),
    'minutes: expected a positive number, received null',
  )
  assert.is(
    refusal(() => read({ heat: 0 }, 'pots[2]')),
    'pots[2].heat: expected a positive number, received 0',
  )
})

test('a name that there is not is told with its function, and with what was meant', () => {
  const cases = {
    minuts: 'cook: there is no option "minuts"; did you mean minutes?',
    Heat: 'cook: there is no option "Heat"; did you mean heat?',
    lihd: 'cook: there is no option "lihd"; did you mean lid?',
    colour: 'cook: there is no option "colour"; known are heat, lid, minutes, note, style',
    __proto__x: 'cook: there is no option "__proto__x"; known are heat, lid, minutes, note, style',
  }
  for (const [name, message] of Object.entries(cases))
    assert.is(
      refusal(() => read({ heat: 1, [name]: 1 })),
      message,
    )
  assert.match(
    refusal(() => read({ heat: 1, ['x'.repeat(999)]: 1 })),
    /^cook: there is no option "x{39}…"/,
  )
  assert.is(
    refusal(() => read({ minuts: 1 }, 'pots[2]')),
    'pots[2]: there is no option "minuts"; did you mean minutes?',
  )
})

test('an option of another function is told as such, an argument before the options too', () => {
  optionsOf()('bake', { oven: anything })
  const serve = optionsOf()('serve', { plate: anything }, ['dish'])
  assert.is(
    refusal(() => serve({ oven: 1 })),
    'serve: there is no option "oven", which bake takes; known are plate',
  )
  assert.is(
    refusal(() => serve({ dish: 1 })),
    'serve: there is no option "dish"; it comes before the options: serve(dish, { … })',
  )
})

test('what is no options object is told so, with the option that it may be the value of', () => {
  assert.is(
    refusal(() => read('fry')),
    'cook: expected an options object, received "fry"; did you mean { style: "fry" }?',
  )
  assert.is(
    refusal(() => read([1])),
    'cook: expected an options object, received an array of length 1',
  )
  assert.is(
    refusal(() => read(new Float32Array(2))),
    'cook: expected an options object, received a Float32Array of length 2',
  )
})

test('the nearest name: case and signs first, then the words of other libraries, then letters', () => {
  const known = ['learningRate', 'batchSize', 'valLoss', 'loss', 'epochs']
  const cases = {
    learning_rate: 'learningRate',
    lr: 'learningRate',
    'batch-size': 'batchSize',
    bs: 'batchSize',
    val_loss: 'valLoss',
    valLos: 'valLoss',
    epoch: 'epochs',
    lsos: 'loss',
    constructor: undefined,
    accuracy: undefined,
    '': undefined,
  }
  for (const [name, meant] of Object.entries(cases)) assert.is(nearest(name, known), meant, name)
})

/** What each factory is content with; empty options, where it is not named. */
const contentWith = {
  ...{ constant: [0.1, {}], cosine: [{ length: 9 }], exponentialDecay: [{ rate: 0.1 }], inverseDecay: [{ rate: 0.1 }] },
  ...{
    linearRamp: [{ to: 1, length: 9 }],
    oneCycle: [{ length: 9 }],
    piecewise: [{ boundaries: [1], factors: [1, 0.1] }],
  },
  ...{ polynomial: [{ length: 9 }], stepDecay: [{ every: 2 }], warmup: [{ length: 9 }] },
  ...{
    averagePool1d: [2, {}],
    averagePool2d: [2, {}],
    conv1d: [3, 3, {}],
    conv2d: [3, 3, {}],
    conv2dTranspose: [3, 3, {}],
    cropping2d: [1, {}],
    depthwiseConv2d: [3, {}],
    groupNorm: [2, {}],
    maxPool1d: [2, {}],
    maxPool2d: [2, {}],
    separableConv2d: [3, 3, {}],
    spatialDropout: [0.5, {}],
    upsample2d: [2, {}],
    zeroPadding2d: [1, {}],
    dense: [3, {}],
    dropout: [0.5, {}],
    embedding: [9, 2, {}],
    input: [3, {}],
    maxout: [2, {}],
    merge: ['add', {}],
  },
  ...{ reshape: [[2, 2], {}], l1: [0.1], l2: [0.1], elastic: [{ l1: 0.1, l2: 0.1 }], topKAccuracy: [2] },
  ...{ randomNormal: [{ deviation: 1 }], randomUniform: [{ limit: 1 }], tensorboard: [{ dir: 'logs' }] },
  customLayer: [{ name: 'one', forward: (x) => x, backward: (dy) => ({ dx: dy }) }],
  customLoss: [{ name: 'one', forward: (x) => x, backward: (x) => x }],
  customMetric: [{ name: 'one', sums: () => [1], value: () => 1 }],
  customOptimizer: [{ name: 'one', update: (gradient) => gradient }],
  customRegularizer: [{ loss: () => 0, gradient: (w) => w }],
}
const withoutArguments = [
  ...['binaryCrossEntropy', 'meanSquaredError', 'meanAbsoluteError', 'rootMeanSquaredError'],
  ...['accuracy', 'auc', 'balancedAccuracy', 'confusionMatrix', 'logLoss', 'r2'],
]
/** They take as many nodes as there are. */
const takesMany = ['add', 'concat']

test('no factory drops an argument without a word', async () => {
  const { earlyStopping, monitor, tensorboard } = await import('gradus')
  const parts = ['layers', 'losses', 'metrics', 'optimizers', 'schedules']
  const modules = await Promise.all(parts.map((part) => import(`../dist/${part}/index.js`)))
  const factories = Object.entries(Object.assign({ earlyStopping, monitor, tensorboard }, ...modules))
  assert.ok(factories.length > 60, String(factories.length))
  for (const [name, factory] of factories) {
    if (takesMany.includes(name)) continue
    const most = contentWith[name] ?? (withoutArguments.includes(name) ? [] : [{}])
    factory(...most)
    factory(...most, undefined)
    const message = refusal(() => factory(...most, 1))
    assert.match(message, new RegExp(`^${name}: expected no (argument|more than ${most.length} arguments?), received`))
    assert.is(factory.name, name)
  }
})

test.run()
