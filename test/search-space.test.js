// What a search looks through: ranges on their scales, choices, branches, and what of it a file gives back.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { limitsOf } from '../dist/search/space/parameter.js'
import { choice, integer, logUniform, uniform } from '../dist/search/space/parameters.js'
import { checkSpace } from '../dist/search/space/space.js'

const space = suite('search space')
const dimension = (parameter) => checkSpace({ it: parameter }).dimensions[0]
const valuesOf = ({ size, cells }) => Array.from({ length: size }, (_, i) => cells.at(i))

const example = {
  learningRate: logUniform(1e-6, 10),
  hidden: integer(32, 512, { log: true }),
  dropout: uniform(0, 0.7, { step: 0.1, most: 0.9 }),
  norm: choice([null, true, 3, 'batch', [1, 2], { a: [1], b: 2 }]),
  optimizer: choice({ adam: { beta1: uniform(0.8, 0.99) }, sgd: {}, nesterov: { momentum: uniform(0.5, 0.99) } }),
}
const params = {
  learningRate: 0.1,
  hidden: 100,
  dropout: 0.3,
  norm: { a: [1], b: 2 },
  optimizer: { name: 'adam', beta1: 0.9 },
}

space('is flat, with conditions, and goes from what a trial is given to a point and back', () => {
  const { dimensions, point, params: back } = checkSpace(example)
  assert.equal(
    dimensions.map(({ path, kind, size, condition }) => [path, kind, size, condition]),
    [
      ['learningRate', 'real', Number.POSITIVE_INFINITY, null],
      ['hidden', 'integer', 481, null],
      ['dropout', 'real', 8, null],
      ['norm', 'category', 6, null],
      ['optimizer', 'category', 3, null],
      ['optimizer.adam.beta1', 'real', Number.POSITIVE_INFINITY, { path: 'optimizer', category: 0 }],
      ['optimizer.nesterov.momentum', 'real', Number.POSITIVE_INFINITY, { path: 'optimizer', category: 2 }],
    ],
  )
  const at = point(params)
  assert.equal(Object.keys(at), ['learningRate', 'hidden', 'dropout', 'norm', 'optimizer', 'optimizer.adam.beta1'])
  assert.ok(Math.abs(at.learningRate - 5 / 7) < 1e-15)
  assert.is(at.norm, 5)
  assert.is(at.optimizer, 0)
  assert.equal(back(at), params)
  assert.equal(back({ ...at, optimizer: 1 }).optimizer, { name: 'sgd' })
})

space('a file gives the same space back', () => {
  const first = checkSpace(example)
  const second = checkSpace(JSON.parse(JSON.stringify(first.parameters)))
  assert.is(JSON.stringify(second.parameters), JSON.stringify(first.parameters))
  assert.equal(second.point(params), first.point(params))
  assert.is(checkSpace(first), first)
})

space('steps are numbers as a person writes them, and the ends are among them', () => {
  assert.equal(valuesOf(dimension(uniform(0, 0.7, { step: 0.1 }))), [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
  assert.equal(valuesOf(dimension(uniform(-0.3, 0.3, { step: 0.15 }))), [-0.3, -0.15, 0, 0.15, 0.3])
  assert.equal(valuesOf(dimension(uniform(1e-7, 3e-7, { step: 1e-7 }))), [1e-7, 2e-7, 3e-7])
  assert.equal(valuesOf(dimension(uniform(1e21, 3e21, { step: 1e21 }))), [1e21, 2e21, 3e21])
  assert.equal(valuesOf(dimension(integer(-4, 8, { step: 6 }))), [-4, 2, 8])
  const thousandths = dimension(uniform(0.001, 0.999, { step: 0.001 }))
  assert.equal(
    valuesOf(thousandths).map(String),
    Array.from({ length: 999 }, (_, i) => `0.${String(i + 1).padStart(3, '0')}`.replace(/0+$/, '')),
  )
  // Sums that a user may write are on the grid, what lies between is not.
  assert.is(dimension(uniform(0, 0.7, { step: 0.1 })).toUnit(0.1 + 0.2), 3.5 / 8)
  assert.not.ok(dimension(uniform(0, 0.7, { step: 0.1 })).holds(0.31))
})

space('units: ends are ends, cells have middles, nothing lies outside', () => {
  for (const parameter of [
    uniform(0.1, 0.7),
    uniform(-1e300, 1e307),
    logUniform(1e-6, 10),
    logUniform(3e-320, 1.7e308),
    logUniform(0.1, 0.3),
    integer(-7, 12),
    integer(1, 2 ** 53 - 1, { log: true }),
    integer(32, 512, { log: true }),
    integer(0, 100, { step: 5 }),
    uniform(0, 0.7, { step: 0.1 }),
  ]) {
    const { low, high } = parameter
    const { fromUnit, toUnit, size } = dimension(parameter)
    for (const unit of [-1, -1e-17, 0]) assert.is(fromUnit(unit), low)
    for (const unit of [1 - 2 ** -53, 1, 1 + 1e-15, 5]) assert.ok(fromUnit(unit) <= high)
    assert.is(fromUnit(1), high)
    for (let i = 0; i <= 1000; i++) {
      const value = fromUnit(i / 1000)
      assert.ok(value >= low && value <= high, `${value} of ${low} … ${high}`)
      const back = fromUnit(toUnit(value))
      if (size < 2 ** 40) assert.is(back, value)
      else assert.ok(Math.abs(back - value) <= 2e-13 * Math.max(Math.abs(value), high - low), `${back} for ${value}`)
    }
  }
  assert.throws(() => dimension(uniform(0, 1)).fromUnit(Number.NaN), /NaN/)
})

space('logarithms: decades have the same length, integers the stretch from k − ½ to k + ½', () => {
  const rate = dimension(logUniform(1e-3, 10))
  for (const [unit, value] of [
    [0.25, 0.01],
    [0.5, 0.1],
    [0.75, 1],
  ]) {
    assert.ok(Math.abs(rate.fromUnit(unit) / value - 1) < 1e-14)
    assert.ok(Math.abs(rate.toUnit(value) - unit) < 1e-15)
  }
  const { cells, fromUnit, toUnit } = dimension(integer(1, 50, { log: true }))
  const edge = (k) => Math.log((k - 0.5) / 0.5) / Math.log(50.5 / 0.5)
  for (let k = 1; k <= 50; k++) {
    assert.ok(Math.abs(cells.edge(k - 1) - edge(k)) < 1e-15)
    assert.ok(Math.abs(toUnit(k) - (edge(k) + edge(k + 1)) / 2) < 1e-15)
    assert.is(fromUnit(cells.edge(k - 1)), k)
    assert.is(fromUnit(cells.edge(k) - 1e-12), k)
  }
})

space('a unit and the edges of cells agree to the last bit', () => {
  for (const [low, high] of [
    [1, 3000],
    [7, 9000],
    [1000, 1500],
  ]) {
    const { cells } = dimension(integer(low, high, { log: true }))
    for (let index = 1; index <= high - low; index++) {
      assert.is(cells.indexAt(cells.edge(index)), index)
      assert.is(cells.indexAt(cells.edge(index) * (1 - 2 ** -53)), index - 1)
    }
  }
})

space('choices are found again whatever they are, and what JSON cannot hold is none of them', () => {
  const values = [null, true, false, 0, 1, '1', '', [], [null], {}, { a: 1, b: [true] }, 'null']
  const { toUnit, fromUnit, holds, size } = dimension(choice(values))
  assert.is(size, values.length)
  for (const [i, value] of values.entries()) {
    assert.is(toUnit(JSON.parse(JSON.stringify(value))), i)
    assert.equal(fromUnit(i), value)
  }
  assert.is(toUnit({ b: [true], a: 1 }), 10)
  for (const other of [undefined, Number.NaN, 1n, () => 1, [undefined], new Date(0), new Map(), Symbol.iterator, 2])
    assert.not.ok(holds(other), String(other))
  const own = [1, 2]
  const parameter = choice([own])
  own.push(3)
  assert.equal(dimension(parameter).fromUnit(0), [1, 2])
})

space('a finite space has its points by number, branches one after another', () => {
  const finite = checkSpace({
    depth: integer(1, 3),
    optimizer: choice({
      adam: { beta1: uniform(0.8, 0.9, { step: 0.05 }), amsgrad: choice([true, false]) },
      sgd: {},
      momentum: { rate: choice([0.5, 0.9]), kind: choice({ nesterov: { at: integer(0, 1) }, plain: {} }) },
    }),
    log: integer(1, 4, { log: true }),
  })
  assert.is(finite.size, 3 * (3 * 2 + 1 + 2 * (2 + 1)) * 4)
  const texts = new Set()
  const keys = new Set()
  for (let i = 0; i < finite.size; i++) {
    const point = finite.at(i)
    assert.is(finite.indexOf(point), i)
    assert.equal(finite.point(finite.params(point)), point)
    texts.add(JSON.stringify(finite.params(point)))
    keys.add(finite.key(point))
  }
  assert.is(texts.size, finite.size)
  assert.is(keys.size, finite.size)
  assert.equal(finite.params(finite.at(0)), {
    depth: 1,
    optimizer: { name: 'adam', beta1: 0.8, amsgrad: true },
    log: 1,
  })
  assert.equal(finite.params(finite.at(155)), {
    depth: 3,
    optimizer: { name: 'momentum', rate: 0.9, kind: { name: 'plain' } },
    log: 4,
  })
  assert.throws(() => finite.at(156), /156/)
  assert.is(checkSpace(example).size, Number.POSITIVE_INFINITY)
})

const inside = { it: uniform(0, 1) }
const bad = [
  [() => uniform(1, 1), 'uniform: high: expected a number above low, which is 1, received 1'],
  [() => uniform(0, Number.NaN), 'uniform: high: expected a finite number, received NaN'],
  [() => uniform('0', 1), 'uniform: low: expected a finite number, received "0"'],
  [() => uniform(-1e308, 1e308), 'uniform: high: expected a finite distance from low, received 1e+308'],
  [() => uniform(0, 1, 0.1), /^uniform: expected an options object, received 0\.1/],
  [() => uniform(0, 1, { stepp: 1 }), 'uniform: there is no option "stepp"; did you mean step?'],
  [() => uniform(0, 1, {}, 1), /no more than 3 arguments/],
  [
    () => uniform(0, 1, { step: 0.3 }),
    'uniform: high: expected a whole number of steps of 0.3 from 0, such as 0.9 or 1.2, received 1',
  ],
  [() => uniform(0, 1, { step: 0 }), 'uniform: step: expected a positive number, received 0'],
  [() => uniform(0, 1, { step: 2 }), /high: expected a whole number of steps of 2 from 0, such as 2, received 1$/],
  [() => uniform(0, 1, { step: 1e-300 }), /uniform: step: expected at most 2\^53 - 1 steps/],
  [() => uniform(0, 1, { least: 0.5 }), 'uniform: least: expected at most low, which is 0, received 0.5'],
  [() => uniform(0, 1, { most: 0.5 }), 'uniform: most: expected at least high, which is 1, received 0.5'],
  [() => logUniform(0, 1), /^logUniform: low: expected a number above 0, .* received 0$/],
  [() => logUniform(1, 2, { least: -1 }), /^logUniform: least: expected a number above 0/],
  [() => integer(0.5, 1), 'integer: low: expected a whole number, received 0.5'],
  [() => integer(0, 2 ** 53), /^integer: high: expected a whole number, received 9007199254740992$/],
  [() => integer(1 - 2 ** 53, 2 ** 53 - 1), /^integer: high: expected at most 2\^53 - 1 above low/],
  [() => integer(0, 9, { log: true }), /^integer: low: expected a whole number from 1 up, as log is true, received 0$/],
  [() => integer(1, 9, { log: true, step: 2 }), 'integer: step: expected none, as log is true, received 2'],
  [() => integer(0, 10, { step: 3 }), /such as 9 or 12, received 10$/],
  [() => choice([]), 'choice: expected at least one value, received an array of length 0'],
  [() => choice([1, { a: 1 }, { a: 1 }]), 'choice: expected different values, received an object with a at 1 and 2'],
  [() => choice([0, -0]), /expected different values/],
  [() => choice([Number.NaN]), 'choice[0]: expected what JSON can hold, received NaN'],
  [() => choice([[() => 1]]), /^choice\[0\]\[0\]: expected what JSON can hold, received function/],
  [() => choice([new Date(0)]), /^choice\[0\]: expected what JSON can hold, received a Date object$/],
  [
    () => choice([JSON.parse('{ "__proto__": 1 }')]),
    'choice[0]: expected no property of this name, received "__proto__"',
  ],
  [() => choice([circle()]), /at most 32 levels/],
  [() => choice({}), /^choice: expected a list of values, or an object of branches, received an empty object$/],
  [() => choice({ a: uniform(0, 1) }), /^choice\.a: expected an object of parameters by their names/],
  [() => choice({ a: { name: uniform(0, 1) } }), /^choice\.a\.name: expected another name/],
  [() => choice({ 'a.b': {} }), /^choice: name of a branch: expected a name .* received "a\.b"$/],
  [() => checkSpace({}), 'space: expected at least one parameter, received an empty object'],
  [() => checkSpace([]), /^space: expected an object of parameters by their names, received an array/],
  [() => checkSpace({ it: [1, 2] }), /^space\.it: expected a parameter, .* did you mean choice\(\[ … \]\)\?$/],
  [() => checkSpace({ it: { kind: 'uniform', low: 2, high: 1 } }), /^space\.it: high: expected a number above low/],
  [() => checkSpace({ it: { kind: 'uniform', low: 0, high: null } }), /^space\.it: high: expected a finite number/],
  [() => checkSpace({ it: { ...inside.it, color: 1 } }), /^space\.it: there is no option "color"/],
  [() => checkSpace({ it: { kind: 'choice', values: 3 } }), /^space\.it: expected a parameter/],
  [() => checkSpace({ it: { kind: 'branches', branches: { a: { b: 3 } } } }), /^space\.it\.a\.b: expected a parameter/],
  [() => checkSpace({ it: nested(40) }), /branches in one another/],
  [
    () => checkSpace(JSON.parse('{ "__proto__": { "kind": "uniform" } }')),
    /name of a parameter: .* received "__proto__"$/,
  ],
  [() => checkSpace({ '': inside.it }), /name of a parameter/],
  [() => checkSpace({ ['a'.repeat(101)]: inside.it }), /name of a parameter/],
  [() => checkSpace({ 'a\n': inside.it }), /name of a parameter/],
  [() => checkSpace(example).point({ ...params, more: 1 }), 'params: there is no parameter "more"'],
  [
    () => checkSpace(example).point({ ...params, hidden: undefined }),
    /^params\.hidden: .* 32 to 512, received undefined$/,
  ],
  [() => checkSpace(example).point({ ...params, hidden: 31 }), /^params\.hidden: .* received 31$/],
  [
    () => checkSpace(example).point({ ...params, norm: 'layer' }),
    /^params\.norm: expected one of null, true, 3, "batch"/,
  ],
  [
    () => checkSpace(example).point({ ...params, optimizer: 'sgd' }),
    /^params\.optimizer: expected an object with the name one of/,
  ],
  [
    () => checkSpace(example).point({ ...params, optimizer: { name: 'rms' } }),
    /^params\.optimizer\.name: .* received "rms"$/,
  ],
  [
    () => checkSpace(example).point({ ...params, optimizer: { name: 'sgd', beta1: 0.9 } }),
    /^params\.optimizer: there is no parameter "beta1"$/,
  ],
  [() => checkSpace(example).point(Object.create(params)), /received undefined$/],
  [() => checkSpace(example).point(null), /^params: expected an object of parameters, received null$/],
]

function circle() {
  const values = []
  values.push(values)
  return values
}

function nested(levels) {
  return levels === 0 ? inside.it : { kind: 'branches', branches: { a: { b: nested(levels - 1) } } }
}

space('bad input: one coded error that names the place', () => {
  for (const [call, message] of bad) {
    try {
      call()
    } catch (error) {
      assert.is(error.code, 'GRADUS_INVALID_ARGUMENT', error.stack)
      if (typeof message === 'string') assert.is(error.message, message)
      else assert.match(error.message, message)
      continue
    }
    assert.unreachable(String(call))
  }
})

space('names of what every object has are names like others', () => {
  const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype', '1', 'ключ', 'a b']
  const one = checkSpace(
    Object.fromEntries(names.map((name) => [name, choice({ [name]: { [name]: integer(0, 3) }, no: {} })])),
  )
  const back = checkSpace(JSON.parse(JSON.stringify(one.parameters)))
  const trial = back.params(back.at(back.size - 2))
  assert.equal(back.point(trial), back.at(back.size - 2))
  assert.throws(() => back.point({}), /received undefined/)
  assert.is({}.polluted, undefined)
  assert.is(checkSpace({ it: choice(['constructor']) }).dimensions[0].holds('toString'), false)
})

space('older trials that do not fit are found to be none of this space', () => {
  const narrow = checkSpace({ ...example, hidden: integer(64, 128, { log: true }) })
  assert.equal(narrow.find(params), narrow.point(params))
  assert.is(narrow.find(params), narrow.find(params))
  assert.is(narrow.find({ ...params, hidden: 256 }), null)
  assert.is(narrow.find({ ...params, optimizer: { name: 'adam' } }), null)
  assert.is(narrow.find(3), null)
})

space('a parameter is said once', () => {
  const parameter = uniform(0, 1)
  assert.throws(() => {
    parameter.low = 0.5
  }, /low: cannot be changed in place; make another parameter/)
  assert.throws(() => {
    choice([[1]]).values[0].push(2)
  })
})

space('how far a range may be widened stays on its side of zero', () => {
  const none = Number.POSITIVE_INFINITY
  assert.equal(limitsOf(uniform(0, 0.7, { most: 0.95 })), { least: 0, most: 0.95 })
  assert.equal(limitsOf(uniform(-1, 1)), { least: -none, most: none })
  assert.equal(limitsOf(uniform(-2, -1)), { least: -none, most: 0 })
  assert.equal(limitsOf(logUniform(1e-6, 10)), { least: Number.MIN_VALUE, most: none })
  assert.equal(limitsOf(integer(32, 512)), { least: 1, most: none })
  assert.equal(limitsOf(integer(0, 5, { least: -5 })), { least: -5, most: none })
})

space.run()
