// Files on their way: over HTTP and through a folder, whole or not at all, for whoever has the token, within the limit.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactClient } from '../dist/search/queue/artifact-client.js'
import { ArtifactServer } from '../dist/search/queue/artifact-server.js'
import { ArtifactFolder } from '../dist/search/queue/artifacts.js'
import { fetchRun, notePlaced, offerRun, placeRun, RunSender, readPlaced } from '../dist/search/queue/run-files.js'

const tests = suite('queue artifacts')
const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex')
const entryOf = (bytes, path = 'a.bin') => ({ path, bytes: bytes.length, sha256: hashOf(bytes) })

tests.before.each(async (context) => {
  context.root = mkdtempSync(join(tmpdir(), 'gradus-artifacts-'))
  const store = new ArtifactFolder(join(context.root, 'store'))
  context.folder = store.room('x.1.1')
  const options = { host: '127.0.0.1', port: 0, token: 'right', limit: 100_000 }
  context.server = await ArtifactServer.start(store, options)
  context.store = store
  context.end = new AbortController()
  context.client = (token = 'right') =>
    new ArtifactClient({ url: context.server.url, token }, context.end.signal).room('x.1.1')
  context.write = (name, bytes) => {
    const path = join(context.root, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, bytes)
    return path
  }
})
tests.after.each(async ({ server, root, end }) => {
  end.abort()
  await server.close()
  rmSync(root, { recursive: true })
})

const refused = (work, problem) =>
  work.then(
    () => assert.unreachable('it was taken'),
    (error) => {
      assert.is(error.code, 'GRADUS_ARTIFACT', error.stack)
      assert.match(error.message, problem)
    },
  )

tests('bytes come through, none and many of them', async ({ client, write, root, folder }) => {
  for (const size of [0, 1, 99_999]) {
    const bytes = Buffer.alloc(size, size % 251)
    const entry = entryOf(bytes)
    await client().put(write('from', bytes), entry)
    await client().get(entry, join(root, 'to/deep/file'))
    assert.equal(readFileSync(join(root, 'to/deep/file')), bytes)
    assert.equal(readFileSync(folder.pathOf(entry)), bytes)
  }
})

tests(
  'a wrong token, a file over the limit, a wrong SHA-256: refused, and nothing is left of it',
  async ({ client, write, folder, root }) => {
    const bytes = Buffer.from('some bytes')
    await refused(client('wrong').put(write('a', bytes), entryOf(bytes)), 'a.bin: the master refuses it: wrong token')
    await refused(
      client().put(write('b', Buffer.alloc(100_001)), entryOf(Buffer.alloc(100_001))),
      'limit of 100000 bytes',
    )
    const other = { ...entryOf(bytes), sha256: hashOf('other') }
    await refused(client().put(write('c', bytes), other), 'not those of its SHA-256')
    assert.equal(readdirSync(folder.path), [])
    await refused(client().get(entryOf(bytes), join(root, 'x')), 'not there any more')
    // The bytes at the master are damaged.
    writeFileSync(folder.pathOf(entryOf(bytes)), 'other byte')
    await refused(client().get(entryOf(bytes), join(root, 'x')), 'not those of its SHA-256')
    assert.not(existsSync(join(root, 'x')))
    await refused(folder.get(entryOf(bytes), join(root, 'y')), 'not those of its SHA-256')
    assert.not(existsSync(join(root, 'y')))
  },
)

const answerTo = (url, options, body = '') =>
  new Promise((resolve, reject) => {
    const sending = request(url, options, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode))
    })
    sending.once('error', reject)
    sending.end(body)
  })

tests('nothing but bytes by their SHA-256 can be asked for', async ({ server, write, folder }) => {
  const headers = { authorization: 'Bearer right' }
  write('secret', 'x')
  for (const path of [
    '/',
    '/artifacts/',
    '/artifacts/../secret',
    `/artifacts/x.1.1/${'a'.repeat(63)}`,
    `/artifacts/../${'a'.repeat(64)}`,
    `/artifacts/..%2F/${'a'.repeat(64)}`,
    `/artifacts/.x/${'a'.repeat(64)}`,
    '/artifacts/..%2Fsecret',
  ]) {
    assert.is(await answerTo(`${server.url}${path}`, { headers }), 404, path)
  }
  const place = `${server.url}/artifacts/x.1.1/${hashOf('x')}`
  assert.is(await answerTo(place, { headers, method: 'DELETE' }), 405)
  assert.is(await answerTo(place, { headers, method: 'POST' }, 'x'), 405)
  assert.is(await answerTo(place, { method: 'PUT' }, 'x'), 401)
  assert.is(await answerTo(place, { headers: { authorization: 'right' } }), 401)
  assert.is(await answerTo(place, { headers, method: 'PUT' }, 'x'), 201)
  assert.is(readFileSync(folder.pathOf(entryOf('x')), 'utf8'), 'x')
})

tests('a link that is cut for a moment costs a moment', async ({ client, write, server, root, store }) => {
  const entry = entryOf(Buffer.from('x'))
  const patient = client()
  const { port } = new URL(server.url)
  await server.close()
  const putting = patient.put(write('x', 'x'), entry)
  const again = await ArtifactServer.start(store, { host: '127.0.0.1', port: Number(port), token: 'right', limit: 10 })
  await putting
  await patient.get(entry, join(root, 'y'))
  assert.is(readFileSync(join(root, 'y'), 'utf8'), 'x')
  await again.close()
})

tests(
  'a file that is removed before or while it is sent: said at once, or sent all the same',
  async ({ client, write, folder }) => {
    const bytes = Buffer.alloc(99_999, 7)
    const path = write('x', bytes)
    const putting = client().put(path, entryOf(bytes))
    await new Promise((resolve) => setImmediate(resolve))
    rmSync(path)
    await putting.catch(({ code }) => assert.is(code, 'ENOENT'))
    await client()
      .put(path, entryOf(bytes))
      .then(
        () => assert.unreachable('it was sent'),
        ({ code }) => assert.is(code, 'ENOENT'),
      )
    // Where nothing was sent there is no folder.
    const stored = existsSync(folder.path) ? readdirSync(folder.path) : []
    for (const name of stored) assert.equal(readFileSync(join(folder.path, name)), bytes)
  },
)

tests('a run goes there and back: all files but claims and what is half written', async ({ folder, write, root }) => {
  for (const path of [
    'run.json',
    'metrics.jsonl',
    'checkpoints/a.safetensors',
    'own/x',
    'claims/1.json',
    '.gradus-h-0-1-2-3.tmp',
  ])
    write(`run/${path}`, path)
  const files = await offerRun(join(root, 'run'), folder)
  const paths = files.map(({ path }) => path).sort()
  assert.equal(paths, ['checkpoints/a.safetensors', 'metrics.jsonl', 'own/x', 'run.json'])
  await fetchRun(join(root, 'there'), files, folder)
  for (const path of paths) assert.is(readFileSync(join(root, 'there', path), 'utf8'), path)
  // There it goes on: one checkpoint for another, and a journal that grows.
  rmSync(join(root, 'there/checkpoints/a.safetensors'))
  write('there/checkpoints/b.safetensors', 'b')
  write('there/metrics.jsonl', 'longer')
  const sender = new RunSender(join(root, 'there'), folder, files)
  assert.ok(await sender.hasNew())
  const sent = await sender.send()
  assert.not(await sender.hasNew())
  await placeRun(join(root, 'run'), sent, folder)
  // Told once more: the bytes have been moved away, and lie where they should.
  await placeRun(join(root, 'run'), sent, folder)
  assert.equal(readdirSync(join(root, 'run/checkpoints')), ['b.safetensors'])
  assert.is(readFileSync(join(root, 'run/metrics.jsonl'), 'utf8'), 'longer')
  assert.is(readFileSync(join(root, 'run/claims/1.json'), 'utf8'), 'claims/1.json')
  const missing = { path: 'z', bytes: 9, sha256: hashOf('never sent') }
  await refused(placeRun(join(root, 'run'), [...sent, missing], folder), 'z: its bytes have not come')
})

tests(
  'files of the same bytes, of two jobs and of one: none takes the place of another',
  async ({ store, write, root }) => {
    const paths = ['latest.json', 'own/one', 'own/two']
    const rooms = ['x.1.1', 'x.2.1'].map((name) => store.room(name))
    const sent = []
    for (const [i, room] of rooms.entries()) {
      for (const path of paths) write(`from-${i}/${path}`, 'the same')
      sent.push(await new RunSender(join(root, `from-${i}`), room, []).send())
    }
    await placeRun(join(root, 'to-0'), sent[0], rooms[0])
    await rooms[0].remove()
    assert.equal(await store.rooms(), ['x.2.1'])
    await placeRun(join(root, 'to-1'), sent[1], rooms[1])
    for (const i of [0, 1])
      for (const path of paths) assert.is(readFileSync(join(root, `to-${i}`, path), 'utf8'), 'the same')
  },
)

tests(
  'what a job was offered stays for whoever begins it anew; what lies in the run is noted',
  async ({ folder, write, root }) => {
    write('run/run.json', 'run')
    write('run/metrics.jsonl', 'one')
    const offered = await offerRun(join(root, 'run'), folder)
    await fetchRun(join(root, 'first'), offered, folder)
    write('first/metrics.jsonl', 'two')
    const sent = await new RunSender(join(root, 'first'), folder, offered).send()
    assert.is(await readPlaced(folder), null)
    await notePlaced(folder, { execution: 'a', sendings: 7 })
    await placeRun(join(root, 'run'), sent, folder, offered)
    assert.is(readFileSync(join(root, 'run/metrics.jsonl'), 'utf8'), 'two')
    await fetchRun(join(root, 'second'), offered, folder)
    assert.is(readFileSync(join(root, 'second/metrics.jsonl'), 'utf8'), 'one')
    assert.equal(await readPlaced(folder), { execution: 'a', sendings: 7 })
    writeFileSync(join(folder.path, 'placed.json'), '{ "format": 1, "execution"')
    assert.is(await readPlaced(folder), null)
  },
)

tests.run()
