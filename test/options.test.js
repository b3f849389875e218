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

test.run()
