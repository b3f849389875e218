// The native surface itself, as lib/ would never use it: every mistake is one coded error that names what is wrong, and
// nothing of the program is lost by it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import {
  call,
  dataset,
  descriptor,
  filled,
  label,
  oneRate,
  program,
  real,
  refused,
  rows,
  state,
  stillTrains,
} from './support/small-program.js'

const test = suite('native surface')
test.after.each(stillTrains)

const detached = (array) => {
  structuredClone(array, { transfer: [array.buffer] })
  return array
}

test('call options of the wrong type or out of range', async () => {
  const cases = {
    dataset: [undefined, null, 5, {}, program, Object.create(dataset), new Proxy(dataset, {})],
    shuffle: [undefined, 1, 'yes', null],
    epoch: [undefined, -1, 0.5, Number.NaN, 2 ** 53, '1', 1n],
    firstRow: [-1, rows + 1, Number.POSITIVE_INFINITY],
    batchSize: [0, -3, 1.5, Number.NaN, '4', null, undefined],
    batches: [0, undefined, {}],
    accumulate: [0, null, 1.5],
    learningRates: [
      undefined,
      [0.1],
      new Float32Array(1),
      new Float64Array(2),
      new Float64Array(0),
      detached(oneRate()),
    ],
    metricSums: [null, [1], new Float32Array(1), new Float64Array(1), detached(new Float64Array(1))],
    averageDecays: [null, new Float64Array(2), Float64Array.of(1.5), Float64Array.of(-0.5), Float64Array.of(0.5)],
    momenta: [null, new Float64Array(2), new Float64Array([Number.NaN])],
    weightDecays: [null, new Float64Array(2), new Float64Array([-0.1])],
    clipNorm: [0, -1, Number.NaN, null],
    clipValue: [0, '1'],
    maxRefused: [0, -1],
    tensorStatistics: [1, null],
    inspectEvery: [-1, 0.5, '50', null],
    inspectHistograms: [1, null],
    threads: [0, 1025, undefined, Number.NaN],
  }
  for (const [name, values] of Object.entries(cases)) {
    for (const value of values) await refused(() => program.train(call({ [name]: value })), new RegExp(`^${name}`))
  }
  await refused(() => program.train(call({ learningRates: new Float64Array([-1]) })), /^learningRates: .* received -1/)
  await refused(() => program.train(call({ learningRates: new Float64Array([Number.NaN]) })), /^learningRates\[0\]/)
  const shared = new Float64Array(new SharedArrayBuffer(8))
  await refused(() => program.train(call({ learningRates: shared })), /^learningRates: .*SharedArrayBuffer/)
  for (const wrong of [undefined, null, 5, 'call', [], () => {}]) {
    for (const method of ['train', 'evaluate', 'predict', 'gradient']) {
      await refused(() => program[method](wrong), /^call: expected an object/)
    }
  }
})

test('sizes that overflow', async () => {
  const most = Number.MAX_SAFE_INTEGER
  const large = 'GRADUS_TOO_LARGE'
  await refused(() => program.train(call({ batchSize: most, accumulate: most })), /overflows/, large)
  await refused(() => new native.Dataset(most, [real], label, null), /./, large)
  await refused(() => new native.Dataset(2 ** 32, [], null, null), /examples/, large)
  await refused(() => new native.Dataset(2, [{ ...real, shape: [most, most] }], null, null), /./, large)
  await refused(
    () => new native.Dataset(2 ** 31, [{ ...real, shape: [2 ** 20] }], null, null),
    /no memory/,
    'GRADUS_OUT_OF_MEMORY',
  )
  const huge = structuredClone(descriptor)
  huge.inputs[0].shape = [2 ** 40, 2 ** 40]
  await refused(() => new native.Program(huge), /./, large)
  const weights = structuredClone(descriptor)
  weights.parameters[0].shape = [2 ** 40, 2 ** 40]
  await refused(() => new native.Program(weights), /./, large)
  // A batch larger than the data is the data.
  assert.is((await program.train(call({ batchSize: most }))).rows, rows)
})

test('datasets: columns, slices and rows that do not fit', async () => {
  const Dataset = native.Dataset
  const columns = {
    'column.name': [{ ...real, name: 5 }],
    'column.type': [
      { ...real, type: 'float16' },
      { ...real, type: undefined },
    ],
    'column.shape': [
      { ...real, shape: 3 },
      { ...real, shape: [-1] },
      { ...real, shape: [1.5] },
      { ...real, shape: ['3'] },
    ],
    'column.scale': [{ ...real, scale: Number.NaN }],
    'column.offset': [{ ...real, offset: '0' }],
    'inputs\\[0\\]': [null, 5, [], undefined],
  }
  for (const [name, wrong] of Object.entries(columns)) {
    for (const column of wrong) await refused(() => new Dataset(2, [column], null, null), new RegExp(`^${name}`))
  }
  await refused(() => new Dataset(-1, [real], null, null), /^examples/)
  await refused(() => new Dataset(2, { 0: real, length: 1 }, null, null), /^inputs/)
  await refused(() => new Dataset(2, [real], 'y', null), /^target/)
  const x = new Float32Array(3)
  const writes = [
    [['output', 0, 0, x], /^role/],
    [['input', 1, 0, x], /^column/],
    [['weight', 0, 0, x], /^column/],
    [['input', 0, -1, x], /^first/],
    [['input', 0, rows * 3 - 2, x], /^x: expected at most 36 elements/],
    [['input', 0, 2 ** 53 - 1, x], /^x: expected at most 36 elements/],
    [['input', 0, 0, new Float64Array(3)], /^data: expected a Float32Array/],
    [['input', 0, 0, [1, 2, 3]], /^data/],
    [['input', 0, 0, new DataView(new ArrayBuffer(12))], /^data/],
    [['input', 0, 0, detached(new Float32Array(3))], /^data: .*detached/],
    [['input', 0, 0, new Float32Array(new SharedArrayBuffer(12))], /^data: .*SharedArrayBuffer/],
  ]
  for (const [arguments_, message] of writes) await refused(() => dataset.write(...arguments_), message)
  const reads = [
    [['output', 0, 0, 1], /^role/],
    [['input', 1, 0, 1], /^column/],
    [['weight', 0, 0, 1], /^column/],
    [['input', 0, -1, 1], /^firstRow/],
    [['input', 0, 0.5, 1], /^firstRow/],
    [['input', 0, rows + 1, 0], /^firstRow: expected at most the 12 rows/],
    [['input', 0, 0, rows + 1], /^rows: expected at most the 12 rows/],
    [['input', 0, 10, 3], /^rows: expected at most the 2 rows/],
    [['input', 0, 1, 2 ** 53 - 1], /^rows/],
    [['input', 0, 0, undefined], /^rows/],
    [['input', 0, 0, '1'], /^rows/],
  ]
  for (const [arguments_, message] of reads) await refused(() => dataset.read(...arguments_), message)
  for (const wrong of [[0], new Int32Array(1), undefined, detached(new Uint32Array(1))]) {
    await refused(() => dataset.subset(wrong), /^rows/)
  }
  await refused(() => dataset.subset(Uint32Array.of(0, rows)), /^rows: .*received 12/)
  await refused(() => dataset.subset(Uint32Array.of(3)).subset(Uint32Array.of(1)), /^rows: expected numbers below 1/)
  await refused(() => dataset.range('input', 0), /^column: expected a column of type int32/)
})

test('memory that shrinks counts with its length of now', async () => {
  const buffer = new ArrayBuffer(rows * 12, { maxByteLength: rows * 12 })
  const tracking = new Float32Array(buffer)
  const fixed = new Float32Array(buffer, 0, rows * 3)
  const copy = filled()
  buffer.resize(8)
  copy.write('input', 0, 0, tracking)
  copy.write('input', 0, 0, fixed)
  assert.equal([tracking.length, fixed.length], [2, 0])
  const { data } = { data: await program.predict({ dataset: copy, batchSize: 5, threads: 1 }) }
  assert.is(data.length, rows * 4)
})

test('data that do not fit the program', async () => {
  const made = (inputs, target = label, weight = null) => new native.Dataset(4, inputs, target, weight)
  const mismatch = 'GRADUS_SHAPE_MISMATCH'
  const cases = [
    [made([]), /expected 1 inputs/],
    [made([real, real]), /expected 1 inputs/],
    [made([{ ...real, shape: [4] }]), /^x: expected shape \[3\], received \[4\]/],
    [made([real], null), /a target column/],
    [made([real], { ...label, shape: [2] }), /^y: /],
    [made([real], { ...real, name: 'y', shape: [3] }), /^y: expected shape \[4\]/],
    [made([real], label, { ...real, name: 'w', shape: [2] }), /^w: expected one weight a row/],
  ]
  for (const [wrong, message] of cases) {
    await refused(() => program.train(call({ dataset: wrong })), message, mismatch)
    await refused(() => program.evaluate({ dataset: wrong, batchSize: 2, threads: 1 }), message, mismatch)
  }
  await refused(() => program.train(call({ classWeights: new Float64Array(3) })), /^classWeights/)
})

test('a label out of range is found before the first update of the call', async () => {
  for (const bad of [-1, 4, 2 ** 31 - 1, -(2 ** 31)]) {
    const labels = Array.from({ length: rows }, (_, i) => (i === rows - 1 ? bad : i % 4))
    const wrong = filled(labels)
    const expected = new RegExp(`^y: expected numbers from 0 to 3, received ${bad}`)
    const whole = { dataset: wrong, batches: 3, learningRates: new Float64Array(3).fill(0.1) }
    await refused(() => program.train(call(whole)), expected)
    await refused(() => program.evaluate({ dataset: wrong, batchSize: 4, threads: 1 }), expected)
    await refused(
      () => program.gradient({ dataset: wrong, training: true, randomness: true, term: 'total', threads: 1 }),
      expected,
    )
    // The rows before it are good, and so is the dataset once it is written right.
    const view = wrong.subset(Uint32Array.from({ length: rows - 1 }, (_, i) => i))
    assert.is((await program.evaluate({ dataset: view, batchSize: 4, threads: 1 })).weight, rows - 1)
    wrong.write('target', 0, rows - 1, Int32Array.of(3))
    assert.is((await program.evaluate({ dataset: wrong, batchSize: 4, threads: 1 })).weight, rows)
  }
})

test('passes and probes: their options', async () => {
  const pass = { dataset, training: true, randomness: false, threads: 1 }
  const points = { tensors: Float64Array.of(0), elements: Float64Array.of(0), offsets: Float64Array.of(0.1) }
  const cases = {
    dataset: [undefined, 5, {}],
    training: [undefined, 1],
    randomness: [undefined, 'off'],
    threads: [undefined, 0, 1025],
  }
  for (const [name, values] of Object.entries(cases)) {
    for (const value of values) {
      const wrong = { ...pass, ...points, term: 'data', vector: new Float64Array(44), [name]: value }
      for (const method of ['gradient', 'hessianVector', 'probe', 'inspect']) {
        await refused(() => program[method](wrong), new RegExp(`^${name}`))
      }
    }
  }
  for (const term of [undefined, 'all', 3]) await refused(() => program.gradient({ ...pass, term }), /^term/)
  const product = (vector, term = 'data') => program.hessianVector({ ...pass, term, vector })
  for (const term of ['all', 3]) await refused(() => product(new Float64Array(44), term), /^term/)
  const few = /^vector: expected one element for each of the 44 trainable ones, received 43/
  await refused(() => product(new Float64Array(43)), few)
  for (const vector of [undefined, [1], new Float32Array(44), detached(new Float64Array(44))]) {
    await refused(() => product(vector), /^vector: expected a Float64Array/)
  }
  await refused(() => product(new Float64Array(44).fill(Number.NaN)), /^vector\[0\]/)
  assert.equal(await product(new Float64Array(44)), new Float64Array(44))
  const probe = (change) => () => program.probe({ ...pass, ...points, ...change })
  await refused(probe({ offsets: [0.1] }), /^offsets/)
  await refused(probe({ tensors: Float64Array.of(0, 1) }), /^tensors: expected a Float64Array of length 1/)
  await refused(probe({ tensors: Float64Array.of(0.5) }), /^tensors/)
  await refused(probe({ tensors: Float64Array.of(-1) }), /^tensors/)
  await refused(probe({ tensors: Float64Array.of(2 ** 52) }), /^tensors: there is no real tensor/)
  await refused(probe({ elements: Float64Array.of(15) }), /^elements: .* a tensor of 15 elements/)
  await refused(probe({ elements: Float64Array.of(Number.NaN) }), /^elements/)
  await refused(probe({ direction: new Float64Array(3) }), /^elements: .* a direction/)
  for (const input of [0, 1, -1, 'x']) await refused(() => program.inputGradient(input), /^input/)
  await refused(probe({ offsets: Float64Array.of(Number.NaN) }), /^offsets\[0\]/)
  const { kind, ...input } = descriptor.inputs[0]
  const words = { ...descriptor, inputs: [{ ...input, kind: 'index', differentiated: true }] }
  await refused(() => new native.Program(words), /differentiated/, 'GRADUS_BAD_DESCRIPTOR')
  for (const host of [5, {}, null]) await refused(() => new native.Program(descriptor, host), /^host/)
})

test('a custom op without a host, and a host that gives nonsense', async () => {
  const custom = structuredClone(descriptor)
  custom.nodes.splice(1, 0, { op: 'custom', name: 'c', inputs: [1], shape: [5], operands: [] })
  custom.nodes[2].inputs = [2]
  custom.output = 3
  const run = (host) => new native.Program(custom, host).evaluate({ dataset, batchSize: 4, threads: 1 })
  await refused(() => run(), /^c: a custom op needs a host/, 'GRADUS_BAD_DESCRIPTOR')
  for (const result of [undefined, 5, {}, { outputs: 5 }, { outputs: [] }, { outputs: [new Float64Array(20)] }]) {
    await refused(() => run(() => result), /^(result|outputs): expected/)
  }
  await refused(() => run((...[, , , [x]]) => ({ outputs: [x], fingerprint: -1 })), /^fingerprint/)
  assert.ok((await run((...[, , , [x]]) => ({ outputs: [x], fingerprint: 0 }))).loss > 0)
  custom.nodes[1].operands = [99]
  await refused(() => new native.Program(custom), /operands: there is no parameter 99/, 'GRADUS_BAD_DESCRIPTOR')
})

test('busy: one call at a time, and no change of what it works on', async () => {
  const before = state()
  const data = filled()
  const promise = program.train(call({ dataset: data }))
  const busy = (work) => assert.throws(work, (error) => error.name === 'GradusError' && error.code === 'GRADUS_BUSY')
  assert.ok(program.busy)
  busy(() => program.train(call()))
  busy(() => program.evaluate({ dataset, batchSize: 4, threads: 1 }))
  busy(() => program.predict({ dataset, batchSize: 4, threads: 1 }))
  busy(() => program.predictRows(1, 1, new Float32Array(4), new Float32Array(3)))
  busy(() => program.read('parameters', 0))
  busy(() => program.write('parameters', 0, before[0]))
  busy(() => program.step)
  busy(() => {
    program.step = 0
  })
  busy(() => data.write('target', 0, 0, Int32Array.of(99)))
  busy(() => data.subset(Uint32Array.of(0)).write('target', 0, 0, Int32Array.of(99)))
  assert.is((await promise).updates, 1)
  assert.not(program.busy)
  data.write('target', 0, 0, Int32Array.of(1))
})

test('methods on objects that are none of theirs', () => {
  const { train, read } = native.Program.prototype
  const { write } = native.Dataset.prototype
  const illegal = (work) => assert.throws(work, (error) => error instanceof TypeError && /Illegal/.test(error.message))
  for (const self of [undefined, null, 5, {}, dataset, Object.create(program), new Proxy(program, {})]) {
    illegal(() => train.call(self, call()))
    illegal(() => read.call(self, 'parameters', 0))
  }
  illegal(() => write.call(program, 'input', 0, 0, new Float32Array(3)))
  assert.throws(() => native.Program(descriptor), /new/)
})

test('parameters, arenas and steps that are not there', async () => {
  const values = program.read('parameters', 0)
  const cases = [
    [() => program.read('weights', 0), /^arena: expected one of parameters, gradients, velocity/],
    [() => program.read(5, 0), /^arena/],
    [() => program.read('parameters', 4), /^parameter: expected one of the 4/],
    [() => program.read('parameters', -1), /^parameter/],
    [() => program.write('parameters', 0, values.subarray(1)), /^data: .*length 15/],
    [() => program.write('parameters', 0, [...values]), /^data/],
    [() => program.write('parameters', 0, new Int32Array(15)), /^data/],
    [() => program.write('parameters', 0, detached(new Float32Array(15))), /^data: .*detached/],
  ]
  for (const [work, message] of cases) await refused(work, message)
  for (const wrong of [-1, 0.5, '3', Number.NaN]) {
    await refused(() => {
      program.step = wrong
    }, /^step/)
  }
})

test('getters that throw, or act on what is being read', async () => {
  const planned = new Error('planned')
  const throwing = (target, name) =>
    Object.defineProperty(target, name, {
      get() {
        throw planned
      },
    })
  for (const name of Object.keys(call())) {
    assert.throws(
      () => program.train(throwing(call(), name)),
      (error) => error === planned,
    )
    assert.not(program.busy)
  }
  for (const name of Object.keys(descriptor)) {
    assert.throws(
      () => new native.Program(throwing({ ...descriptor }, name)),
      (error) => error === planned,
    )
  }
  // A call begun by a getter makes the program busy before the outer call would begin.
  let inner
  const nested = Object.defineProperty(call(), 'threads', {
    get() {
      inner = program.train(call())
      return 1
    },
  })
  assert.throws(
    () => program.train(nested),
    (error) => error.code === 'GRADUS_BUSY',
  )
  assert.is((await inner).updates, 1)
  // A dataset disposed by a later getter has been taken by then.
  const data = filled()
  const disposing = Object.defineProperty(call({ dataset: data }), 'threads', {
    get() {
      data.dispose()
      return 1
    },
  })
  assert.is((await program.train(disposing)).updates, 1)
  await refused(() => program.train(call({ dataset: data })), /disposed/, 'GRADUS_DISPOSED')
  // An array of columns that grows and shrinks while it is read.
  const columns = [real, real]
  Object.defineProperty(columns, 0, {
    get() {
      columns.length = 1
      return real
    },
  })
  assert.is(new native.Dataset(2, columns, null, null).size, 2)
})

test('a disposed program or dataset', async () => {
  const disposed = new native.Program(descriptor)
  disposed.dispose()
  const gone = filled()
  gone.dispose()
  gone.dispose()
  const works = [
    ...['dtype', 'parameters', 'arenas', 'outputShape', 'metricWidths', 'step'].map((name) => () => disposed[name]),
    () => disposed.read('parameters', 0),
    () => disposed.write('parameters', 0, new Float32Array(15)),
    () => disposed.train(call()),
    () => gone.size,
    () => gone.write('input', 0, 0, new Float32Array(3)),
    () => gone.subset(Uint32Array.of(0)),
    () => gone.range('target', 0),
    () => gone.read('input', 0, 0, 1),
    () => disposed.inspection,
    () => program.predict({ dataset: gone, batchSize: 1, threads: 1 }),
  ]
  for (const work of works) await refused(work, /disposed/, 'GRADUS_DISPOSED')
  assert.is(disposed.stop(), undefined, 'whoever stops a call need not know that it is over')
})

test.run()
