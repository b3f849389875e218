// What a study is, its stages and its best checkpoints.
import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bestOf, linkBest, makeStage, makeStudy, rangesOf, readStages, readStudy } from '../dist/study/index.js'
import { failure } from './support/reference.js'
import { description, studyPlace } from './support/studies.js'

const { next, make } = studyPlace(test, 'study-files')

test('a study is made once, whoever comes at the same moment, and opened again by who has the same', async () => {
  const path = next()
  const made = await Promise.all(Array.from({ length: 8 }, () => makeStudy(path, description())))
  assert.is(made.filter(({ isNew }) => isNew).length, 1)
  for (const { description: there } of made) assert.equal(there, description())
  assert.equal(readdirSync(path).sort(), ['stages', 'study.json', 'trials'])
  const before = readFileSync(join(path, 'study.json'), 'utf8')
  const [{ versions: _, ...same }, versions] = [description(), { gradus: '9.9.9' }]
  assert.is((await makeStudy(path, { ...same, versions })).isNew, false)
  assert.is(readFileSync(join(path, 'study.json'), 'utf8'), before)
})

test("another study's folder, a changed module, a run and a newer format are refused, each with its reason", async () => {
  const path = await make()
  const refused = async (change, options) => failure(() => makeStudy(path, description(change), options))
  const space = { momentum: { type: 'uniform', low: 0, high: 1 } }
  const other = await refused({ space, direction: 'minimize' })
  assert.is(other.code, 'GRADUS_INVALID_ARGUMENT')
  assert.ok(other.message.startsWith(`dir: ${path} holds another study; give another dir, or the same again:\n`))
  assert.match(
    other.message,
    /\n {2}direction: "maximize" there, "minimize" now\n {2}space: {.*learningRate.*} there, {.*momentum/,
  )
  await makeStudy(path, description({ space }), { mayDiffer: ['space'] })
  const module = { path: 'study.js', sha256: 'b'.repeat(64) }
  const changed = await refused({ module })
  assert.is(changed.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(
    changed.message,
    /^study: study\.js has changed since .+ its SHA-256 was a{64} and is b{64}; --allow-changed/,
  )
  await makeStudy(path, description({ module }), { allowChanged: true })
  await makeStudy(path, description({ module: null }))

  const file = join(path, 'study.json')
  const text = readFileSync(file, 'utf8')
  for (const [bad, problem] of [
    [text.replace('"format": 1', '"format": 2'), 'a newer Gradus wrote it: format 2, and this one reads 1'],
    [text.replace('"seed": 7', '"seed": -7'), 'seed: expected a whole number from 0 up'],
    [text.replace('"maximize"', '"sideways"'), 'direction: expected one of minimize, maximize'],
    [text.replace('"sha256"', '"sha"'), 'module.sha256: expected a string'],
    [text.replace('"space"', '"__proto__"'), 'the key __proto__ is refused'],
  ]) {
    writeFileSync(file, bad)
    for (const work of [() => readStudy(path), () => makeStudy(path, description())]) {
      const error = await failure(work)
      assert.is(`${error.code} ${error.message}`, `GRADUS_BAD_FILE ${file}: ${problem}`)
    }
  }
  for (let length = 0; length < text.length - 1; length += 7) {
    writeFileSync(file, text.slice(0, length))
    assert.is((await failure(() => makeStudy(path, description()))).code, 'GRADUS_BAD_FILE')
  }
  const run = next()
  mkdirSync(run)
  writeFileSync(join(run, 'run.json'), '{}')
  assert.match(
    (await failure(() => makeStudy(run, description()))).message,
    /holds a run; give a study a folder of its own/,
  )
  writeFileSync(`${run}.txt`, '')
  assert.is((await failure(() => makeStudy(`${run}.txt`, description()))).code, 'GRADUS_BAD_FILE')
})

const unlessRoot = process.getuid?.() === 0 ? test.skip : test
unlessRoot('a folder that is read-only is told', async () => {
  const path = next()
  mkdirSync(path, { mode: 0o500 })
  try {
    const error = await failure(() => makeStudy(path, description()))
    assert.is(
      `${error.code} ${error.message}`,
      `GRADUS_BAD_FILE ${join(path, 'study.json')}: permission denied (EACCES)`,
    )
  } finally {
    chmodSync(path, 0o700)
  }
})

test('a stage is made once; whoever comes later is given that', async () => {
  const path = await make()
  assert.equal(await readStages(path), [])
  const made = await Promise.all([1, 2, 3].map((low) => makeStage(path, { number: 2, record: { low } })))
  assert.is(new Set(made.map(({ low }) => low)).size, 1)
  await makeStage(path, { number: 10, record: { low: 0 } })
  await makeStage(path, { number: 3, record: { low: 0 } })
  assert.equal(
    (await readStages(path)).map(({ number }) => number),
    [2, 3, 10],
  )
  writeFileSync(join(path, 'stages', '3.json'), '{"for')
  assert.is((await failure(() => readStages(path))).code, 'GRADUS_BAD_FILE')
})

/** A checkpoint of that content for each value. */
function checkpointsOf(path, values) {
  mkdirSync(join(path, 'checkpoints'), { recursive: true })
  return values.map((value, trial) => {
    const file = join(path, 'checkpoints', `${trial}.safetensors`)
    writeFileSync(file, `${trial} ${value}`)
    return { trial, value, epoch: trial + 1, path: file }
  })
}

test('the folder best has hard links to the best ten, in the order of their values', async () => {
  const path = await make()
  const values = [0.5, 0.9841, 0.98, 0.1, 0.2, 0.3, 0.4, Number.NaN, 0.6, 0.7, 0.8, 0.9, 0.98]
  const trials = checkpointsOf(path, values)
  const folder = join(path, 'best')
  await linkBest(path, bestOf(trials, 'maximize'))
  const listed = readdirSync(folder).sort().reverse()
  assert.is(listed[0], '0.9841,trial=00001,epoch=002.safetensors')
  assert.equal(
    listed.map((name) => readFileSync(join(folder, name), 'utf8').split(' ')[1]),
    ['0.9841', '0.98', '0.98', '0.9', '0.8', '0.7', '0.6', '0.5', '0.4', '0.3'],
  )
  assert.is(statSync(join(folder, listed[0])).ino, statSync(trials[1].path).ino)
  // A better one comes: the last one goes, and what a person has put there stays.
  writeFileSync(join(folder, 'notes.txt'), '')
  linkSync(trials[0].path, join(folder, 'mine.safetensors'))
  const [better] = checkpointsOf(next(), [10.5])
  await Promise.all([0, 1, 2].map(() => linkBest(path, bestOf([...trials, { ...better, trial: 20 }], 'maximize'))))
  const now = readdirSync(folder).sort().reverse()
  assert.equal(now.slice(0, 4), [
    'notes.txt',
    'mine.safetensors',
    '10.5000,trial=00020,epoch=001.safetensors',
    '00.9841,trial=00001,epoch=002.safetensors',
  ])
  assert.is(now.length, 12)
  // What is gone meanwhile is left out; of losses the smallest are best.
  rmSync(trials[3].path)
  await linkBest(path, bestOf(trials, 'minimize'))
  assert.is(readdirSync(folder).sort()[0], '0.2000,trial=00004,epoch=005.safetensors')
})

test('names sort as their values do, small or large', async () => {
  const path = await make()
  for (const values of [
    [3.7e-5, 8.2e-4, 0.019, 4],
    [12345.678, 9, 0.5],
    [0, 0.25, 1],
  ]) {
    rmSync(join(path, 'best'), { recursive: true, force: true })
    await linkBest(path, bestOf(checkpointsOf(next(), values), 'minimize'))
    const read = readdirSync(join(path, 'best'))
      .sort()
      .map((name) => readFileSync(join(path, 'best', name), 'utf8').split(' ')[1])
    assert.equal(
      read.map(Number),
      [...values].sort((a, b) => a - b),
    )
  }
})

test('ranges hold the numbers that they are made of', () => {
  assert.equal(rangesOf([]), [])
  assert.equal(rangesOf([0, 1, 2, 5, 7, 8]), [
    [0, 2],
    [5, 5],
    [7, 8],
  ])
})

test.run()
