// What `gradus watch --control` lets the page change, and who may ask for it.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startServer } from '../dist/watch/server/index.js'
import { RunWriter } from './support/write-run.js'

const control = suite('watch control')
const folder = mkdtempSync(join(tmpdir(), 'gradus-control-'))

new RunWriter(join(folder, 'ended')).steps(10)
new RunWriter(join(folder, 'kept')).train(1, 10).end()
new RunWriter(join(folder, 'going on')).steps(10)
symlinkSync(join(folder, 'kept'), join(folder, 'link'))
const server = await startServer(folder, { control: true })
const { origin, hash } = new URL(server.url)
const token = hash.replace('#token=', '')
control.after(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

/** Headers as a browser sends them from the page; `headers` in place of its own, null to leave one out. */
function post(path, body, headers = {}) {
  const all = { authorization: `Bearer ${token}`, origin, 'content-type': 'application/json', ...headers }
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const asked = request(`${origin}${path}`, { method: 'POST', headers: sent }, (response) => {
      let answer = ''
      response.on('data', (data) => {
        answer += data
      })
      response.on('end', () => resolve({ status: response.statusCode, answer }))
    })
    asked.on('error', reject)
    asked.setHeader('content-length', Buffer.byteLength(text))
    asked.end(text)
  })
}

async function runs() {
  const response = await fetch(`${origin}/api/runs`, { headers: { authorization: `Bearer ${token}` } })
  return await response.json()
}

const noted = async (name) => (await runs()).runs.find((run) => run.name === name)?.notes

control('notes and tags are kept in the run directory and told to the page', async () => {
  assert.is((await runs()).canControl, true)
  assert.equal(await noted('kept'), { text: '', tags: [] })
  const notes = { text: 'a wider <first> layer\nsecond line', tags: ['baseline', 'baseline', 'x'] }
  assert.is((await post('/control/notes?run=kept', notes)).status, 200)
  assert.equal(await noted('kept'), { ...notes, tags: ['baseline', 'x'] })
  assert.equal(JSON.parse(readFileSync(join(folder, 'kept', 'notes.json'), 'utf8')), await noted('kept'))
  assert.is((await post('/control/notes?run=kept', { text: '', tags: [] })).status, 200)
  assert.equal(await noted('kept'), { text: '', tags: [] })
})

control('notes that are none are refused, and a damaged file counts as none', async () => {
  const bad = [
    {},
    { text: 1, tags: [] },
    { text: 'a', tags: 'b' },
    { text: 'a', tags: [' b'] },
    { text: 'a', tags: [''] },
  ]
  bad.push({ text: 'a'.repeat(10_001), tags: [] }, { text: '', tags: ['b'.repeat(41)] })
  bad.push({ text: '', tags: Array.from({ length: 21 }, (_, i) => `t${i}`) })
  for (const notes of bad) assert.is((await post('/control/notes?run=kept', notes)).status, 422, JSON.stringify(notes))
  for (const body of ['', '[]', '1', '{', 'null']) {
    assert.is((await post('/control/notes?run=kept', body)).status, 400, body)
  }
  const other = await startServer(folder)
  for (const text of ['{', '[]', '{"text":1}', ' '.repeat(200_000)]) {
    writeFileSync(join(folder, 'kept', 'notes.json'), text)
    const { host, hash } = new URL(other.url)
    const headers = { authorization: `Bearer ${hash.replace('#token=', '')}` }
    const list = await (await fetch(`http://${host}/api/runs`, { headers })).json()
    assert.equal(list.runs.find(({ name }) => name === 'kept').notes, { text: '', tags: [] }, text.slice(0, 9))
  }
  await other.close()
  rmSync(join(folder, 'kept', 'notes.json'))
})

control('notes are neither read nor written through links', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'gradus-beside-'))
  const elsewhere = join(outside, 'notes.json')
  writeFileSync(elsewhere, JSON.stringify({ text: 'not of this run', tags: [] }))
  // After the run was found: then, what leads out is refused as a whole.
  symlinkSync(elsewhere, join(folder, 'kept', 'notes.json'))
  assert.is((await post('/control/notes?run=kept', { text: 'new', tags: [] })).status, 422)
  assert.equal(JSON.parse(readFileSync(elsewhere, 'utf8')), { text: 'not of this run', tags: [] })
  assert.equal(await noted('kept'), { text: '', tags: [] })
  for (const path of [join(folder, 'kept', 'notes.json'), outside]) rmSync(path, { recursive: true })
})

control('nobody but the page itself may ask: token, origin and kind of body are looked at', async () => {
  const ask = async (headers, body = { text: 'x', tags: [] }) =>
    (await post('/control/notes?run=kept', body, headers)).status
  assert.is(await ask({ authorization: null }), 401)
  assert.is(await ask({ authorization: null, cookie: `gradus=${token}` }), 401)
  assert.is(await ask({ authorization: 'Bearer wrong' }), 401)
  for (const from of [null, 'null', 'http://evil.example', origin.replace('http', 'https'), `${origin}.evil.example`]) {
    assert.is(await ask({ origin: from }), 403, from)
  }
  assert.is(await ask({ host: 'evil.example' }), 421)
  for (const type of [null, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    assert.is(await ask({ 'content-type': type }), 415, type)
  }
  assert.is(await ask({}, { text: 'x'.repeat(70_000), tags: [] }), 413)
  assert.equal(await noted('kept'), { text: '', tags: [] })
})

control('addresses and names are looked up', async () => {
  for (const run of ['', 'nothing', '..', '../kept', '%2e%2e', 'kept/']) {
    for (const action of ['notes', 'delete']) {
      const { status } = await post(`/control/${action}?run=${run}`, { text: '', tags: [] })
      assert.is(status, 404, `${action} ${run}`)
    }
  }
  for (const path of ['/control/nothing?run=kept', '/control/', '/api/runs', '/', '/page.js', '/events']) {
    assert.is((await post(path, {})).status, 404, path)
  }
  for (const query of ['', '?run=kept&run=kept', '?run=kept&other=1']) {
    assert.is((await post(`/control/delete${query}`, {})).status, 400, query)
  }
  const got = await fetch(`${origin}/control/delete?run=kept`, { headers: { authorization: `Bearer ${token}` } })
  assert.is(got.status, 404)
  assert.ok(existsSync(join(folder, 'kept', 'run.json')))
})

control('a run is deleted for good, and nothing beside it', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'gradus-beside-'))
  writeFileSync(join(outside, 'safe.txt'), 'safe')
  const doomed = join(folder, 'doomed')
  new RunWriter(doomed).train(1, 10).end()
  mkdirSync(join(doomed, 'checkpoints'))
  writeFileSync(join(doomed, 'checkpoints', 'a'), '1')
  await runs()
  // After it was found: links that lead out are not followed.
  symlinkSync(outside, join(doomed, 'checkpoints', 'out'))
  for (const name of ['going on', 'link']) {
    const { status, answer } = await post(`/control/delete?run=${encodeURIComponent(name)}`, {})
    assert.is(status, 409, answer)
  }
  const before = readdirSync(folder).filter((name) => name !== 'doomed')
  assert.is((await post('/control/delete?run=doomed', {})).status, 200)
  assert.equal(readdirSync(folder), before)
  assert.is(readFileSync(join(outside, 'safe.txt'), 'utf8'), 'safe')
  assert.not.ok((await runs()).runs.some(({ name }) => name === 'doomed'))
  rmSync(outside, { recursive: true })
})

control('the folder that is watched is not deleted, though it be a run', async () => {
  const own = await startServer(join(folder, 'kept'), { control: true })
  const url = new URL(own.url)
  const headers = { origin: url.origin, authorization: `Bearer ${url.hash.replace('#token=', '')}` }
  const asked = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{}' }
  assert.is((await fetch(`${url.origin}/control/delete?run=.`, asked)).status, 409)
  assert.ok(existsSync(join(folder, 'kept', 'run.json')))
  await own.close()
})

control('without --control nothing can be changed', async () => {
  const plain = await startServer(folder)
  const url = new URL(plain.url)
  const headers = { origin: url.origin, authorization: `Bearer ${url.hash.replace('#token=', '')}` }
  const asked = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{}' }
  const refused = await fetch(`${url.origin}/control/delete?run=kept`, asked)
  assert.is(refused.status, 405)
  assert.is(refused.headers.get('allow'), 'GET, HEAD')
  assert.is((await (await fetch(`${url.origin}/api/runs`, { headers })).json()).canControl, false)
  await plain.close()
})

control.run()
