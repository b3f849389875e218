// The live page's server against requests that nobody honest sends: each is refused, and the server goes on.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startServer } from '../dist/watch/server/index.js'
import { failure } from './support/reference.js'
import { until } from './support/until.js'
import { RunWriter } from './support/write-run.js'

const watching = suite('watch server')
const outside = mkdtempSync(join(tmpdir(), 'gradus-outside-'))
const folder = mkdtempSync(join(tmpdir(), 'gradus-runs-'))
const secret = 'nobody may read this'
const tricky = '<img src=x onerror=alert(1)>'

writeFileSync(join(outside, 'secret.txt'), secret)
new RunWriter(join(outside, 'run')).steps(10)
writeFileSync(join(folder, 'secret.txt'), secret)
for (const name of ['plain', tricky, '__proto__', 'constructor']) new RunWriter(join(folder, name)).steps(50)
symlinkSync(join(outside, 'run'), join(folder, 'link'))
new RunWriter(join(folder, 'with-link')).steps(10)
symlinkSync(join(outside, 'secret.txt'), join(folder, 'with-link', 'notes.txt'))
for (const [name, text] of Object.entries({ torn: '{"format":', empty: '', list: '[]', other: '{"format":99}' })) {
  mkdirSync(join(folder, name))
  writeFileSync(join(folder, name, 'run.json'), text)
}
const server = await startServer(folder)
const { origin, host, port, hash } = new URL(server.url)
const token = hash.replace('#token=', '')
watching.after(async () => {
  await server.close()
  for (const path of [folder, outside]) rmSync(path, { recursive: true })
})

/** What comes back on a bare socket, as text. */
function raw(text) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.setTimeout(120_000, () => socket.destroy(new Error('no answer')))
    socket.on('data', (data) => {
      answer += data
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', (error) => (answer ? resolve(answer) : reject(error)))
  })
}

const statusOf = (answer) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)
const lines = (...all) => `${all.join('\r\n')}\r\n\r\n`
const bearer = () => `Authorization: Bearer ${token}`
const get = (path, ...more) => lines(`GET ${path} HTTP/1.1`, `Host: ${host}`, bearer(), 'Connection: close', ...more)

async function ask(path, headers = {}) {
  const response = await fetch(origin + path, { headers: { authorization: `Bearer ${token}`, ...headers } })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const paths = [
  ...['/../secret.txt', '/..%2fsecret.txt', '/..%2f..%2fetc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/..%252f..%252fetc'],
  ...['/....//....//etc/passwd', '//etc/passwd', '/etc/passwd', '/..\\..\\secret.txt', '/..%5c..%5csecret.txt'],
  ...['/page.js/../../secret.txt', '/page.js%00.css', '/page.js/', '/PAGE.JS', '/./page.js', '//page.js', '/page.js;x'],
  ...['/secret.txt', '/plain/run.json', '/api/plain/run.json', '/api', '/api/', '/api/run/', '/events/', '/%61pi/runs'],
  ...[
    '/__proto__',
    '/constructor',
    '/api/__proto__',
    '/api/constructor',
    '/favicon.ico',
    '/index.html',
    '/.git/config',
  ],
  ...[`/${'a'.repeat(3000)}`, '/%', '/%zz', '/%c0%ae%c0%ae/', '/api/runs%00', '/api/runs%0d%0aX: y', '/?a?b'],
]

watching('addresses that are none are refused, however they are written', async () => {
  for (const path of paths) {
    const answer = await raw(get(path))
    assert.ok([400, 404, 414].includes(statusOf(answer)), `${path.slice(0, 60)}: ${answer.slice(0, 60)}`)
    assert.not.ok(answer.includes(secret), path)
  }
})

const run = (name, more = '') => `/api/run?run=${name}${more}`
const queries = [
  ...['../plain', '..%2fplain', '%2e%2e%2fplain', '/etc', '%2Fetc%2Fpasswd', 'plain/..%2fplain', './plain', 'plain%00'],
  ...['', 'link', 'with-link', 'PLAIN', 'toString', 'hasOwnProperty', '..', '...', 'plain%0d%0a', 'a'.repeat(900)],
].map((name) => run(name))
queries.push('/api/run', run('plain', '&run=plain'), run('plain', '&other=1'), run('plain', '&__proto__=1'))
for (const range of [
  'from=-1',
  'from=1e3',
  'from=NaN',
  'from=',
  'to=1.5',
  'from=9&to=1',
  'from=99999999999999999999',
]) {
  queries.push(`/api/steps?run=plain&${range}`)
}
for (const buckets of ['0', '-1', '2049', '1e9', '0x10', '%31%30%30%30%30']) {
  queries.push(`/api/steps?run=plain&from=0&buckets=${buckets}`)
}
for (const rest of [
  '',
  '&kind=weights',
  '&kind=other&name=dense1',
  '&kind=weights&name=..%2fx',
  '&kind=__proto__&name=x',
]) {
  queries.push(`/api/histograms?run=plain${rest}`)
}
queries.push('/api/histograms?run=plain&kind=weights&name=dense1.weight&rows=100000', '/api/runs?x=1')

watching('names of runs are looked up, and numbers have bounds', async () => {
  for (const query of queries) {
    const { status, text } = await ask(query)
    assert.ok(status === 400 || status === 404, `${query.slice(0, 80)}: ${status}`)
    assert.is(JSON.parse(text).code, 'GRADUS_REFUSED', query)
  }
})

watching('only GET and HEAD are answered', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'PURGE', 'LINK']) {
    const answer = await raw(lines(`${method} / HTTP/1.1`, `Host: ${host}`, bearer(), 'Connection: close'))
    assert.is(statusOf(answer), 405, `${method}: ${answer.slice(0, 60)}`)
    assert.not.match(answer, /access-control/i)
  }
  for (const method of ['BREW', 'get', 'G\0T', '']) {
    assert.is(statusOf(await raw(lines(`${method} / HTTP/1.1`, `Host: ${host}`, bearer()))), 400, method)
  }
})

watching('a name that is not the server’s own, and pages from elsewhere, are refused', async () => {
  const call = (...more) => raw(lines('GET /api/runs HTTP/1.1', bearer(), 'Connection: close', ...more))
  for (const name of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1:1`,
    `127.0.0.1.nip.io:${port}`,
    '',
  ]) {
    assert.ok([400, 421].includes(statusOf(await call(`Host: ${name}`))), name)
  }
  assert.is(statusOf(await call()), 400, 'no Host')
  assert.is(statusOf(await call(`Host: localhost:${port}`)), 200)
  for (const from of ['http://evil.example', 'null', `https://${host}`, `http://${host}.evil.example`, 'file://', '']) {
    assert.is(statusOf(await call(`Host: ${host}`, `Origin: ${from}`)), 403, from)
  }
  assert.is(statusOf(await call(`Host: ${host}`, `Origin: ${origin}`)), 200)
})

watching('without the token there is nothing but the empty page, on this machine too', async () => {
  const call = (path, ...more) => raw(lines(`GET ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...more))
  for (const path of ['/api/runs', '/events', '/api/nothing', '/secret.txt', `/api/runs?token=${token}`]) {
    assert.is(statusOf(await call(path)), 401, path)
  }
  for (const header of ['Authorization: Bearer wrong', `Authorization: Basic ${token}`, 'Authorization: Bearer ']) {
    assert.is(statusOf(await call('/api/runs', header)), 401, header)
  }
  for (const path of ['/', '/page.js', '/page.css', `/?token=${token}`]) {
    const answer = await call(path)
    assert.is(statusOf(answer), 200, path)
    assert.not.ok(answer.includes(token), path)
  }
})

watching('no cookie lets anybody in: browsers send them to every port of a machine', async () => {
  const call = (path, ...more) => raw(lines(`GET ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...more))
  for (const name of [`gradus-${port}`, 'gradus', 'token']) {
    assert.is(statusOf(await call('/api/runs', `Cookie: ${name}=${token}`)), 401, name)
  }
  for (const path of ['/', `/?token=${token}`, '/page.js']) assert.not.match(await call(path, bearer()), /set-cookie/i)
  assert.not.match(await call('/api/runs', bearer()), /set-cookie/i)
  assert.is(new URL(server.url).search, '', 'what is in the fragment is sent to nobody')
})

watching('requests that are torn, smuggled or too large are refused', async () => {
  const texts = [
    'GARBAGE\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00',
    get('/', `X: ${'x'.repeat(20000)}`),
    get('/', ...Array.from({ length: 600 }, (_, i) => `X-${i}: ${'y'.repeat(20)}`)),
    get('/', 'Content-Length: 5').concat('hello'),
    get('/', 'Transfer-Encoding: chunked').concat('5\r\nhello\r\n0\r\n\r\n'),
    get('/', 'Content-Length: 5', 'Transfer-Encoding: chunked').concat('0\r\n\r\n'),
    get('/', 'Content-Length: -1'),
    get('/', 'X: a\0b'),
    get('/', 'X : y'),
    get('http://evil.example/'),
    lines('GET / HTTP/1.1', `Host: ${host}`, 'Host: evil.example', bearer()),
    lines('GET / HTTP/9.9', `Host: ${host}`, bearer()),
    lines('GET /\r\nX: y HTTP/1.1', `Host: ${host}`, bearer()),
  ]
  for (const text of texts) {
    const status = statusOf(await raw(text))
    assert.ok(status >= 400 && status !== 500, `${JSON.stringify(text.slice(0, 80))}: ${status}`)
  }
  const upgrade = get('/events', 'Upgrade: websocket').replace('Connection: close', 'Connection: Upgrade')
  assert.is(statusOf(await raw(upgrade)), 405)
})

watching('odd names and broken runs are data like any other', async () => {
  const { status, text, headers } = await ask('/api/runs')
  assert.is(status, 200)
  assert.not.match(text, /[<>&]/)
  assert.is(headers.get('access-control-allow-origin'), null)
  const { runs } = JSON.parse(text)
  const names = runs.map(({ name }) => name)
  for (const name of ['plain', tricky, '__proto__', 'constructor', 'torn', 'empty'])
    assert.ok(names.includes(name), name)
  for (const name of ['link', 'with-link']) assert.not.ok(names.includes(name), name)
  for (const name of ['torn', 'empty', 'list', 'other']) {
    assert.is(runs.find((one) => one.name === name).status, 'unreadable', name)
    const answer = await ask(run(name))
    assert.is(answer.status, 422)
    assert.is(JSON.parse(answer.text).code, 'GRADUS_BAD_FILE')
  }
  for (const name of [tricky, '__proto__']) assert.is((await ask(run(encodeURIComponent(name)))).status, 200, name)
})

watching('the pages that findings point to are there, and nothing beside them', async () => {
  const found = await fetch(`${origin}/docs/diagnosis/plateau.html`)
  assert.match(found.headers.get('content-type'), /^text\/html/)
  assert.match(await found.text(), /<h1><code>plateau<\/code>/)
  const beside = [
    '',
    'nothing.html',
    'plateau.md',
    '../../package.json',
    '%2e%2e/%2e%2e/package.json',
    '../checks/kinks.md',
    'plateau.html/',
  ]
  for (const name of beside) assert.is(statusOf(await raw(get(`/docs/diagnosis/${name}`))), 404, name)
})

watching('every answer forbids what the page does not need', async () => {
  for (const path of ['/', '/page.js', '/api/runs', '/nothing']) {
    const { headers } = await ask(path)
    assert.match(headers.get('content-security-policy'), /^default-src 'none'; script-src 'self';/)
    assert.not.match(headers.get('content-security-policy'), /unsafe|\*/)
    assert.is(headers.get('x-content-type-options'), 'nosniff')
    assert.is(headers.get('referrer-policy'), 'no-referrer')
    assert.is(headers.get('cross-origin-resource-policy'), 'same-origin')
    assert.is(headers.get('cache-control'), 'no-store')
  }
  const head = await fetch(`${origin}/api/runs`, { method: 'HEAD', headers: { authorization: `Bearer ${token}` } })
  assert.is(await head.text(), '')
})

/** Server-sent events as they come. */
function listen(headers = {}) {
  const events = []
  const asked = request(
    `${origin}/events`,
    { headers: { authorization: `Bearer ${token}`, ...headers } },
    (response) => {
      response.setEncoding('utf8')
      response.on('data', (text) => {
        for (const [, id, data] of text.matchAll(/id: (\d+)\ndata: (.*)\n/g)) {
          const { grown, ...news } = JSON.parse(data)
          events.push({ id, ...news, runs: grown.map(({ name }) => name), grown })
        }
      })
      response.on('error', () => {})
    },
  )
  asked.on('error', () => {})
  asked.end()
  return { events, close: () => asked.destroy() }
}

watching('events tell which run grew, and what was missed', async () => {
  const writer = new RunWriter(join(folder, 'growing'))
  writer.steps(5)
  const first = listen()
  await until(() => first.events.some(({ runs }) => runs.includes('growing')))
  await until(() => first.events.length >= 2)
  const before = first.events.length
  writer.steps(5)
  await until(() => first.events.slice(before).some(({ runs }) => runs.join() === 'growing'))
  const seen = first.events.at(-1).id
  first.close()
  const late = listen({ 'Last-Event-ID': seen })
  await until(() => late.events.length > 0)
  assert.equal(late.events[0].runs, [])
  late.close()
  const stranger = listen({ 'Last-Event-ID': '-1e9' })
  await until(() => stranger.events.length > 0)
  assert.ok(stranger.events[0].runs.length >= 4)
  stranger.close()
})

watching('too many listeners are sent away', async () => {
  const clients = Array.from({ length: 24 }, () => listen())
  await until(() => clients.every(({ events }) => events.length > 0))
  assert.is((await ask('/events')).status, 503)
  for (const client of clients) client.close()
})

watching('who listens beyond this machine must give a token', async () => {
  const code = 'GRADUS_INVALID_ARGUMENT'
  assert.is((await failure(() => startServer(folder, { host: '0.0.0.0' }))).code, code)
  assert.match((await failure(() => startServer(folder, { host: '0.0.0.0' }))).message, /can be reached by others/)
  assert.is((await failure(() => startServer(folder, { host: '0.0.0.0', token: 'short' }))).code, code)
  for (const bad of [-1, 65536, 1.5, Number.NaN])
    assert.is((await failure(() => startServer(folder, { port: bad }))).code, code)
  assert.is((await failure(() => startServer(folder, { port: Number(port) }))).code, code)
})

watching('after all that it still answers', async () => {
  assert.is((await ask('/api/runs')).status, 200)
  assert.ok(token.length >= 22)
})

watching.run()
