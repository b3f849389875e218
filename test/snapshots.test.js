// States that are taken while training goes on: memory used again, states that went through a file, and what the owner of
// arrays and getters may do meanwhile.
import { spawnSync } from 'node:child_process'
import { adam, batchNorm, customOptimizer, dense, dropout, meanSquaredError, relu, sequential } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeSafetensors, openBytes, SafetensorsReader } from '../dist/model/file.js'
import { native } from '../dist/native.js'
import { numbers } from './support/reference.js'

const test = suite('snapshots')
const rows = 24
const dataset = new native.Dataset(
  rows,
  [{ name: 'x', type: 'float64', shape: [4] }],
  { name: 'y', type: 'float64', shape: [2] },
  null,
)
dataset.write('input', 0, 0, Float64Array.from(numbers(rows * 4, 1)))
dataset.write('target', 0, 0, Float64Array.from(numbers(rows * 2, 2)))

/** Two rows a step, so that some units of the relu fire once in a while. */
const compiled = (optimizer, dtype = 'float32') =>
  sequential({ input: [4], seed: 3, dtype }, [dense(9), relu(), batchNorm(), dropout(0.2), dense(2)]).compile({
    loss: meanSquaredError(),
    optimizer,
  })
const programOf = (...of) => compiled(...of).program

/** Goes on by so many updates, epoch after epoch, each looked at; what was seen, column by column. */
async function train(program, updates) {
  const seen = { steps: [], refused: [], values: [] }
  for (const end = program.step + updates; program.step < end; ) {
    const first = program.step
    const batches = Math.min(end - first, 12 - (first % 12))
    const { inspections } = await program.train({
      ...{ dataset, shuffle: true, epoch: Math.floor(first / 12), firstRow: (first % 12) * 2, batchSize: 2, batches },
      ...{ threads: 1, inspectEvery: 1, inspectHistograms: true },
      learningRates: new Float64Array(batches).fill(0.05),
      momenta: Float64Array.from({ length: batches }, (_, i) => 0.5 + 0.01 * (first + i)),
    })
    for (const column in seen) seen[column].push(...inspections[column])
  }
  return seen
}

/** As a checkpoint keeps it: arenas as tensors, the rest as JSON. */
async function throughFile({ arenas, watching, ...others }) {
  const tensors = Object.entries(arenas).map(([name, data]) => ({ name, shape: [data.length], data }))
  const text = JSON.stringify({ ...others, watching: [...watching] })
  const reader = await SafetensorsReader.open(await openBytes(await encodeSafetensors(tensors, { state: text })))
  const read = {}
  for (const name of reader.header.tensors.keys()) {
    for await (const { data } of reader.pieces(name)) read[name] = data.slice()
  }
  const state = JSON.parse(reader.header.metadata.state)
  return { ...state, watching: Float64Array.from(state.watching), arenas: read }
}

const heavyBall = customOptimizer({
  name: 'heavyBall',
  slots: ['velocity'],
  update(gradient, { slots: { velocity }, learningRate, step }) {
    gradient.forEach((g, i) => {
      velocity[i] = 0.9 * velocity[i] - (learningRate * g) / (1 + step)
    })
    return velocity
  },
})
const optimizers = {
  adam: adam(),
  'adam with an average': adam({ averageDecay: 0.9 }),
  'adam in bfloat16': adam({ slots: 'bfloat16' }),
  'one of its own': heavyBall,
}

for (const [name, optimizer] of Object.entries(optimizers)) {
  for (const dtype of ['float32', 'float64']) {
    test(`${name}, ${dtype}: 10 steps, a file and 15 more are 25 steps, dead units among what is seen`, async () => {
      const calm = programOf(optimizer, dtype)
      const expected = await train(calm, 25)
      const first = programOf(optimizer, dtype)
      const begin = await train(first, 10)
      const state = await throughFile(await first.exportState())
      const second = programOf(optimizer, dtype)
      await second.importState(state)
      const end = await train(second, 15)
      for (const column in expected) {
        const all = [...begin[column], ...end[column]]
        assert.ok(all.length > 0 && all.every((value, i) => Object.is(value, expected[column][i])), column)
        assert.is(all.length, expected[column].length)
      }
      assert.equal(await second.exportState(), await calm.exportState())
    })
  }
}

const bytes = (state) => Object.entries(state.arenas).map(([name, array]) => [name, Buffer.from(array.buffer)])
const isEmpty = (array) => array.length === 0 && array.buffer.byteLength === 0
const refused = async (work, message, code = 'GRADUS_INVALID_ARGUMENT') => {
  const error = await (async () => work())().catch((error) => error)
  assert.is(`${error.name} ${error.code}`, `GradusError ${code}`, error.stack)
  assert.match(error.message, message)
}

test('the memory of an earlier state is used again, and its own arrays are empty from the call on', async () => {
  for (const optimizer of [adam({ averageDecay: 0.9 }), adam({ slots: 'bfloat16' })]) {
    for (const dtype of ['float32', 'float64']) {
      const program = programOf(optimizer, dtype)
      let earlier = await program.exportState()
      for (let round = 0; round < 3; round++) {
        await train(program, 3)
        const expected = await program.exportState()
        const promise = program.exportState(undefined, earlier)
        assert.ok(Object.values(earlier.arenas).every(isEmpty))
        earlier = await promise
        assert.equal(earlier, expected)
        assert.equal(bytes(earlier), bytes(expected))
      }
    }
  }
})

test('twenty copies take the memory of one', async () => {
  const wide = sequential({ input: [1000] }, [dense(1000)]).compile({ loss: meanSquaredError(), optimizer: adam() })
  let state = await wide.program.exportState()
  const { arrayBuffers } = process.memoryUsage()
  let most = 0
  for (let i = 0; i < 20; i++) {
    state = await wide.program.exportState(undefined, state)
    most = Math.max(most, process.memoryUsage().arrayBuffers - arrayBuffers)
  }
  assert.ok(most < 4_000_000, `${most} bytes more, of 12 million a copy`)
})

test('arrays that are not there, or whose memory has gone elsewhere, are made anew', async () => {
  const program = programOf(adam())
  await train(program, 3)
  const expected = await program.exportState()
  const some = await program.exportState(['secondMoment'])
  assert.equal(await program.exportState(undefined, some), expected)
  assert.ok(isEmpty(some.arenas.secondMoment))
  const sent = await program.exportState()
  const elsewhere = structuredClone(sent.arenas.parameters, { transfer: [sent.arenas.parameters.buffer] })
  const next = await program.exportState(undefined, sent)
  assert.equal(next, expected)
  assert.equal(elsewhere, expected.arenas.parameters)
  // One memory under two names is given once.
  const { firstMoment } = next.arenas
  assert.equal(await program.exportState(undefined, { arenas: { firstMoment, secondMoment: firstMoment } }), expected)
  assert.equal(await program.exportState(['parameters'], {}.arenas), { ...expected, arenas: { parameters: elsewhere } })
})

test('memory that cannot be taken away stays where it is', async () => {
  const { program } = sequential({ input: [128] }, [dense(128, { bias: false })]).compile({
    loss: meanSquaredError(),
    optimizer: adam(),
  })
  const expected = await program.exportState()
  const foreign = new Float32Array(new WebAssembly.Memory({ initial: 1 }).buffer).fill(7)
  assert.is(foreign.length, expected.arenas.parameters.length)
  assert.equal(await program.exportState(undefined, { arenas: { parameters: foreign } }), expected)
  assert.ok(foreign.every((value) => value === 7))
})

test('what is no earlier state is refused by name, and keeps its memory', async () => {
  const program = programOf(adam())
  const { length } = (await program.exportState()).arenas.parameters
  const whole = () => new Float32Array(length)
  const wrong = [
    [null, /^into: expected an object, received null/],
    [[whole()], /^into: /],
    [{}, /^into\.arenas: expected an object, received undefined/],
    [{ arenas: whole() }, /^into\.arenas: /],
    [{ arenas: { firstMoment: [1] } }, /^into\.arenas\.firstMoment: .*received an array of length 1/],
    [{ arenas: { firstMoment: null } }, /^into\.arenas\.firstMoment: /],
    [{ arenas: { firstMoment: new Float64Array(length) } }, /^into\.arenas\.firstMoment: expected a Float32Array of/],
    [{ arenas: { firstMoment: whole().subarray(1) } }, /^into\.arenas\.firstMoment: /],
    [{ arenas: { firstMoment: new Float32Array(length + 1).subarray(1) } }, /memory of its own/],
    [{ arenas: { firstMoment: new Float32Array(new SharedArrayBuffer(length * 4)) } }, /SharedArrayBuffer/],
  ]
  for (const [into, message] of wrong) {
    const parameters = whole()
    if (into?.arenas?.firstMoment !== undefined) into.arenas.parameters = parameters
    await refused(() => program.exportState(undefined, into), message)
    assert.is(parameters.length, length)
    assert.not(program.busy)
  }
  const earlier = await program.exportState()
  const running = train(program, 1)
  await refused(() => program.exportState(undefined, earlier), /in a call/, 'GRADUS_BUSY')
  await running
  program.dispose()
  await refused(() => program.exportState(undefined, earlier), /disposed/, 'GRADUS_DISPOSED')
  assert.not(Object.values(earlier.arenas).some(isEmpty))
})

/** A copy with a getter in the place of one property, which acts and gives what was there. */
const acting = (object, name, act) =>
  Object.defineProperty(Array.isArray(object) ? [...object] : { ...object }, name, {
    get() {
      act()
      return object[name]
    },
  })

test('getters that dispose of the program while a state is read', async () => {
  const calls = {
    'a name': (program, _, dispose) => program.exportState(acting(['parameters', 'firstMoment'], 0, dispose)),
    into: (program, state, dispose) => program.exportState(undefined, acting(state, 'arenas', dispose)),
    'into, an arena': (program, { arenas }, dispose) =>
      program.exportState(undefined, { arenas: acting(arenas, 'firstMoment', dispose) }),
    'a step': (program, state, dispose) => program.importState(acting(state, 'step', dispose)),
    arenas: (program, state, dispose) => program.importState(acting(state, 'arenas', dispose)),
    'an arena': (program, state, dispose) =>
      program.importState({ ...state, arenas: acting(state.arenas, 'parameters', dispose) }),
  }
  for (const [name, run] of Object.entries(calls)) {
    const program = programOf(adam())
    const state = await program.exportState()
    await refused(() => run(program, state, () => program.dispose()), /disposed/, 'GRADUS_DISPOSED')
    assert.not(Object.values(state.arenas).some(isEmpty), name)
    // A call that a getter begins comes first.
    const other = programOf(adam())
    let inner
    await refused(() => run(other, state, () => (inner ??= train(other, 1))), /in a call/, 'GRADUS_BUSY')
    assert.not(Object.values(state.arenas).some(isEmpty), name)
    await inner
    assert.is(other.step, 1)
  }
})

test('getters that give memory away while a state is read', async () => {
  const program = programOf(adam())
  const expected = await train(program, 3).then(() => program.exportState())
  const detach = (array) => structuredClone(array, { transfer: [array.buffer] })
  // Taken before, another's is made anew.
  const into = await program.exportState()
  const detaching = { arenas: acting(into.arenas, 'secondMoment', () => detach(into.arenas.parameters)) }
  assert.equal(await program.exportState(undefined, detaching), expected)
  // Copied before, or gone.
  const late = await program.exportState()
  await program.importState({
    ...late,
    arenas: acting(late.arenas, 'secondMoment', () => detach(late.arenas.parameters)),
  })
  const early = await program.exportState()
  await refused(
    () =>
      program.importState({
        ...early,
        arenas: acting(early.arenas, 'parameters', () => detach(early.arenas.secondMoment)),
      }),
    /^state\.arenas\.secondMoment: .*detached/,
  )
  assert.equal(await program.exportState(), expected)
})

test('whatever is put in the place of what moves memory, before or after the import', async () => {
  const program = programOf(adam())
  const expected = await program.exportState()
  const { structuredClone: before } = globalThis
  const iterate = Array.prototype[Symbol.iterator]
  try {
    globalThis.structuredClone = () => assert.unreachable('not ours')
    Array.prototype[Symbol.iterator] = () => {
      throw new Error('planned')
    }
    let state = await program.exportState()
    for (let i = 0; i < 2; i++) state = await program.exportState(undefined, state)
    globalThis.structuredClone = before
    Array.prototype[Symbol.iterator] = iterate
    assert.equal(state, expected)
  } finally {
    globalThis.structuredClone = before
    Array.prototype[Symbol.iterator] = iterate
  }
  const script = `
    delete globalThis.structuredClone
    const { program } = await import(${JSON.stringify(new URL('./support/small-program.js', import.meta.url))})
    const state = await program.exportState(undefined, await program.exportState())
    process.stdout.write(String(state.arenas.parameters.length))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script])
  assert.is(status, 0, String(stderr))
  assert.ok(Number(stdout) > 0)
})

test('arrays of a state that is being read into a program may be given away at once', async () => {
  const from = programOf(adam())
  await train(from, 5)
  const expected = await from.exportState()
  const state = await from.exportState()
  const to = programOf(adam())
  const promise = to.importState(state)
  for (const array of Object.values(state.arenas)) structuredClone(array, { transfer: [array.buffer] })
  await promise
  assert.equal(await to.exportState(), expected)
})

test('a state of another program is refused, and nothing has changed', async () => {
  const program = programOf(adam())
  await train(program, 3)
  const state = await program.exportState()
  const others = {
    'one with more units': sequential({ input: [4] }, [dense(10), relu(), dense(2)]).compile({
      ...{ loss: meanSquaredError(), optimizer: adam() },
    }).program,
    'one of its own': programOf(heavyBall),
  }
  for (const other of Object.values(others)) {
    const its = await other.exportState()
    await refused(() => program.importState(its), /^state\.arenas\.(parameters|firstMoment): expected/)
    assert.equal(await program.exportState(), state)
  }
  const watching = (change) => {
    const changed = state.watching.slice()
    change(changed)
    return { ...state, watching: changed }
  }
  const numbers = [
    [0, [Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5, 2 ** 53, 1e300]],
    [4, [Number.NaN, Number.NEGATIVE_INFINITY, -11, 0.5, state.watching[0], 1e300]],
  ]
  for (const [at, values] of numbers) {
    for (const value of values) {
      const wrong = watching((changed) => (changed[at] = value))
      await refused(() => program.importState(wrong), new RegExp(`watching\\[${at}\\]: expected .*, received`))
      assert.equal(await program.exportState(), state)
    }
  }
  for (const wrong of [[...state.watching], Float32Array.from(state.watching), undefined, state.watching.subarray(1)]) {
    await refused(() => program.importState({ ...state, watching: wrong }), /watching: expected/)
  }
  assert.equal(await program.exportState(), state)
})

test.run()
