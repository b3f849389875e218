// A program's state leaves it and comes back whole: a run that goes on from it ends with the same bits.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adam, batchNorm, dense, linearRamp, loadModel, meanSquaredError, nadam, relu, sequential } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { numbers } from './support/reference.js'

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
    })
    looks.push(...inspections.values)
  }
  return looks
}

for (const [name, optimizer] of [
  ['adam', adam({ averageDecay: 0.9 })],
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
      const state = await first.exportState()
      const second = programOf(optimizer, dtype)
      await second.importState(state)
      assert.equal(await train(second, [4, 5]), expected)
      assert.equal(await second.exportState(), await calm.exportState())
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

test('what is no state of such a program is refused by name, and nothing has changed', async () => {
  const program = programOf(adam())
  await train(program, [0])
  const state = await program.exportState()
  const { firstMoment, ...others } = state.arenas
  const wrong = [
    [{ ...state, step: -1 }, /state\.step/],
    [{ ...state, step: 2 ** 48 }, /state\.step: expected at most 281474976710655/],
    [{ ...state, momentumProduct: 2 }, /state\.momentumProduct/],
    [{ ...state, watching: new Float64Array(3) }, /watching: expected 10 numbers/],
    [{ ...state, arenas: others }, /state\.arenas\.firstMoment/],
    [{ ...state, arenas: { ...others, firstMoment: firstMoment.subarray(1) } }, /state\.arenas\.firstMoment/],
    [undefined, /state/],
  ]
  for (const [from, message] of wrong) {
    let thrown
    await (async () => program.importState(from))().catch((error) => (thrown = error))
    assert.is(thrown?.code, 'GRADUS_INVALID_ARGUMENT')
    assert.match(thrown.message, message)
    assert.equal(await program.exportState(), state)
  }
})

test('a state of some arenas has those, and one of others is refused', async () => {
  const program = programOf(adam())
  await train(program, [0])
  const { arenas } = await program.exportState()
  assert.equal(await program.exportState(['secondMoment']).then((state) => state.arenas), {
    secondMoment: arenas.secondMoment,
  })
  assert.equal(await program.exportState([]).then((state) => state.arenas), {})
  for (const names of [['gradients'], ['none'], [3], 'parameters', null, new Array(10).fill('parameters')]) {
    assert.throws(() => program.exportState(names), /arenas: expected/)
  }
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
