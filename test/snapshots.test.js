// Snapshots of a state: memory used again, states that went through a file, and what their owner may do meanwhile.
import {
  adam,
  averagedWeights,
  batchNorm,
  customOptimizer,
  dense,
  dropout,
  meanSquaredError,
  relu,
  sequential,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeSafetensors, openBytes, SafetensorsReader } from '../dist/model/file.js'
import { native } from '../dist/native.js'
import { numbers } from './support/reference.js'
import { goOnFrom, plainState, stateOf } from './support/state.js'

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
      averageDecays: program.arenas.includes('average') ? new Float64Array(batches).fill(0.9) : undefined,
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
  'adam with an average': adam({ average: averagedWeights({ decay: 0.9 }) }),
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
      const state = await throughFile(await stateOf(first))
      const second = programOf(optimizer, dtype)
      await goOnFrom(second, state)
      const end = await train(second, 15)
      for (const column in expected) {
        const all = [...begin[column], ...end[column]]
        assert.ok(all.length > 0 && all.every((value, i) => Object.is(value, expected[column][i])), column)
        assert.is(all.length, expected[column].length)
      }
      assert.equal(await stateOf(second), await stateOf(calm))
    })
  }
}

const refused = async (work, message, code = 'GRADUS_INVALID_ARGUMENT') => {
  const error = await (async () => work())().catch((error) => error)
  assert.is(`${error.name} ${error.code}`, `GradusError ${code}`, error.stack)
  assert.match(error.message, message)
}

test('one snapshot is filled again and again, and is each time the state of then', async () => {
  for (const optimizer of [adam({ average: averagedWeights({ decay: 0.9 }) }), adam({ slots: 'bfloat16' })]) {
    for (const dtype of ['float32', 'float64']) {
      const program = programOf(optimizer, dtype)
      const snapshot = new native.Snapshot(program)
      assert.equal(
        snapshot.arenas,
        program.arenas.filter((name) => name !== 'gradients'),
      )
      for (let round = 0; round < 3; round++) {
        await train(program, 3)
        await program.exportState(snapshot)
        for (const arena of ['parameters', snapshot.arenas.at(-1)]) {
          const expected = program.parameters.flatMap((_, i) => [...program.read(arena, i)])
          assert.equal([...plainState(snapshot).arenas[arena]], expected)
        }
        assert.is(snapshot.step, program.step)
        assert.is(snapshot.momentumProduct, program.momentumProduct)
      }
    }
  }
})

test('several threads copy what there is, of arenas long enough to be shared and of short ones', async () => {
  for (const [optimizer, dtype] of [
    [adam({ average: averagedWeights({ decay: 0.9 }) }), 'float32'],
    [adam({ slots: 'bfloat16' }), 'float32'],
    [adam(), 'float64'],
  ]) {
    const { program } = sequential({ input: [250], dtype }, [dense(307), dense(3)]).compile({
      loss: meanSquaredError(),
      optimizer,
    })
    const snapshot = new native.Snapshot(program)
    for (const threads of [2, 3, 1]) {
      for (const arena of snapshot.arenas) {
        program.parameters.forEach(({ size }, i) => {
          program.write(arena, i, Float64Array.from(numbers(size, i + threads)))
        })
      }
      await program.exportState(snapshot, threads)
      for (const [arena, copied] of Object.entries(plainState(snapshot).arenas)) {
        const there = program.parameters.flatMap((_, i) => [...program.read(arena, i)])
        assert.ok(there.length === copied.length && there.every((value, i) => value === copied[i]), arena)
      }
    }
    for (const threads of [0, 1.5, 1025, '2', null]) {
      await refused(() => program.exportState(snapshot, threads), /^threads: expected /)
    }
    snapshot.dispose()
  }
})

test('the collector hears nothing of its memory, and two hundred of them leave none behind', async () => {
  const wide = sequential({ input: [1000] }, [dense(1000)]).compile({ loss: meanSquaredError(), optimizer: adam() })
  const { program } = wide
  const told = () => process.memoryUsage().external
  const before = told()
  const resident = []
  for (let i = 0; i < 200; i++) {
    const snapshot = new native.Snapshot(program)
    await program.exportState(snapshot)
    snapshot.dispose()
    resident.push(process.memoryUsage().rss)
  }
  assert.ok(told() - before < 1_000_000)
  // What looks for mistakes of memory keeps some of what was freed, 256 MiB at most.
  assert.ok(resident.at(-1) - resident[9] < 300_000_000, `${resident.at(-1) - resident[9]} bytes of 2,280 million stay`)
})

test('a snapshot in a call is busy until the promise is there, whatever becomes of the program', async () => {
  const program = programOf(adam())
  await train(program, 3)
  const snapshot = new native.Snapshot(program)
  const uses = {
    read: () => snapshot.read('parameters', 0, new Float32Array(1)),
    write: () => snapshot.write('parameters', 0, new Float32Array(1)),
    step: () => snapshot.step,
    'step, set': () => (snapshot.step = 3),
    watching: () => snapshot.watching,
    arenas: () => snapshot.arenas,
    dispose: () => snapshot.dispose(),
    'another export': () => programOf(adam()).exportState(snapshot),
    'an import': () => programOf(adam()).importState(snapshot),
  }
  for (const begin of [() => program.exportState(snapshot), () => program.importState(snapshot)]) {
    const call = begin()
    for (const use of Object.values(uses)) await refusedAtOnce(use, /The snapshot is in a call/, 'GRADUS_BUSY')
    await call
    uses.read()
  }
  const running = train(program, 1)
  await refused(() => program.exportState(snapshot), /The program is in a call/, 'GRADUS_BUSY')
  await running
  uses.read()
  const last = program.exportState(snapshot)
  program.dispose()
  await refused(() => last, /disposed/, 'GRADUS_DISPOSED')
  uses.read()
  await refused(() => program.exportState(snapshot), /The program was disposed/, 'GRADUS_DISPOSED')
  await refused(() => new native.Snapshot(program), /The program was disposed/, 'GRADUS_DISPOSED')
  uses.dispose()
  uses.dispose()
  await refused(uses.read, /The snapshot was disposed/, 'GRADUS_DISPOSED')
  await refused(() => programOf(adam()).exportState(snapshot), /The snapshot was disposed/, 'GRADUS_DISPOSED')
})

/** Before anything that is awaited can have come. */
async function refusedAtOnce(work, message, code) {
  let thrown
  try {
    work()
  } catch (error) {
    thrown = error
  }
  await refused(() => Promise.reject(thrown ?? new Error('it was allowed')), message, code)
}

test('names whose reading disposes of the program, or begins a call', async () => {
  const names = (act) =>
    Object.defineProperty(['parameters', 'firstMoment'], 0, {
      get() {
        act()
        return 'parameters'
      },
    })
  const gone = programOf(adam())
  await refused(
    () =>
      new native.Snapshot(
        gone,
        names(() => gone.dispose()),
      ),
    /disposed/,
    'GRADUS_DISPOSED',
  )
  const program = programOf(adam())
  const expected = await stateOf(program, ['parameters', 'firstMoment'])
  let inner
  const snapshot = new native.Snapshot(
    program,
    names(() => (inner ??= train(program, 1))),
  )
  await inner
  assert.is(program.step, 1)
  await program.exportState(snapshot)
  assert.equal(Object.keys(plainState(snapshot).arenas), Object.keys(expected.arenas))
})

test('a snapshot of another program is refused, and nothing has changed', async () => {
  const program = programOf(adam())
  await train(program, 3)
  const state = await stateOf(program)
  const others = {
    'the same parameters': sequential({ input: [4] }, [dense(10), relu(), dense(2)]).compile({
      ...{ loss: meanSquaredError(), optimizer: adam() },
    }).program,
    'the same parameters ': programOf(adam(), 'float64'),
    'the same optimizer': programOf(heavyBall),
    'the same optimizer, of all arenas': programOf(adam({ average: averagedWeights({ decay: 0.5 }) })),
  }
  for (const [what, other] of Object.entries(others)) {
    const its = new native.Snapshot(other)
    await other.exportState(its)
    const expected = new RegExp(`^snapshot: expected one of a program with ${what.trim().replace(/,.*/, '')}`)
    await refused(() => program.importState(its), expected)
    assert.equal(await stateOf(program), state)
    const before = plainState(its)
    await refused(() => program.exportState(its), /^snapshot: expected one of a program with the same/)
    assert.equal(plainState(its), before)
  }
  const numbers = [
    [0, [-1, 0.5, 2 ** 53, 1e300]],
    [4, [-11, 0.5, state.watching[0], 1e300]],
  ]
  for (const [at, values] of numbers) {
    for (const value of values) {
      const watching = state.watching.slice()
      watching[at] = value
      await refused(
        () => goOnFrom(program, { ...state, watching }),
        new RegExp(`watching\\[${at}\\]: expected .*, received`),
      )
      assert.equal(await stateOf(program), state)
    }
  }
  for (const watching of [
    [...state.watching],
    Float32Array.from(state.watching),
    undefined,
    state.watching.subarray(1),
  ]) {
    await refused(() => goOnFrom(program, { ...state, watching }), /watching: expected/)
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const watching = state.watching.slice()
    watching[4] = value
    await refused(() => goOnFrom(program, { ...state, watching }), /watching/)
  }
  assert.equal(await stateOf(program), state)
})

test.run()
