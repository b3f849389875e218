// Servers that a queue cannot be on, each told by one coded error; passwords and certificates, which show nowhere.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freePort, postgres, redis } from '../soak/queue/servers.js'
import { startCommand, writeStudy } from '../support/search-studies.js'
import { until } from '../support/until.js'

const test = suite('queue servers')
const root = mkdtempSync(join(tmpdir(), 'gradus-servers-'))
chmodSync(root, 0o755)
const study = writeStudy(root, { trials: 4 })
const open = []
test.after(async () => {
  for (const server of open) await server.end()
  rmSync(root, { recursive: true, force: true })
})
const started = async (starting) => {
  const server = await starting
  open.push(server)
  return server
}

const search = (url, ...more) =>
  startCommand('search', study, '--dir', join(root, 'study'), '--no-page', '--queue', url, ...more)

async function refused(url, problem) {
  for (const command of [search(url), startCommand('worker', study, '--queue', url)]) {
    const { code, err } = await command.ended
    assert.is(code, 2, err)
    const said = err.split('\n').filter((line) => line.startsWith('gradus: '))
    assert.is(said.length, 1, err)
    assert.match(said[0], problem)
    assert.not.match(err, '    at ')
  }
}

test('no server, none that answers, one that throws keys away, one that is too old, a wrong password', async () => {
  const nobody = await freePort()
  await refused(
    `redis://127.0.0.1:${nobody}`,
    /queue: redis:\/\/127\.0\.0\.1:\d+.*: it does not answer: .*ECONNREFUSED/,
  )
  await refused(`postgres://127.0.0.1:${nobody}/x`, /it does not answer: .*ECONNREFUSED/)
  const evicting = await started(redis(root, { more: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'] }))
  await refused(evicting.url, 'its maxmemory-policy is allkeys-lru, by which jobs may vanish; set it to noeviction')
  const locked = await started(redis(root, { more: ['--requirepass', 's3cret'] }))
  await refused(locked.url.replace('//', '//:wr0ng@'), /it does not answer: .*(WRONGPASS|invalid)/)
  const old = createServer((socket) => {
    const info = 'redis_version:5.0.14\r\n'
    socket.on('error', () => undefined)
    // What each command begins with, behind its number of words.
    socket.on('data', (text) => {
      for (const [, name] of `${text}`.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        if (/info/i.test(name)) socket.write(`$${info.length}\r\n${info}\r\n`)
        else if (/hello/i.test(name)) socket.write("-ERR unknown command 'HELLO'\r\n")
        else socket.write('+OK\r\n')
      }
    })
  }).listen(0, '127.0.0.1')
  old.unref()
  await until(() => old.address() !== null)
  await refused(`redis://127.0.0.1:${old.address().port}`, 'it is Redis 5.0; 6.2 or newer is needed')
  old.close()
})

/** All that a search has written, and what the machine's other users see of it. */
function textsBelow(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
}

/** Searches with a worker beside, and looks whether the secret shows anywhere. */
async function searched(url, secret, env = {}) {
  rmSync(join(root, 'study'), { recursive: true, force: true })
  Object.assign(process.env, env)
  const master = search(url)
  const worker = startCommand('worker', study, '--queue', url)
  const lines = []
  const looking = setInterval(() => {
    for (const { child } of [master, worker]) {
      try {
        lines.push(readFileSync(`/proc/${child.pid}/cmdline`, 'utf8') || lines.at(-1))
      } catch {
        // It has ended.
      }
    }
  }, 10)
  const ends = await Promise.all([master.ended, worker.ended])
  clearInterval(looking)
  for (const name of Object.keys(env)) delete process.env[name]
  for (const { code, err } of ends) assert.is(code, 0, err)
  // As long as Node.js itself starts, nobody can hide what it was started with.
  assert.not(lines.at(-1).includes(secret))
  assert.match(lines.at(-1), '***')
  const texts = [...ends.flatMap(({ out, err }) => [out, err]), ...textsBelow(join(root, 'study'))]
  for (const text of texts) assert.not(text.includes(secret), text)
}

const folderFor = (name) => {
  const folder = join(root, name)
  mkdirSync(folder, { mode: 0o755 })
  return folder
}

test('passwords of Redis and PostgreSQL work, and show in no file, no output, and not in ps', async () => {
  const locked = await started(redis(root, { more: ['--requirepass', 's3cret%21'] }))
  await searched(locked.url.replace('//', `//:${encodeURIComponent('s3cret%21')}@`), 's3cret')
  const database = await started(postgres(folderFor('locked'), { password: 's3cret%21' }))
  const withPassword = (password) => database.url.replace('postgres@', `postgres:${encodeURIComponent(password)}@`)
  await searched(withPassword('s3cret%21'), 's3cret')
  await refused(withPassword('wr0ng'), /it does not answer: .*password/)
})

/** Of an authority of its own, as files. */
function makeCertificates() {
  const ssl = (text) => execFileSync('openssl', text.split(' '), { cwd: root, stdio: 'ignore' })
  const key = (name) => `-newkey rsa:2048 -nodes -keyout ${name}.key`
  ssl(`req -x509 ${key('ca')} -out ca.pem -days 2 -subj /CN=test`)
  for (const name of ['server', 'client']) {
    ssl(`req ${key(name)} -out ${name}.csr -subj /CN=localhost`)
    ssl(`x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out ${name}.pem -days 2`)
  }
  return (name) => join(root, name)
}

test('Redis over TLS, with certificates on both sides; PostgreSQL over TLS', async () => {
  const at = makeCertificates()
  const port = await freePort()
  const files = { cert: at('server.pem'), key: at('server.key'), 'ca-cert': at('ca.pem') }
  const more = Object.entries(files).flatMap(([name, file]) => [`--tls-${name}-file`, file])
  await started(redis(root, { more: ['--tls-port', `${port}`, ...more, '--requirepass', 's3cret'] }))
  const url = `rediss://:s3cret@localhost:${port}`
  const env = { GRADUS_QUEUE_CA: at('ca.pem'), GRADUS_QUEUE_CERT: at('client.pem'), GRADUS_QUEUE_KEY: at('client.key') }
  await searched(url, 's3cret', env)
  await refused(url, /it does not answer: .*(certificate|self-signed|issuer)/)

  const certificate = [at('server.pem'), at('server.key')]
  const database = await started(postgres(folderFor('encrypted'), { password: 's3cret', certificate }))
  const plain = database.url.replace('postgres@127.0.0.1', 'postgres:s3cret@localhost')
  await searched(`${plain}?sslmode=verify-full&sslrootcert=${at('ca.pem')}`, 's3cret')
  await refused(plain, /it does not answer: .*(encryption|pg_hba)/)
  await refused(`${plain}?sslmode=verify-full`, /it does not answer: .*(certificate|self-signed|issuer)/)
})

test.run()
