// A master's cache of trials that have ended is only that: with it, without it, or with one that is old, torn or made up, the
// trials are the same, and so is what a page is told of them.
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createTrial,
  flatSpace,
  hasEnded,
  IndexWriter,
  putNumbers,
  retryTrial,
  StudyReader,
  takeTrial,
} from '../dist/study/index.js'
import { importanceView } from '../dist/watch/server/study/importance-view.js'
import { columnsOf } from '../dist/watch/server/study/trial-columns.js'
import { isSoak } from './support/sampled.js'
import { draft, ending, readNumbered as read, studyPlace, suggestion } from './support/studies.js'
import { fillStudy, paramsOf, space } from './support/whole-study.js'

const { make, next } = studyPlace(test, 'study-cache')
const quick = { sync: false }
const master = 2
const pathOf = (study) => join(study, 'masters', `index.${master}.bin`)

/** Trials 0 complete, 1 exploded, 2 taken over before it was complete, with a gap among its epochs, 3 running; and their cache. */
async function filled() {
  const study = await make()
  const held = []
  for (const number of [0, 1, 2, 3]) {
    held.push(await createTrial(study, number, suggestion({ seed: number }), draft))
    for (const epoch of [1, 2]) await held[number].report(epoch, number + epoch / 10, { loss: 1 / epoch })
  }
  await held[0].finish(ending(), quick)
  await held[1].report(3, Number.POSITIVE_INFINITY)
  await held[1].finish(ending({ state: 'exploded', value: null, reason: 'ö…\u2028' }), quick)
  const heir = await takeTrial(read(study, 2), { ...draft, worker: 'Zürich.2' })
  await heir.report(5, Number.NaN)
  await heir.finish(ending({ value: 3.5 }), quick)
  const plain = await StudyReader.open(study, { index: false })
  const writer = await IndexWriter.open(study, master, plain.trials.filter(hasEnded))
  return { study, plain, writer, expected: plain.trials.map(told) }
}

/** All that is known of it. */
function told(trial) {
  const { number, path, state, next, problem, epochs, values, stage, epoch, value } = trial
  const { begunAt, changedAt, worker, suggestion, claim, last, takeovers, changes } = trial
  const numbers = { number, state, next, problem, epochs, values, stage, epoch, value, begunAt, changedAt, takeovers }
  return { ...numbers, path, worker, suggestion, claim, last, changes: [...changes] }
}
const same = async ({ study, expected }, what) =>
  assert.equal((await StudyReader.open(study)).trials.map(told), expected, what)

test('a cached trial tells what its folder tells', async () => {
  const there = await filled()
  await same(there)
  // Trusted, it is not looked at: so this is the cache.
  rmSync(join(there.study, 'trials', '00001', 'reports.1.jsonl'))
  const reader = await StudyReader.open(there.study, { trusts: true })
  assert.equal(reader.trials.map(told), there.expected)
  assert.equal(reader.trial(1).values, [1.1, 1.2, Number.POSITIVE_INFINITY])
  assert.equal(reader.trial(2).epochs, [1, 2, 5])
})

test('torn at each byte, or with a byte that is another, it says nothing that is not so', async () => {
  const there = await filled()
  const path = pathOf(there.study)
  const bytes = readFileSync(path)
  const step = isSoak ? 1 : 61
  for (let length = 0; length <= bytes.length; length += step) {
    writeFileSync(path, bytes.subarray(0, length))
    await same(there, `torn at ${length}`)
  }
  for (let at = 0; at < bytes.length; at += step) {
    const other = Buffer.from(bytes)
    other[at] ^= 0x41
    writeFileSync(path, other)
    await same(there, `another byte at ${at}`)
    writeFileSync(path, other.fill(0, at, Math.min(at + 512, other.length)))
    await same(there, `zeros at ${at}`)
  }
})

/** Fowler, Noll and Vo's FNV-1a over words of 32 bits: whoever makes up a row can make up its sum. */
const sumOf = (row) =>
  [...new Int32Array(row.buffer, row.byteOffset, 2 * row.length)]
    .slice(4)
    .reduce((sum, half) => Math.imul(sum ^ half, 0x01000193), 0x811c9dc5 | 0)

test('rows that somebody has made up, with the right sum, harm nothing', async () => {
  const there = await filled()
  const path = pathOf(there.study)
  const bytes = readFileSync(path)
  const begin = bytes.indexOf('\n') + 1
  assert.is(begin % 8, 0)
  const words = new Float64Array(bytes.buffer.slice(bytes.byteOffset + begin, bytes.byteOffset + bytes.length))
  assert.is(words[1], sumOf(words.subarray(0, words[0])), 'the sum is another')
  // Words of a row's head: all but what pictures are drawn of, which whoever can write there may choose.
  const places = {
    words: 0,
    number: 2,
    state: 3,
    next: 4,
    stage: 5,
    epoch: 6,
    points: 10,
    workerBytes: 12,
    records: 13,
  }
  for (const [name, place] of Object.entries(places)) {
    for (const value of [Number.NaN, -1, 0.5, 1e300, Number.POSITIVE_INFINITY, name === 'number' ? 77 : 2 ** 40]) {
      if (name === 'epoch' && value === 2 ** 40) continue
      if (name === 'next' && value === 2 ** 40) continue
      if (name === 'stage' && value === 2 ** 40) continue
      const other = words.slice()
      other[place] = value
      other[1] = sumOf(other.subarray(0, words[0]))
      writeFileSync(path, Buffer.concat([bytes.subarray(0, begin), Buffer.from(other.buffer)]))
      await same(there, `${name} ${value}`)
    }
  }
  for (const [before, after] of [
    ['"params"', '"__prot"'],
    ['"params"', '"pa\\u00'],
    ['"complete"', '"exploded"'],
    ['"type":"claim"', '"type":"clown"'],
    ['{"format":1', '{"format":9'],
    ['{"format":1,"changes"', '[[[[[[[1,"changes"'],
  ]) {
    const other = Buffer.from(words.buffer.slice(0))
    assert.ok(other.includes(before))
    other.write(after, other.indexOf(before))
    const row = new Float64Array(other.buffer, 0, words[0])
    row[1] = sumOf(row)
    writeFileSync(path, Buffer.concat([bytes.subarray(0, begin), other]))
    await same(there, after)
  }
})

test('of another format, or no file of ours, nothing is read, and the next master leaves only its own', async () => {
  const there = await filled()
  const path = pathOf(there.study)
  const bytes = readFileSync(path)
  const begin = bytes.indexOf('\n') + 1
  const header = (text) => Buffer.concat([Buffer.from(`${text.padEnd(begin - 1)}\n`), bytes.subarray(begin)])
  for (const other of [
    header('{"format":1}'),
    header('{"format":3,"space":"x","parameters":1}'),
    header('{"format":2,"space":5,"parameters":1}'),
    header('{"format":2,"space":"x","parameters":-1}'),
    header('{"format":2,"space":"x","parameters":1e99}'),
    header('{"format":2,"space":"x","parameters":2}'),
    header('{"__proto__":{"format":2}}'),
    Buffer.concat([Buffer.from(' '), bytes]),
    Buffer.from('null\n'),
    Buffer.alloc(5000),
    Buffer.from('\n'.repeat(5000)),
    Buffer.from('x'.repeat(5000)),
  ]) {
    writeFileSync(path, other)
    await same(there, other.toString('latin1', 0, 60))
  }
  const beside = join(there.study, 'beside')
  writeFileSync(beside, bytes)
  rmSync(path)
  symlinkSync(beside, path)
  rmSync(join(there.study, 'trials', '00001', 'reports.1.jsonl'))
  assert.equal((await StudyReader.open(there.study)).trial(1).values, [], 'a link is followed')
  writeFileSync(join(there.study, 'masters', 'index.1.jsonl'), '{"format":1,"number":0}\n')
  writeFileSync(join(there.study, 'masters', 'index.9.jsonl'), '')
  await IndexWriter.open(there.study, 5, [])
  assert.equal(readdirSync(join(there.study, 'masters')), ['index.5.bin'])
})

test('it grows by what has ended, over what was torn; what has changed since is found; deleted, it stays away', async () => {
  const there = await filled()
  const { study, plain, writer } = there
  const path = pathOf(study)
  const bytes = readFileSync(path)
  await writer.add([])
  assert.equal(readFileSync(path), bytes)
  // A full disk has taken only some of a row.
  writeFileSync(path, Buffer.concat([bytes, bytes.subarray(200, 300)]))
  await writer.add([{ ...plain.trial(0), values: [8, 9] }])
  assert.equal((await StudyReader.open(study)).trial(0).values, [8, 9], 'the later row of a trial counts')
  const running = await takeTrial(read(study, 3), draft)
  await running.finish(ending({ value: 0.125 }), quick)
  await plain.refresh()
  await writer.add([plain.trial(0), plain.trial(3)])
  await same({ study, expected: plain.trials.map(told) })
  await retryTrial(plain.trial(0))
  await (await takeTrial(read(study, 0), draft)).finish(ending({ value: 0.9 }), quick)
  const { state, last } = (await StudyReader.open(study)).trial(0)
  assert.equal([state, last.record.value], ['complete', 0.9])
  // Trials in whose folder something is damaged are none for it.
  writeFileSync(join(plain.trial(3).path, '2.json'), '{')
  const damaged = read(study, 3)
  assert.match(damaged.problem, '2.json')
  await IndexWriter.open(study, 7, [damaged])
  const [header, ...rows] = readFileSync(join(study, 'masters', 'index.7.bin'), 'latin1').split('\n')
  assert.equal([JSON.parse(header).format, rows], [2, ['']])
  // Deleted by that one.
  await writer.add([plain.trial(0)])
  assert.not(existsSync(path))
})

/** NaN is none, to who compares numbers. */
const bytesOf = (columns) =>
  JSON.stringify(columns, (_, value) =>
    ArrayBuffer.isView(value) ? Buffer.copyBytesFrom(value).toString('hex') : value,
  )

test('what a page is told is the same through the cache and through the files, and of another space too', async () => {
  const study = next()
  const { running } = await fillStudy(study, 60)
  const plain = await StudyReader.open(study, { index: false })
  await IndexWriter.open(study, 1, plain.trials.filter(hasEnded))
  const cached = await StudyReader.open(study, { trusts: true })
  running.drop()
  const { adam, nesterov } = space.optimizer.branches
  const wider = { ...space, optimizer: { kind: 'branches', branches: { nesterov, sgd: {}, adam } } }
  for (const of of [space, wider]) {
    const flat = flatSpace(of)
    assert.equal(bytesOf(columnsOf(cached.trials, flat, 5)), bytesOf(columnsOf(plain.trials, flat, 5)))
    const source = { parameters: flat.parameters, space: of, stages: [], direction: 'maximize' }
    const [a, b] = [cached, plain].map(({ trials }) => importanceView(trials.filter(hasEnded), source))
    assert.equal(a, b)
    assert.ok(a.shares[0] > 0.2)
  }
  const numbers = new Float64Array(6)
  putNumbers(cached.trial(3), flatSpace(space), numbers)
  const { learningRate, hidden, dropout } = paramsOf(3)
  assert.equal([...numbers.slice(0, 3)], [learningRate, hidden, dropout])
})

test.run()
