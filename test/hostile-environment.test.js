// The native surface where the JavaScript around it is turned against it: variables, prototypes and hooks that change
// after the import. Calls still settle, with the right result or one coded error.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { call, dataset, descriptor, filled, program, stillTrains } from './support/small-program.js'

const test = suite('hostile environment')
test.after.each(stillTrains)

test('the instruction set is that of the import, whatever the environment says later', () => {
  const before = process.env.GRADUS_ISA
  process.env.GRADUS_ISA = 'none of them'
  try {
    assert.is(new native.Program(descriptor).dtype, 'float32')
  } finally {
    if (before === undefined) delete process.env.GRADUS_ISA
    else process.env.GRADUS_ISA = before
  }
})

/** Runs the work with something else in the place of a property, for as long as its promise takes. */
async function replaced(object, name, property, work) {
  const before = Object.getOwnPropertyDescriptor(object, name)
  Object.defineProperty(object, name, { configurable: true, ...property })
  try {
    return await work()
  } finally {
    if (before) Object.defineProperty(object, name, before)
    else delete object[name]
  }
}

/** What a promise gives, or that it has given nothing some turns after the program is idle. */
async function outcomeOf(promise) {
  let outcome = 'never settled'
  promise.then(
    () => {
      outcome = 'resolved'
    },
    (error) => {
      outcome = error.code ?? error
    },
  )
  for (let turns = 0; turns < 50 || program.busy; turns++) await new Promise(setImmediate)
  return outcome
}

test('a call that fails rejects whatever Error.prepareStackTrace does', async () => {
  const misfit = new native.Dataset(2, [], null, null)
  const values = [() => Symbol('stack'), () => null, () => ({}), () => program.dispose.call({})]
  const throws = () => {
    throw 1
  }
  for (const value of [throws, ...values]) {
    const work = () => outcomeOf(program.evaluate({ dataset: misfit, batchSize: 1, threads: 1 }))
    assert.is(await replaced(Error, 'prepareStackTrace', { value }, work), 'GRADUS_SHAPE_MISMATCH', String(value))
  }
})

test('setters on prototypes neither run nor swallow what is given', async () => {
  let ran = 0
  const traps = [
    ...['0', '1', '2'].map((name) => [Array.prototype, name]),
    ...[
      'loss',
      'weight',
      'updates',
      'rows',
      'metricSums',
      'batch',
      'seed',
      'name',
      'shape',
      'layer',
      'mean',
      'base',
    ].map((name) => [Object.prototype, name]),
  ]
  const seen = async () => ({
    parameters: program.parameters,
    arenas: [...program.arenas],
    shape: [...program.outputShape],
    layers: program.inspection.layers,
    range: dataset.range('target', 0),
    trained: Object.keys(await new native.Program(descriptor).train(call())),
    evaluated: await program.evaluate({ dataset, batchSize: 5, threads: 1 }),
    inspected: await program.inspect({ dataset, training: false, randomness: false, threads: 1 }),
  })
  const expected = await seen()
  let work = seen
  for (const [object, name] of traps) {
    const inner = work
    const set = () => {
      ran++
    }
    work = () => replaced(object, name, { set, get: () => undefined }, inner)
  }
  assert.equal(await work(), expected)
  assert.is(ran, 0)
})

/** The descriptor with a custom op between its two layers. */
function customDescriptor() {
  const custom = structuredClone(descriptor)
  custom.nodes.splice(1, 0, { op: 'custom', name: 'c', inputs: [1], shape: [5], operands: [] })
  custom.nodes[2].inputs = [2]
  custom.output = 3
  return custom
}

test('a host may dispose of its program at any moment', async () => {
  const moments = {
    'in the function': (dispose, x) => {
      dispose()
      return { outputs: [x], fingerprint: 0 }
    },
    'in a getter of its result': (dispose, x) => ({
      get outputs() {
        dispose()
        return [x]
      },
      fingerprint: 0,
    }),
    'in a getter of its outputs': (dispose, x) => ({
      outputs: Object.defineProperty([], 0, {
        get() {
          dispose()
          return x
        },
      }),
      fingerprint: 0,
    }),
    'in the last getter': (dispose, x) => ({
      outputs: [x],
      get fingerprint() {
        dispose()
        return 0
      },
    }),
  }
  for (const [name, host] of Object.entries(moments)) {
    const custom = new native.Program(customDescriptor(), (...[, , , [x]]) => host(() => custom.dispose(), x))
    const outcome = await custom.evaluate({ dataset, batchSize: 4, threads: 1 }).catch((error) => error.code)
    assert.is(outcome, 'GRADUS_DISPOSED', name)
  }
})

test('what a late getter of a host does to an earlier output is seen before it is copied', async () => {
  const host = (...[, , , [x]]) => ({
    outputs: [x],
    get fingerprint() {
      structuredClone(x, { transfer: [x.buffer] })
      return 0
    },
  })
  const custom = new native.Program(customDescriptor(), host)
  const error = await custom.evaluate({ dataset, batchSize: 4, threads: 1 }).catch((error) => error)
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(error.message, /^outputs: expected a Float32Array of length 20, received a detached array/)
})

test('names as long as JavaScript can hold are refused with a code', () => {
  const longest = 'x'.repeat(2 ** 29 - 24)
  const works = {
    'column.name': () => new native.Dataset(1, [{ name: longest, type: 'float32', shape: [] }], null, null),
    role: () => filled().write(longest, 0, 0, new Float32Array(3)),
    arena: () => program.read(longest, 0),
    seed: () => new native.Program({ ...descriptor, seed: longest }),
    'descriptor: expected strings of at most': () => new native.Program({ ...descriptor, [longest]: 1 }),
    'descriptor.parameters\\[0\\].name': () => {
      const long = structuredClone(descriptor)
      long.parameters[0].name = longest
      return new native.Program(long)
    },
  }
  for (const [message, work] of Object.entries(works)) {
    assert.throws(work, (error) => {
      assert.match(error.code, /^GRADUS_(INVALID_ARGUMENT|BAD_DESCRIPTOR)$/, error.message)
      assert.match(error.message, new RegExp(message))
      assert.ok(error.message.length < 5000)
      return true
    })
  }
})

test('a dataset whose rows hold nothing is looked through at once', () => {
  const most = 2 ** 32 - 1
  const empty = (type) => ({ name: 'x', type, shape: [3, 0] })
  const nothing = new native.Dataset(most, [empty('float32'), empty('int32'), empty('float64')], null, null)
  assert.is(nothing.firstNonfinite('input', 0), -1)
  assert.is(nothing.firstNonfinite('input', 2), -1)
  assert.equal(nothing.range('input', 1), [0, 0])
  assert.is(nothing.read('input', 0, 0, most).length, 0)
})

test('a dataset that the system has no memory for', () => {
  const column = { name: 'x', type: 'float32', shape: [2 ** 20] }
  assert.throws(
    () => new native.Dataset(2 ** 31, [column], null, null),
    (error) => error.code === 'GRADUS_OUT_OF_MEMORY',
  )
})

test.run()
