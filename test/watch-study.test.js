// What the live page's server tells of a study, who may change it, and studies that nobody honest wrote.
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createTrial, makeStudy, readStop, readTrial } from '../dist/study/index.js'
import { startServer } from '../dist/watch/server/index.js'
import { unpackBytes } from '../dist/watch/server/packed.js'
import { trialStates } from '../dist/watch/server/study/study-wire.js'
import { description, suggestion } from './support/studies.js'
import { until } from './support/until.js'
import { accuracyOf, fillStudy, paramsOf } from './support/whole-study.js'
import { RunWriter } from './support/write-run.js'

const watching = suite('watch study')
const folder = mkdtempSync(join(tmpdir(), 'gradus-watch-study-'))
const outside = mkdtempSync(join(tmpdir(), 'gradus-beside-'))
const { running, trial: pathOf } = await fillStudy(join(folder, 'mnist'), 44)
new RunWriter(join(folder, 'mnist', 'trials', '00003', 'run.1')).train(2, 10).end()
new RunWriter(join(folder, 'alone')).steps(10)
await fillStudy(join(folder, 'staged'), 60, {
  stages: [
    { trials: 30, epochs: 1 },
    { trials: 30, epochs: 5 },
  ],
})

const opened = []
/** A server of the folder, and how it is asked. */
async function serve(path, options) {
  const server = await startServer(path, options)
  opened.push(server)
  const { origin, hash } = new URL(server.url)
  const token = hash.replace('#token=', '')
  const headers = { authorization: `Bearer ${token}` }
  const ask = async (address) => {
    const response = await fetch(origin + address, { headers })
    const text = await response.text()
    return { status: response.status, text, value: JSON.parse(text) }
  }
  /** Of trials, which come as bytes. */
  const columns = async (address) => unpackBytes(await (await fetch(origin + address, { headers })).arrayBuffer())
  const ready = async (name) => {
    await until(async () => (await ask(`/api/study?study=${encodeURIComponent(name)}`)).value.progress === null)
    const [view, importance] = await Promise.all(
      ['study', 'importance'].map((what) => ask(`/api/${what}?study=${encodeURIComponent(name)}`)),
    )
    return { ...view.value, importance: importance.value }
  }
  return { origin, token, ask, columns, ready }
}
const controlled = await serve(folder, { control: true })
const plain = await serve(folder)
watching.after(async () => {
  for (const server of opened) await server.close()
  running.drop()
  for (const path of [folder, outside]) rmSync(path, { recursive: true })
})

/** Headers as a browser sends them from the page; `headers` in place of its own, null to leave one out. */
function post(path, body, headers = {}, { origin, token } = controlled) {
  const all = { authorization: `Bearer ${token}`, origin, 'content-type': 'application/json', ...headers }
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
  const text = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const asked = request(`${origin}${path}`, { method: headers.method ?? 'POST', headers: sent }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    asked.on('error', reject)
    asked.setHeader('content-length', Buffer.byteLength(text))
    asked.end(text)
  })
}
const state = (number) => readTrial(number, pathOf(number)).state

watching('studies are listed beside runs, and a folder that is one is found', async () => {
  const { value } = await plain.ask('/api/runs')
  assert.equal(
    value.runs.map(({ name }) => name),
    ['alone'],
  )
  assert.equal(value.studies, [
    { name: 'mnist', trials: 47 },
    { name: 'staged', trials: 63 },
  ])
  const own = await serve(join(folder, 'mnist'))
  assert.equal((await own.ask('/api/runs')).value.studies, [{ name: '.', trials: 47 }])
  assert.is((await own.ready('.')).counts.complete, 40)
})

watching('a study is told as it stands: counts, best, who runs what', async () => {
  const view = await plain.ready('mnist')
  assert.equal(view.counts, { complete: 40, exploded: 4, paused: 2, running: 1 })
  assert.is(view.planned, 73)
  assert.is(view.stage, null)
  const values = Array.from({ length: 44 }, (_, i) => (i % 11 === 7 ? -1 : accuracyOf(paramsOf(i))))
  assert.is(view.best.value, Math.max(...values))
  assert.is(view.best.trial, values.indexOf(Math.max(...values)))
  assert.match(view.best.params.map(([path]) => path).join(), /^learningRate,hidden,dropout,optimizer,optimizer\./)
  assert.equal(view.workers, [{ worker: 'here.2', trial: 45, epoch: 1, budget: 5, value: 0.3, isSilent: false }])
  assert.is(view.canControl, false)
  const { shares, trials } = view.importance
  assert.is(trials, 44, 'complete and exploded ones')
  assert.is(shares.indexOf(Math.max(...shares)), 0, 'the learning rate')
})

watching('stages are told with their reasons, and importance is of one of them', async () => {
  const view = await plain.ready('staged')
  assert.equal(view.stage, { number: 2, of: 2, epochs: 5 })
  assert.match(view.stages[0].why[1], /^border: hidden/)
  assert.is(view.importance.stage, 2)
  assert.ok(view.importance.trials < 40)
})

watching('below 20 finished trials nothing is said of importance, but why', async () => {
  await fillStudy(join(folder, 'few'), 12)
  const few = await serve(join(folder, 'few'))
  const { importance } = await few.ready('.')
  assert.is(importance.shares, null)
  assert.match(importance.why, /needs 20 finished trials.*are 12/)
  rmSync(join(folder, 'few'), { recursive: true })
})

watching('trials come as columns, and later only those that have changed', async () => {
  await plain.ready('mnist')
  const all = await plain.columns('/api/trials?study=mnist')
  assert.is(all.isWhole, true)
  assert.is(all.number.length, 47)
  assert.equal(
    [...all.state.slice(0, 8)].map((number) => trialStates[number]),
    [...Array(7).fill('complete'), 'exploded'],
  )
  assert.ok(Math.abs(all.value[3] - accuracyOf(paramsOf(3))) < 1e-6)
  assert.ok(Math.abs(all.params[0][3] / paramsOf(3).learningRate - 1) < 1e-6)
  // Of two branches each trial has the parameter of one.
  assert.is(Number.isNaN(all.params[4][3]) + Number.isNaN(all.params[5][3]), 1)
  assert.equal([...all.curveLength.slice(6, 8)], [5, 3])
  const after = `/api/trials?study=mnist&generation=${all.generation}&since=`
  const none = await plain.columns(after + all.version)
  assert.equal([none.isWhole, none.number.length], [false, 0])
  await running.report(2, 0.35)
  let more
  await until(async () => {
    more = await plain.columns(after + all.version)
    return more.number.length > 0
  })
  assert.equal([more.isWhole, ...more.number, ...more.curveLength], [false, 45, 2])
  const other = await plain.columns('/api/trials?study=mnist&generation=1&since=5')
  assert.equal([other.isWhole, other.number.length], [true, 47])
  // Whoever asks before it has been read is told when it has been.
  const early = await (await serve(folder)).columns('/api/trials?study=mnist')
  assert.equal(early.number, other.number)
})

watching('one trial is told with its history, and its runs as those of a folder', async () => {
  await plain.ready('mnist')
  const { value } = await plain.ask('/api/trial?study=mnist&trial=7')
  assert.is(value.state, 'exploded')
  assert.is(value.reason, 'the loss is not finite')
  assert.equal(value.curveValues.slice(-1), [null])
  assert.match(value.history.map(({ text }) => text).join('; '), /^begun by here\.2; exploded after epoch 3$/)
  const runs = (await plain.ask('/api/runs?study=mnist&trial=3')).value
  assert.equal([runs.folder, runs.canControl, runs.runs.map(({ name }) => name)], ['00003', false, ['run.1']])
  const run = await plain.ask('/api/run?study=mnist&trial=3&run=run.1')
  assert.is(run.value.status, 'finished')
  assert.equal((await plain.ask('/api/runs?study=mnist&trial=4')).value.runs, [])
  for (const query of ['study=mnist&trial=99', 'study=other&trial=3', 'study=mnist&trial=-1', 'study=mnist&trial='])
    assert.ok([400, 404].includes((await plain.ask(`/api/runs?${query}`)).status), query)
})

watching('more trials are opened than are kept', async () => {
  await plain.ready('mnist')
  for (let number = 0; number < 40; number++)
    assert.is((await plain.ask(`/api/runs?study=mnist&trial=${number}`)).status, 200)
})

watching('a trial is stopped and given back, where that was allowed', async () => {
  await controlled.ready('mnist')
  assert.is(await post('/api/stop?study=mnist', { trial: 45, why: 'too <slow>' }), 200)
  assert.equal(readStop(pathOf(45)), { by: 'the page', why: 'too <slow>' })
  assert.is(await post('/api/stop?study=mnist', { trial: 44, why: '' }), 200)
  assert.is(state(44), 'stopped')
  assert.is((await controlled.ask('/api/trial?study=mnist&trial=44')).value.canRetry, true)
  assert.is(await post('/api/retry?study=mnist', { trial: 44, why: '' }), 200)
  assert.is(state(44), 'paused')
  assert.is(await post('/api/retry?study=mnist', { trial: 7, why: 'again' }), 200)
  assert.is(state(7), 'paused')
  // What has ended well is neither stopped nor tried again.
  for (const action of ['stop', 'retry'])
    assert.is(await post(`/api/${action}?study=mnist`, { trial: 0, why: '' }), 409, action)
  assert.is(state(0), 'complete')
})

watching('nobody else stops a trial: token, origin, address and body are looked at', async () => {
  await controlled.ready('mnist')
  const ask = (headers, body = { trial: 46, why: '' }, path = '/api/stop?study=mnist') => post(path, body, headers)
  assert.is(await ask({ authorization: null }), 401)
  assert.is(await ask({ authorization: null, cookie: `gradus=${controlled.token}` }), 401)
  assert.is(await ask({ authorization: 'Bearer wrong' }), 401)
  for (const origin of [null, 'null', 'http://evil.example', `${controlled.origin}.evil.example`])
    assert.is(await ask({ origin }), 403, origin)
  assert.is(await ask({ 'content-type': 'text/plain' }), 415)
  for (const body of [{}, { trial: '46', why: '' }, { trial: 46 }, { trial: 1.5, why: '' }, { trial: -1, why: '' }])
    assert.is(await ask({}, body), 422, JSON.stringify(body))
  assert.is(await ask({}, { trial: 46, why: 'x'.repeat(501) }), 422)
  assert.is(await ask({}, { trial: 46, why: '', more: 1 }), 422)
  assert.is(await ask({}, { trial: 4600, why: '' }), 404)
  for (const path of [
    '/api/stop?study=other',
    '/api/stop?study=../mnist',
    '/api/stops?study=mnist',
    '/api/study?study=mnist',
  ])
    assert.is(await ask({}, undefined, path), 404, path)
  for (const path of ['/api/stop', '/api/stop?study=mnist&study=mnist', '/api/stop?study=mnist&trial=46'])
    assert.is(await ask({}, undefined, path), 400, path)
  for (const method of ['PUT', 'DELETE', 'PATCH']) assert.is(await ask({ method }), 405, method)
  assert.is((await controlled.ask('/api/stop?study=mnist')).status, 404, 'not by GET')
  // Runs of trials are only looked at.
  assert.is(await ask({}, { text: '', tags: [] }, '/control/notes?study=mnist&trial=3&run=run.1'), 400)
  assert.is(await post('/api/stop?study=mnist', { trial: 46, why: '' }, {}, plain), 405, 'without --control')
  assert.is(state(46), 'paused')
  assert.is(readStop(pathOf(46)), null)
})

const tricky = '<img src=x onerror=alert(1)>'
const long = 'x'.repeat(1e5)

watching('a study that nobody honest wrote harms nothing', async () => {
  const path = join(folder, tricky)
  const hostile = {
    [tricky]: { kind: 'choice', values: [tricky, long] },
    constructor: { kind: 'uniform', low: 0, high: 1 },
    [long]: { kind: 'uniform', low: 0, high: 1 },
  }
  await makeStudy(
    path,
    description({ metric: long, space: hostile, versions: { [tricky]: long }, stages: [tricky, 5] }),
  )
  const params = { [tricky]: long, constructor: tricky, [long]: 0.5 }
  const held = await createTrial(path, 0, suggestion({ params, suggestedBy: long }), { worker: long, budget: 1 })
  await held.report(1, 0.5)
  await held.finish({ state: 'failed', epoch: 1, value: null, reason: long, details: null }, { sync: false })
  for (const number of [1, 2, 3]) await createTrial(path, number, suggestion(), { worker: tricky, budget: 1 })
  const of = (number, name) => join(path, 'trials', `0000${number}`, name)
  writeFileSync(of(1, '1.json'), '{"format":1,"__proto__":{"state":"complete"}}')
  writeFileSync(of(2, '2.json'), '{"format":1,"type":"res')
  appendFileSync(of(3, 'reports.1.jsonl'), '{"epoch":1,"value":0.5}\n{"epoch":2,"__proto__":{}}\n{"epo')
  mkdirSync(join(path, 'trials', '00004'))
  symlinkSync(outside, join(path, 'trials', '00005'))
  writeFileSync(join(outside, '1.json'), readFileSync(join(folder, 'mnist', 'trials', '00000', '1.json')))
  mkdirSync(join(path, 'plans'))
  writeFileSync(join(path, 'plans', '1.json'), '[]')
  for (const [name, text] of [
    ['torn', '{"format":1,"metric":'],
    ['proto', '{"format":1,"__proto__":{"metric":"x"}}'],
    ['list', '[]'],
    ['newer', '{"format":99}'],
  ]) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'study.json'), text)
  }
  symlinkSync(outside, join(folder, 'link'))
  writeFileSync(join(outside, 'study.json'), readFileSync(join(path, 'study.json')))

  const server = await serve(folder)
  const names = (await server.ask('/api/runs')).value.studies.map(({ name }) => name)
  assert.ok(!names.includes('link'), 'it leads out')
  const view = await server.ready(tricky)
  assert.match(view.problem, /plans.*expected an object/)
  assert.is(view.damaged.count, 3)
  assert.is(view.counts.failed, 1)
  for (const address of ['/api/study', '/api/trial', '/api/runs']) {
    const more = address === '/api/study' ? '' : '&trial=0'
    const { status, text } = await server.ask(`${address}?study=${encodeURIComponent(tricky)}${more}`)
    assert.is(status, 200, address)
    assert.not.match(text, /[<>]/, address)
    assert.ok(text.length < 20_000, `${address}: ${text.length} characters`)
  }
  const columns = await server.columns(`/api/trials?study=${encodeURIComponent(tricky)}`)
  assert.ok(columns.workers.every((name) => name.length <= 60))
  assert.is((await server.ask(`/api/runs?study=${encodeURIComponent(tricky)}&trial=5`)).status, 404, 'a link')
  for (const name of ['torn', 'proto', 'list', 'newer']) {
    const { problem } = await server.ready(name)
    assert.match(problem, /study\.json/, name)
    assert.is((await server.ask(`/api/trials?study=${name}`)).status, 503, name)
  }
  assert.is({}.metric, undefined)
})

watching.run()
