// `gradus trials`, as somebody types it: what it lists, and what it asks of a trial.
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'csv-parse/sync'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { numberText, paramsText } from '../dist/search/display/numbers.js'
import { choice, integer, logUniform, uniform } from '../dist/search/space/parameters.js'
import {
  createTrial,
  endTrial,
  enqueueTrial,
  makeStudy,
  readStop,
  readTrial,
  retryEnded,
  stopTrial,
  takeTrial,
} from '../dist/study/index.js'
import { failure } from './support/reference.js'
import { description, draft, ending, studyPlace, suggestion } from './support/studies.js'

const { next } = studyPlace(test, 'trials-command')
const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const gradus = (...args) => spawnSync(process.execPath, [command, 'trials', ...args], { encoding: 'utf8' })
const pathOf = (study, number) => join(study, 'trials', String(number).padStart(5, '0'))
const read = (study, number) => readTrial(number, pathOf(study, number))

const space = {
  learningRate: logUniform(1e-6, 10),
  hidden: integer(32, 2048),
  dropout: uniform(0, 0.7),
  optimizer: choice({ adam: { beta1: uniform(0.8, 0.99) }, nesterov: { momentum: uniform(0.5, 0.99) } }),
}
const params = [
  { learningRate: 0.0021345678, hidden: 1024, dropout: 0.3123456, optimizer: { name: 'adam', beta1: 0.912345 } },
  { learningRate: 0.0000831234, hidden: 96, dropout: 0.55, optimizer: { name: 'nesterov', momentum: 0.9 } },
  { learningRate: 3.1, hidden: 32, dropout: 0, optimizer: { name: 'nesterov', momentum: 0.5 } },
  { learningRate: 0.5, hidden: 64, dropout: 0.25, optimizer: { name: 'nesterov', momentum: 0.75 } },
]

/** Trials 0 and 1 are complete, 2 has exploded, 3 runs. */
async function study(change = {}) {
  const { path } = await makeStudy(next(), description({ space, ...change }))
  const held = []
  for (const [number, one] of params.entries())
    held.push(await createTrial(path, number, suggestion({ params: one }), draft))
  await held[0].report(1, 0.5)
  await held[0].report(2, 0.98312345)
  await held[0].finish(ending({ epoch: 2, value: 0.98312345 }))
  await held[1].finish(ending({ value: 0.9901 }))
  await held[2].finish(
    ending({ state: 'exploded', epoch: 1, value: Number.NaN, reason: 'the loss, "3", is\nno number' }),
  )
  await held[3].report(1, 0.25)
  return path
}

test('numbers stand as people write them', () => {
  const texts = {
    0.0021345678: '0.0021',
    0.0000310001: '3.1e-5',
    0.3123456: '0.31',
    0.304999: '0.30',
    0.95: '0.95',
    0.125: '0.125',
    412: '412',
    1024: '1,024',
    12345678: '1.2e7',
    12.3456: '12',
    1234.5678: '1,235',
    '-0.031234': '-0.031',
    0: '0',
  }
  for (const [value, text] of Object.entries(texts)) assert.is(numberText(Number(value)), text)
  assert.is(numberText(Number.NaN), 'NaN')
  const all = {
    learningRate: 0.00212345,
    batchNorm: null,
    init: 'he',
    optimizer: { name: 'adam', beta1: 0.912345 },
    plain: { name: 'sgd' },
  }
  assert.is(paramsText(all), 'learningRate 0.0021, batchNorm null, init he, adam beta1 0.91, sgd')
})

test('the table has a row a trial, its columns aligned', async () => {
  const { status, stdout, stderr } = gradus(await study())
  assert.equal([status, stderr], [0, ''])
  assert.equal(stdout.split('\n'), [
    'trial  state     valAccuracy  epoch  learningRate  hidden  dropout  optimizer',
    '    0  complete       0.9831      2        0.0021   1,024     0.31  adam',
    '    1  complete       0.9901      3        8.3e-5      96     0.55  nesterov',
    '    2  exploded          NaN      1           3.1      32        0  nesterov   the loss, "3", is',
    '    3  running        0.2500      1           0.5      64     0.25  nesterov',
    '',
  ])
})

test('--best has complete ones by direction, --state those of a state', async () => {
  const numbersOf = ({ stdout, stderr }) => {
    assert.is(stderr, '')
    return JSON.parse(stdout).map(({ trial }) => trial)
  }
  const [up, down] = [await study(), await study({ direction: 'minimize' })]
  assert.equal(numbersOf(gradus(up, '--best', '--json')), [1, 0])
  assert.equal(numbersOf(gradus(down, '--best', '--json')), [0, 1])
  assert.equal(numbersOf(gradus(up, '--best', '1', '--json')), [1])
  assert.equal(numbersOf(gradus(up, '--state', 'exploded', '--json')), [2])
  assert.match(gradus(up, '--state', 'lost').stdout, /^No such trials, of 4\.$/m)
})

test('JSON and CSV have all digits, and what a table has no room for', async () => {
  const path = await study()
  const listed = JSON.parse(gradus(path, '--json').stdout)
  assert.equal(
    listed.map((one) => one.params),
    params,
  )
  assert.equal([listed[0].value, listed[0].epochs, listed[0].values], [0.98312345, [1, 2], [0.5, 0.98312345]])
  assert.equal([listed[2].value, listed[2].reason], [null, 'the loss, "3", is\nno number'])
  const rows = parse(gradus(path, '--csv').stdout, { columns: true })
  assert.is(rows.length, 4)
  assert.equal(
    rows.map((row) => Number(row.learningRate)),
    params.map(({ learningRate }) => learningRate),
  )
  assert.equal([rows[0]['optimizer.adam.beta1'], rows[0]['optimizer.nesterov.momentum']], ['0.912345', ''])
  assert.equal([rows[1].optimizer, rows[2].reason], ['nesterov', 'the loss, "3", is\nno number'])
})

test('what stands in a folder cannot talk to the terminal, and a damaged trial is told of', async () => {
  const { path } = await makeStudy(next(), description({ metric: 'a\u001b[31m' }))
  const held = await createTrial(path, 0, suggestion({ params: { 'x\u202e': '\u001b]0;owned\u0007' } }), draft)
  await held.finish(ending({ state: 'failed', value: null, reason: '\u009b31m' }))
  writeFileSync(join(pathOf(path, 0), '3.json'), '{ "format": 1, "type": "\u001b[2J')
  for (const options of [[], ['--json'], ['--csv']]) {
    const { stdout, stderr } = gradus(path, ...options)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.not.match(stdout + stderr, /[\u001b\u0007\u009b\u202e]/)
    assert.match(stderr, /trial 0: .*3\.json/)
  }
})

test('stop, retry and add do what they say, and refuse what cannot be', async () => {
  const path = await study()
  assert.match(gradus('stop', path, '3', '--why', 'enough').stdout, /trial 3 runs: its worker is asked/)
  const { by, why } = readStop(pathOf(path, 3))
  assert.equal([by, why], ['person', 'enough'])
  assert.match(gradus('retry', path, '2').stdout, /trial 2 waits/)
  assert.is(read(path, 2).state, 'paused')
  assert.match(gradus('stop', path, '2').stdout, /trial 2 is stopped/)
  assert.equal([read(path, 2).state, read(path, 2).last.record.reason], ['stopped', 'person: gradus trials stop'])
  const good = '{"learningRate":0.01,"hidden":64,"dropout":0.5,"optimizer":{"name":"adam","beta1":0.9}}'
  assert.match(gradus('add', path, good).stdout, /trial 4 waits/)
  const added = read(path, 4)
  assert.equal(
    [added.state, added.suggestion.params, added.suggestion.suggestedBy],
    ['paused', JSON.parse(good), 'person'],
  )
  const refused = [
    [/trial 0 is complete: only one that has not ended/, 'stop', path, '0'],
    [/trial 3 is running: only one that has ended/, 'retry', path, '3'],
    [/there is no trial 9/, 'retry', path, '9'],
    [/number: expected a whole number, received "x"/, 'stop', path, 'x'],
    [/params\.hidden: expected a whole number from 32 to 2048/, 'add', path, good.replace('64', '6.4')],
    [/there is no parameter "more"/, 'add', path, good.replace('{', '{"more":1,')],
    [/params: expected JSON/, 'add', path, '{'],
    [/--state: expected one of running/, path, '--state', 'good'],
    [/--best: expected a whole number/, path, '--best', 'x'],
    [/cannot be used with/, path, '--csv', '--json'],
    [/does not exist/, 'nowhere'],
    [/holds no study/, join(path, 'trials')],
  ]
  for (const [pattern, ...args] of refused) {
    const { status, stdout, stderr } = gradus(...args)
    assert.equal([status, stdout], [2, ''], `${args.slice(0, 1)}: ${stderr}`)
    assert.match(stderr, pattern)
  }
  assert.is(readdirSync(join(path, 'trials')).length, 5, 'nothing was added by what was refused')
})

test('a trial that a worker takes or ends while it is to be stopped is the one or the other, never both', async () => {
  const { path } = await makeStudy(next(), description())
  const request = { by: 'person', why: 'enough' }
  await enqueueTrial(path, 0, suggestion(), draft)
  const waiting = read(path, 0)
  const held = await takeTrial(waiting, draft)
  assert.is(await stopTrial(waiting, request), 'asked', 'a worker was first')
  assert.is(readStop(held.path).why, 'enough')
  await held.finish(ending())
  const error = await failure(() => stopTrial(read(path, 0), request))
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  const ended = read(path, 0)
  await retryEnded(ended)
  assert.is(readStop(held.path), null)
  assert.is((await failure(() => retryEnded(ended))).code, 'GRADUS_INVALID_ARGUMENT', 'somebody was first')
})

test('a lost trial that is tried again has all its retries, and a run that no zombie writes to', async () => {
  const { path } = await makeStudy(next(), description())
  await createTrial(path, 0, suggestion(), draft)
  for (let time = 0; time < 3; time++) await takeTrial(read(path, 0), draft)
  assert.is(read(path, 0).takeovers, 3)
  assert.is(await endTrial(read(path, 0), { state: 'lost', reason: 'three times' }), true)
  await retryEnded(read(path, 0))
  const { run } = read(path, 0).claim.record
  const held = await takeTrial(read(path, 0), draft)
  assert.equal([held.record.reason, read(path, 0).takeovers], ['retried', 0])
  assert.is.not(held.record.run, run)
})

test.run()
