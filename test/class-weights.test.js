// Class weights: balanced, by number, by name, and what is none.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { binaryCrossEntropy, dense, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resolveClassWeights } from '../dist/train/class-weights.js'
import { numbers } from './support/reference.js'

const test = suite('class weights')
const folder = mkdtempSync(join(tmpdir(), 'gradus-weights-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const rows = 40
const x = numbers(3 * rows)
/** 28 of class 0, 8 of class 1, 4 of class 3, none of class 2; the last ten rows: 7, 2 and 1. */
const y = Array.from({ length: rows }, (_, i) => (i % 10 < 7 ? 0 : i % 10 < 9 ? 1 : 3))
const names = ['ant', 'bee', 'cat', 'dog']
const quiet = { epochs: 2, batchSize: 8, quiet: true }

const made = (outputs = 4, loss = softmaxCrossEntropy()) =>
  sequential({ input: [3], seed: 3 }, [dense(outputs)]).compile({ loss, optimizer: sgd({ learningRate: 0.1 }) })

async function trained(classWeights, data = { x, y }, more = {}) {
  const model = made()
  await model.fit(data, { ...quiet, ...more, classWeights }).done
  return model.getWeights()
}

async function refusal(classWeights, data = { x, y }, model = made()) {
  try {
    await model.fit(data, { ...quiet, classWeights }).done
  } catch (error) {
    return `${error.name} ${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

test('balanced: the share of each class that there is', async () => {
  // n / (classes · count) with three classes: each sums to 40 / 3.
  const explicit = [40 / (3 * 28), 40 / (3 * 8), 1, 40 / (3 * 4)]
  assert.equal(await trained('balanced'), await trained(explicit))
  assert.equal(await trained('balanced', { x, y: Int32Array.from(y) }), await trained(explicit))
  assert.not.equal(await trained('balanced'), await trained(undefined))
  const dir = join(folder, 'run')
  await trained('balanced', { x, y }, { dir })
  assert.equal(JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')).options.classWeights, explicit)
})

test('balanced counts the training data alone', async () => {
  const share = { validationSplit: 0.1 }
  // The last four rows, 0 and 1, 1, 3, are held back.
  const explicit = [36 / (3 * 27), 36 / (3 * 6), 1, 36 / (3 * 3)]
  assert.equal(await trained('balanced', { x, y }, share), await trained(explicit, { x, y }, share))
})

test('balanced weights give a rare class its due', async () => {
  // One number tells nothing: the best that can be said is the share of the weights, here one half each.
  const data = { x: new Float32Array(3 * rows), y: Array.from({ length: rows }, (_, i) => Number(i < 4)) }
  const model = made(2)
  await model.fit(data, { epochs: 400, batchSize: rows, quiet: true, classWeights: 'balanced' }).done
  const [[no, yes]] = await model.predictProbabilities([0, 0, 0])
  assert.ok(Math.abs(no - 0.5) < 1e-3 && Math.abs(yes - 0.5) < 1e-3, `${no} and ${yes}`)
})

test('by number, by name, in any form that says so', async () => {
  const expected = await trained([1, 2.5, 1, 4])
  const forms = [
    Float32Array.of(1, 2.5, 1, 4),
    [1, 2.5, 1, 4],
    { 1: 2.5, 3: 4 },
    { 3: 4, 1: 2.5, 0: 1 },
    Object.assign(Object.create(null), { 1: 2.5, 3: 4 }),
    runInNewContext('({ 1: 2.5, 3: 4 })'),
  ]
  for (const form of forms) assert.equal(await trained(form), expected)
  const named = { x, y: y.map((label) => names[label]), classes: names }
  assert.equal(await trained({ bee: 2.5, dog: 4 }, named), expected)
  assert.equal(await trained({ bee: 2.5, 3: 4 }, named), expected)
  const pieces = [named]
  assert.equal(
    await trained({ bee: 2.5, dog: 4 }, pieces, { batchSize: 40 }),
    await trained([1, 2.5, 1, 4], pieces, { batchSize: 40 }),
  )
  // A model that knows its names takes them for plain numbers too.
  const model = made()
  await model.fit(named, quiet).done
  assert.is(await refusal({ bee: 2 }, { x, y }, model), 'nothing was thrown')
})

test('what is none is refused, and says what would be', async () => {
  const kinds = "'balanced', an array with a weight for each class, or a record such as { 2: 10 } or { cat: 10 }"
  for (const [junk, received] of [
    [null, 'null'],
    [3, '3'],
    [true, 'true'],
    ['balance', '"balance"; did you mean "balanced"?'],
    [new Set([1, 2]), 'a Set object'],
    [new Map([[0, 2]]), 'a Map object; Object.fromEntries(map) makes a record of it'],
    [() => 1, 'function (anonymous)'],
    [Promise.resolve([1, 2, 3, 4]), 'a Promise object'],
    [new Date(0), 'a Date object'],
    [5n, '5'],
    [Symbol('x'), 'symbol'],
  ]) {
    assert.throws(
      () => made().fit({ x, y }, { ...quiet, classWeights: junk }),
      (error) => error.message === `classWeights: expected ${kinds}, received ${received}`,
    )
  }
  const argument = 'GradusError GRADUS_INVALID_ARGUMENT classWeights'
  assert.is(await refusal([1, 2, 1, 1, 1]), `${argument}: expected class numbers from 0 to 3, received 4`)
  assert.is(await refusal([1, undefined, 1]), `${argument}[1]: expected a number from 0 up, received undefined`)
  assert.is(await refusal({ 1: '2' }), `${argument}[1]: expected a number from 0 up, received "2"`)
  assert.is(await refusal({ 1: Number.NaN }), `${argument}[1]: expected a number from 0 up, received NaN`)
  assert.is(await refusal({ 7: 2 }), `${argument}: expected class numbers from 0 to 3, received 7`)
  assert.is(await refusal({ 1.5: 2 }), `${argument}: expected class numbers from 0 to 3, received 1.5`)
  assert.is(await refusal({ cat: 2 }), `${argument}: expected class numbers from 0 to 3, received "cat"`)
  assert.is(await refusal({ '': 2 }), `${argument}: expected class numbers from 0 to 3, received ""`)
  const named = { x, y: y.map((label) => names[label]), classes: names }
  assert.is(
    await refusal({ beee: 2 }, named),
    `${argument}: expected names of classes (ant, bee, cat, dog) or class numbers from 0 to 3, received "beee"; did you mean "bee"?`,
  )
  assert.is(
    await refusal('balanced', [{ x, y }]),
    `${argument}: 'balanced' counts the labels of data in memory; for a stream give the weights`,
  )
  const dense = { x, y: Array.from({ length: rows }, () => [1]) }
  assert.match(await refusal('balanced', dense, made(1, binaryCrossEntropy())), /expected a loss on class numbers/)
  const shares = { x, y: Array.from({ length: rows }, () => [0.25, 0.25, 0.25, 0.25]) }
  assert.match(await refusal('balanced', shares), /classWeights: expected targets that are class numbers/)
})

test('an abort is heard between the pieces that are counted', async () => {
  const controller = new AbortController()
  let read = 0
  const piece = {
    size: 1e8,
    read(_role, _index, _first, count) {
      if (++read === 3) controller.abort(new Error('planned'))
      return new Int32Array(count)
    },
  }
  const source = {
    rows: piece.size,
    pieces: async function* () {
      yield piece
    },
    close() {},
  }
  const target = { outputShape: [2], conventions: {} }
  const error = await resolveClassWeights(target, 'balanced', source, controller.signal).catch((reason) => reason)
  assert.equal([error.message, read], ['planned', 3])
})

test("fit's signal is looked at between the pieces that are counted", async () => {
  const { throwIfAborted } = AbortSignal.prototype
  const looks = async (rows) => {
    const { signal } = new AbortController()
    const model = sequential({ input: [1] }, [dense(2)]).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
    const data = { x: new Float32Array(rows), y: new Int32Array(rows) }
    let count = 0
    AbortSignal.prototype.throwIfAborted = function () {
      count++
      throwIfAborted.call(this)
    }
    try {
      await model.fit(data, {
        epochs: 1,
        batchSize: rows,
        stepsPerCall: 1,
        quiet: true,
        classWeights: 'balanced',
        signal,
      })
    } finally {
      AbortSignal.prototype.throwIfAborted = throwIfAborted
    }
    return count
  }
  assert.is((await looks(9 << 16)) - (await looks(1 << 16)), 8)
})

test.run()
