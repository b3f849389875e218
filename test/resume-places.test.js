// Where a run goes on: in its directory, in another one, from a file; what is damaged there, and what is not there.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  averagedWeights,
  checkpoint,
  checkpoints,
  dense,
  dropout,
  earlyStopping,
  reduceOnPlateau,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { afterDeaths, live, uninterrupted } from './support/interrupted.js'
import { recorded } from './support/mortal-chain.js'
import { resultOf } from './support/mortal-run.js'
import { failure, numbers } from './support/reference.js'
import { warningsOf } from './support/warnings.js'

const test = suite('where runs go on')
const folder = mkdtempSync(join(tmpdir(), 'gradus-resume-places-'))
test.after(() => rmSync(folder, { recursive: true }))
let number = 0
const newDir = () => join(folder, String(++number))

const rows = 40
const data = { x: numbers(rows * 3, 5), y: Int32Array.from({ length: rows }, (_, i) => Number(i % 3 === 0)) }
const validation = { x: numbers(24 * 3, 8), y: Int32Array.from({ length: 24 }, (_, i) => i % 2) }
const compiled = () =>
  sequential({ input: [3], seed: 3 }, [dense(6), relu(), dropout(0.1), dense(2)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.03, average: averagedWeights({ decay: 0.9 }) }),
  })
const made = (options) => () => ({
  model: compiled(),
  data,
  options: {
    ...{ validation, epochs: 6, schedule: reduceOnPlateau({ patience: 1 }) },
    callbacks: [earlyStopping({ patience: 30, restoreBest: true })],
    ...options,
  },
})
const whole = await uninterrupted(made())
const [death] = [{ by: 'abort', event: 'onStepsEnd', count: 13 }]
/** A run that was interrupted in its third epoch, with a checkpoint after each and one within. */
async function interrupted(more = {}) {
  const dir = newDir()
  assert.ok((await live(made(), dir, { death, every: 'epoch', ...more })).isDead)
  return dir
}
const contents = (dir) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name)).toString('latin1')])
    .sort(([a], [b]) => (a < b ? -1 : 1))

test('a path in another dir begins a run there from that checkpoint, and leaves the first as it is', async () => {
  const dir = await interrupted()
  const before = contents(dir)
  const newest = (await checkpoints(dir)).at(-1)
  assert.is(newest.step, 26)
  for (const [what, resume] of Object.entries({ file: newest.path, run: dir, folder: join(dir, 'checkpoints') })) {
    const other = newDir()
    const { result, records } = await live(made(), other, { resume })
    assert.equal(result, whole, what)
    assert.equal(
      records.map(({ epoch }) => epoch),
      [1, 2, 3, 4, 5, 6],
    )
    // Only its own steps are recorded there.
    assert.is(recorded(other).steps[0][0], 26)
    assert.equal((await live(made(), other)).result, whole)
  }
  assert.equal(contents(dir), before)
  const [first] = await checkpoints(dir)
  assert.is(first.epoch, 1)
  assert.equal((await live(made(), newDir(), { resume: first.path })).result, whole)
})

test('a run from another dir has checkpoints of its own: it tidies none of the first', async () => {
  const dir = await interrupted()
  const [from, files] = [(await checkpoints(dir)).at(-1).path, readdirSync(join(dir, 'checkpoints'))]
  const other = newDir()
  const more = { resume: from, death: { by: 'abort', event: 'onStepsEnd', count: 3 } }
  assert.ok((await live(made(), other, more)).isDead)
  assert.equal((await live(made(), other)).result, whole)
  assert.equal(readdirSync(join(dir, 'checkpoints')), files)
})

for (const [name, options, code, message] of [
  [
    "'must' where nothing is",
    { dir: newDir(), resume: 'must' },
    'GRADUS_INVALID_ARGUMENT',
    /^resume: there is no checkpoint in /,
  ],
  [
    'a path where nothing is',
    { dir: newDir(), resume: '/nowhere/at/all' },
    'GRADUS_BAD_FILE',
    /^resume: there is no \/nowhere/,
  ],
  [
    'a folder without checkpoints',
    { dir: newDir(), resume: folder },
    'GRADUS_INVALID_ARGUMENT',
    /^resume: there is no checkpoint/,
  ],
  ['resume without dir', { resume: true }, 'GRADUS_INVALID_ARGUMENT', /^resume: expected dir beside it/],
  [
    'name with resume',
    { dir: newDir(), name: 'a', resume: true },
    'GRADUS_INVALID_ARGUMENT',
    /^name: expected none with resume/,
  ],
  [
    'initialEpoch with resume',
    { dir: newDir(), initialEpoch: 2, resume: true },
    'GRADUS_INVALID_ARGUMENT',
    /^initialEpoch: /,
  ],
  ['no text', { dir: newDir(), resume: '' }, 'GRADUS_INVALID_ARGUMENT', /^resume: expected true, 'must' or the path/],
  ['a number', { dir: newDir(), resume: 1 }, 'GRADUS_INVALID_ARGUMENT', /^resume: expected true, 'must' or the path/],
  [
    'checkpoint() without dir',
    { callbacks: [checkpoint()] },
    'GRADUS_INVALID_ARGUMENT',
    /^checkpoint: expected a run directory/,
  ],
  [
    'checkpoint, and not checkpoint()',
    { dir: newDir(), callbacks: [checkpoint] },
    'GRADUS_INVALID_ARGUMENT',
    /^callbacks\[0\]: received the function checkpoint; did you mean checkpoint\(\)\?/,
  ],
  [
    'two checkpoint()',
    { dir: newDir(), callbacks: [checkpoint({ keep: 'all' }), checkpoint({ keep: 1 })] },
    'GRADUS_INVALID_ARGUMENT',
    /^callbacks: expected one checkpoint\(\) at most, received "2 of them"/,
  ],
]) {
  test(`${name}: one error`, async () => {
    const error = await failure(() => compiled().fit(data, { epochs: 2, quiet: true, ...options }).done)
    assert.is(error.code, code)
    assert.match(error.message, message)
  })
}

/** One byte of it, in the middle, is another one. */
function damage(path) {
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1] ^= 1
  writeFileSync(path, bytes)
}

test('a damaged newest checkpoint is named and passed over; the one before it leads to the same bits', async () => {
  for (const spoil of [
    damage,
    (path) => writeFileSync(path, ''),
    (path) => writeFileSync(path, readFileSync(path).subarray(0, 900)),
  ]) {
    const dir = await interrupted()
    const newest = (await checkpoints(dir)).at(-1).path
    spoil(newest)
    let end
    const warnings = await warningsOf(async () => {
      end = await live(made(), dir)
    })
    assert.equal(end.result, whole)
    assert.equal(
      warnings.map(({ code }) => code),
      ['GRADUS_BAD_CHECKPOINT'],
    )
    assert.ok(warnings[0].message.startsWith(`${newest}: `), warnings[0].message)
    assert.match(warnings[0].message, /the run goes on from one before it$/)
    // Recorded as often as trained: once.
    assert.equal(
      recorded(dir).steps.map(([step]) => step),
      Array.from({ length: whole.step }, (_, i) => i),
    )
  }
})

test('where all checkpoints are damaged the run does not begin, and nothing is lost', async () => {
  const dir = await interrupted()
  for (const { path } of await checkpoints(dir)) damage(path)
  const before = contents(dir).filter(([path]) => !path.includes('claims'))
  for (const resume of [true, 'must']) {
    const error = await failure(() => live(made(), dir, { resume }))
    assert.is(error.code, 'GRADUS_BAD_FILE')
    assert.match(error.message, /^resume: none of the \d checkpoints in .* is sound: /)
  }
  assert.equal(
    contents(dir).filter(([path]) => !path.includes('claims')),
    before,
  )
})

test('a run that made no checkpoints is not wiped out by one that would go on', async () => {
  const dir = newDir()
  await uninterrupted(made({ dir }))
  const before = contents(dir).filter(([path]) => !path.includes('claims'))
  const error = await failure(() => live(made(), dir))
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(error.message, /^resume: the run in .* made no checkpoints, and so cannot go on; /)
  assert.equal(
    contents(dir).filter(([path]) => !path.includes('claims')),
    before,
  )
})

test('a run that failed before its first checkpoint begins anew, also as another one, and is recorded once', async () => {
  const dir = newDir()
  const early = { by: 'error', event: 'onStepsEnd', count: 3 }
  assert.ok((await live(made({ batchSize: 8 }), dir, { death: early, every: 'epoch' })).isDead)
  assert.equal(await checkpoints(dir), [])
  assert.ok(recorded(dir).steps.length > 0)
  assert.equal((await live(made(), dir)).result, whole)
  const plain = newDir()
  await uninterrupted(made({ dir: plain }))
  assert.equal(recorded(dir), recorded(plain))
})

test('iterating gives the earlier epochs first, awaiting the whole history, both at once the same', async () => {
  const dir = await interrupted()
  const model = compiled()
  const { options } = made()()
  const run = model.fit(data, { ...options, batchSize: 4, dir, resume: 'must', quiet: true })
  const [looped, history] = await Promise.all([Array.fromAsync?.(run) ?? all(run), run])
  assert.equal(
    looped.map(({ epoch }) => epoch),
    [1, 2, 3, 4, 5, 6],
  )
  assert.equal(
    looped.map(({ valLoss }) => valLoss),
    history.valLoss,
  )
  assert.equal(history.epochs, 6)
  const least = Math.min(...history.valLoss)
  assert.is(run.best.valLoss, least)
  const { step: _, ...expected } = whole
  assert.equal(await resultOf(model, history, run.best), expected)
})

async function all(run) {
  const records = []
  for await (const record of run) records.push(record)
  return records
}

test('the sanity check of a run that goes on is not made again', async () => {
  const constant = { x: new Float32Array(rows * 3).fill(1), y: new Int32Array(rows).fill(1) }
  const make = () => ({ model: compiled(), data: constant, options: { epochs: 4, validation } })
  const refused = newDir()
  const error = await failure(() => live(make, refused, { sanityCheck: true }))
  assert.is(error.code, 'GRADUS_SANITY_CHECK')
  const dir = newDir()
  await afterDeaths(make, dir, [death], { every: 'epoch' })
  assert.ok(existsSync(dir))
  assert.is((await live(make, dir, { epochs: 5, sanityCheck: true })).result.epochs, 5)
  // What was refused has left nothing that would be in the way.
  assert.is((await live(make, refused, { sanityCheck: false })).result.epochs, 4)
})

test('what is kept does not grow with the epochs, and no temporary file stays', async () => {
  const dir = newDir()
  await afterDeaths(made({ epochs: 12 }), dir, [death, death], { every: { steps: 1 } })
  const files = readdirSync(join(dir, 'checkpoints'))
  assert.ok(files.length <= 4, files.join())
  assert.ok(files.every((file) => file.endsWith('.safetensors')))
  assert.ok(files.every((file) => statSync(join(dir, 'checkpoints', file)).size < 100_000))
})

test.run()
