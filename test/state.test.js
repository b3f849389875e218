// A program's state leaves it and comes back whole: a run that goes on from it ends with the same bits.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  averagedWeights,
  batchNorm,
  dense,
  linearRamp,
  loadModel,
  meanSquaredError,
  nadam,
  relu,
  sequential,
} from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { numbers } from './support/reference.js'
import { goOnFrom, plainState, stateOf } from './support/state.js'

const rows = 24
const dataset = new native.Dataset(
  rows,
  [{ name: 'x', type: 'float64', shape: [4] }],
  { name: 'y', type: 'float64', shape: [2] },
  null,
)
dataset.write('input', 0, 0, Float64Array.from(numbers(rows * 4, 1)))
dataset.write('target', 0, 0, Float64Array.from(numbers(rows * 2, 2)))

const compiled = (optimizer, dtype = 'float32') =>
  sequential({ input: [4], seed: 3, dtype }, [dense(9), relu(), batchNorm(), dense(2)]).compile({
    loss: meanSquaredError(),
    optimizer,
  })
const programOf = (...of) => new native.Program(compiled(...of).descriptor)

/** Epochs of three updates under a schedule of momenta, each looked at. */
async function train(program, epochs) {
  const looks = []
  for (const epoch of epochs) {
    const { inspections } = await program.train({
      ...{ dataset, shuffle: true, epoch, firstRow: 0, batchSize: 8, batches: 3, threads: 1, inspectEvery: 1 },
      learningRates: new Float64Array(3).fill(0.05),
      momenta: Float64Array.of(0.5, 0.7, 0.9).map((momentum) => momentum + 0.01 * epoch),
      averageDecays: program.arenas.includes('average') ? Float64Array.of(0.9, 1, 0.8) : undefined,
    })
    looks.push(...inspections.values)
  }
  return looks
}

for (const [name, optimizer] of [
  ['adam', adam({ average: averagedWeights({ decay: 0.9 }) })],
  ['adam in bfloat16', adam({ slots: 'bfloat16' })],
  ['nadam', nadam()],
]) {
  for (const dtype of ['float32', 'float64']) {
    test(`${name}, ${dtype}: exported and imported, training goes on to the same bits and sees the same`, async () => {
      const calm = programOf(optimizer, dtype)
      await train(calm, [0, 1, 2, 3])
      const expected = await train(calm, [4, 5])
      const first = programOf(optimizer, dtype)
      await train(first, [0, 1, 2, 3])
      const state = await stateOf(first)
      const second = programOf(optimizer, dtype)
      await goOnFrom(second, state)
      assert.equal(await train(second, [4, 5]), expected)
      assert.equal(await stateOf(second), await stateOf(calm))
    })
  }
}

test('the product of momenta is that of the schedule, and begins anew with a step that is set', async () => {
  const program = programOf(adam())
  await train(program, [0])
  assert.ok(Math.abs(program.momentumProduct - 0.5 * 0.7 * 0.9) < 1e-15)
  program.step = 2
  assert.ok(Math.abs(program.momentumProduct - 0.9 ** 2) < 1e-15)
  for (const product of [-0.1, 1.1, Number.NaN, '1']) {
    assert.throws(
      () => (program.momentumProduct = product),
      ({ code }) => code === 'GRADUS_INVALID_ARGUMENT',
    )
  }
})

const refused = async (work, message, code = 'GRADUS_INVALID_ARGUMENT') => {
  const error = await (async () => work())().catch((error) => error)
  assert.is(`${error.name} ${error.code}`, `GradusError ${code}`, error.stack)
  assert.match(error.message, message)
}

test('numbers and elements that no snapshot has are refused by name, and nothing has changed', async () => {
  const program = programOf(adam())
  await train(program, [0])
  const snapshot = new native.Snapshot(program)
  await program.exportState(snapshot)
  const before = plainState(snapshot)
  const whole = new Float32Array(snapshot.length)
  const wrong = [
    [() => (snapshot.step = -1), /^step: expected/],
    [() => (snapshot.step = 2 ** 48), /^step: expected at most 281474976710655/],
    [() => (snapshot.momentumProduct = 2), /^momentumProduct: /],
    [() => (snapshot.watching = [1]), /^watching: /],
    [() => snapshot.write('none', 0, whole), /^arena: expected an arena of the snapshot, received "none"/],
    [() => snapshot.write('gradients', 0, whole), /^arena: /],
    [() => snapshot.read(3, 0, whole), /^arena: /],
    [() => snapshot.write('parameters', 1, whole), /^data: expected at most/],
    [() => snapshot.write('parameters', whole.length + 1, new Float32Array(0)), /^first: expected at most/],
    [() => snapshot.write('parameters', 0, new Float64Array(1)), /^data: expected a Float32Array/],
    [() => snapshot.read('parameters', 0, [1]), /^data: expected a Float32Array/],
    [() => snapshot.read('parameters', -1, whole), /^first: /],
    [() => snapshot.read('parameters', 0, new Float32Array(new SharedArrayBuffer(4))), /SharedArrayBuffer/],
  ]
  for (const [work, message] of wrong) {
    await refused(work, message)
    assert.equal(plainState(snapshot), before)
  }
  snapshot.write('parameters', whole.length, new Float32Array(0))
  snapshot.write('parameters', 3, Float32Array.of(7, 8))
  const two = new Float32Array(2)
  snapshot.read('parameters', 3, two)
  assert.equal(two, Float32Array.of(7, 8))
  snapshot.read('secondMoment', 3, two)
  assert.equal(two, before.arenas.secondMoment.slice(3, 5))
})

test('a snapshot of some arenas has those, and no program goes on from it', async () => {
  const program = programOf(adam())
  await train(program, [0])
  const whole = await stateOf(program)
  const { secondMoment, parameters } = whole.arenas
  assert.equal(await stateOf(program, ['secondMoment', 'parameters']), {
    ...whole,
    arenas: { secondMoment, parameters },
  })
  assert.equal((await stateOf(program, [])).arenas, {})
  const of = (names) => () => new native.Snapshot(program, names)
  for (const names of [['gradients'], ['none'], [3], 'parameters', null, ['parameters', 'parameters']]) {
    await refused(of(names), /^arenas: expected/)
  }
  await refused(() => program.importState(of(['parameters'])()), /snapshot: expected .* all arenas/)
  await refused(() => new native.Snapshot({}), /^program: expected a Program/)
  await refused(() => program.exportState({}), /^snapshot: expected a Snapshot/)
  assert.equal(await stateOf(program), whole)
  assert.throws(() => (program.step = 2 ** 48), /step: expected at most 281474976710655/)
})

test('elements of a parameter are written from any of them on, and what lies beyond its end is refused', () => {
  const program = programOf(adam())
  const before = program.read('parameters', 0)
  program.write('parameters', 0, Float64Array.of(7, 8), 3)
  program.write('parameters', 0, new Float32Array(0), before.length)
  assert.equal(
    program.read('parameters', 0),
    before.map((value, i) => [7, 8][i - 3] ?? value),
  )
  for (const [data, first, message] of [
    [Float32Array.of(1, 2), before.length - 1, /data: expected at most 1 elements/],
    [Float32Array.of(1), before.length + 1, /first: expected at most 36/],
    [Float32Array.of(1), -1, /first/],
    [Float32Array.of(1), 0.5, /first/],
    [[1], 0, /data/],
    [undefined, 0, /data/],
  ]) {
    assert.throws(() => program.write('parameters', 0, data, first), message)
  }
})

test('a file keeps the product of momenta; one without it begins at that of equal momenta', async () => {
  const file = join(tmpdir(), `gradus-state-${process.pid}.safetensors`)
  const data = { x: numbers(rows * 4, 1), y: numbers(rows * 2, 2) }
  const options = {
    batchSize: 8,
    quiet: true,
    momentumSchedule: linearRamp({ from: 0.5, to: 0.9, length: 12, unit: 'step' }),
  }
  const model = compiled(adam())
  await model.fit(data, { ...options, epochs: 2 }).done
  try {
    await model.save(file, { optimizer: true })
    const loaded = await loadModel(file)
    assert.is(loaded.program.momentumProduct, model.program.momentumProduct)
    for (const each of [model, loaded]) await each.fit(data, { ...options, epochs: 4, initialEpoch: 2 }).done
    assert.equal(loaded.getWeights(), model.getWeights())
    for (const [value, outcome] of [
      ['momentumPrOduct":"', 'without it'],
      ['momentumProduct":"x', /not a number from 0 to 1/],
    ]) {
      const bytes = await readFile(file)
      const at = bytes.indexOf('momentumProduct":"')
      bytes.write(value, at)
      // Whoever edits a file takes its hash away.
      bytes.write('edited', bytes.indexOf('sha256'))
      await writeFile(`${file}.changed`, bytes)
      const result = await loadModel(`${file}.changed`).catch((error) => error)
      if (outcome instanceof RegExp) assert.match(result.message, outcome)
      else assert.ok(Math.abs(result.program.momentumProduct - 0.9 ** 6) < 1e-15)
    }
  } finally {
    await rm(file, { force: true })
    await rm(`${file}.changed`, { force: true })
  }
})

test.run()
