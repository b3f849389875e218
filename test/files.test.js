// Files that are not there, not files, or not to be written: one coded error that names the file, and nothing left behind.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { dense, loadModel, meanSquaredError, readCsv, sequential, sgd } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fileError, replaceFile } from '../dist/files.js'
import { failure } from './support/reference.js'

const test = suite('files')
const folder = mkdtempSync(join(tmpdir(), 'gradus-files-'))
const path = (...names) => join(folder, ...names)
test.after(() => rmSync(folder, { recursive: true }))
test.before.each(() => {
  rmSync(folder, { recursive: true })
  mkdirSync(path('folder'), { recursive: true })
  writeFileSync(path('file'), 'text')
  symlinkSync('circle', path('circle'))
  execFileSync('mkfifo', [path('pipe')])
})

const model = sequential({ input: [2], seed: 1 }, [dense(3)])
model.compile({ loss: meanSquaredError(), optimizer: sgd() })
const data = { x: new Float32Array(8), y: new Float32Array(12) }

const troubles = {
  'a file that is not there': [['nothing'], 'load', 'no such file'],
  'a folder that is not there to save into': [['none', 'model'], 'save', `there is no folder ${path('none')}`],
  'a folder that is not there to load from': [['none', 'model'], 'load', 'no such file'],
  'a folder in place of the file': [['folder'], 'load save', 'it is a folder, not a file'],
  'a pipe': [['pipe'], 'load save', 'it is not a regular file'],
  'a file in place of a folder': [['file', 'model'], 'load save fit', /ENOTDIR/],
  'a link to itself': [['circle'], 'load save', /ELOOP/],
  'a name of 256 bytes': [['x'.repeat(256)], 'load save fit', /ENAMETOOLONG/],
  'a file in place of the run': [['file'], 'fit', /EEXIST/],
}
const works = {
  load: (file) => loadModel(file),
  save: (file) => model.save(file),
  fit: (dir) => model.fit(data, { epochs: 1, quiet: true, dir }).done,
}
for (const [name, [names, verbs, problem]] of Object.entries(troubles)) {
  test(name, async () => {
    const before = readdirSync(folder, { recursive: true }).sort()
    for (const verb of verbs.split(' ')) {
      const error = await failure(() => works[verb](path(...names)))
      assert.is(error.code, 'GRADUS_BAD_FILE', error.stack)
      assert.is(error.name, 'GradusError')
      if (typeof problem === 'string') assert.is(error.message, `${path(...names)}: ${problem}`)
      else assert.match(error.message, problem)
      assert.ok(error.message.startsWith(path().slice(0, -1)), error.message)
    }
    assert.equal(readdirSync(folder, { recursive: true }).sort(), before)
  })
}

test('a path that can be none is a bad argument', async () => {
  for (const bad of [undefined, null, 3, '', 'with\0zero', {}, new URL('https://gradus.example/m'), Symbol('s'), []]) {
    for (const work of [() => loadModel(bad), () => model.save(bad)]) {
      const error = await failure(work)
      assert.is(error.code, 'GRADUS_INVALID_ARGUMENT', error.stack)
      assert.match(error.message, /^file: expected a path/)
    }
  }
})

test('an address in place of a path is told what to give', async () => {
  for (const [address, hint] of [
    ['https://gradus.example/m.safetensors', 'nothing is fetched, give the bytes'],
    ['file://./m.safetensors', 'give new URL(…), or the path alone'],
  ]) {
    const loading = await failure(() => loadModel(address))
    assert.is(loading.message, `${address}: no such file; ${hint}`)
    const saving = await failure(() => model.save(address))
    assert.ok(saving.message.startsWith(`${address}: there is no folder `), saving.message)
    assert.ok(saving.message.endsWith(`; ${hint}`), saving.message)
  }
  const table = await failure(() => readCsv('https://gradus.example/iris.csv'))
  assert.match(table.message, /nothing is fetched, give the bytes/)
})

test('a path as long as JavaScript can hold is refused in a line', async () => {
  for (const verb of ['load', 'save']) {
    const error = await failure(() => works[verb]('x'.repeat(2 ** 29 - 24)))
    assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
    assert.match(error.message, /^file: expected a path of at most 32767 characters, received "x{57}…"$/)
  }
  for (const verb of ['load', 'save']) {
    const error = await failure(() => works[verb](`/${'x/'.repeat(10_000)}`))
    assert.is(error.code, 'GRADUS_BAD_FILE')
    assert.ok(error.message.length < 700)
  }
})

test('a disk that takes no more leaves the old file and nothing else, and fit says so', () => {
  const script = `
    import { dense, loadModel, meanSquaredError, readCsv, sequential, sgd } from ${JSON.stringify(import.meta.resolve('gradus'))}
    const model = sequential({ input: [1], seed: 1 }, [dense(200_000)])
    const error = await model.save('old').catch((error) => error)
    console.log(error.name, error.code, error.message, error.cause.code)`
  writeFileSync(path('old'), 'old')
  const child = spawnSync(
    'sh',
    ['-c', 'ulimit -f 100 && exec "$0" --input-type=module -e "$1"', process.execPath, script],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  )
  const sentence = 'the file system takes no file as large as this (EFBIG)'
  assert.is(child.stdout, `GradusError GRADUS_BAD_FILE old: ${sentence} EFBIG\n`, child.stderr)
  assert.is(readFileSync(path('old'), 'utf8'), 'old')
  assert.equal(readdirSync(folder).sort(), ['circle', 'file', 'folder', 'old', 'pipe'])
})

test('saving keeps the mode, and through links reaches the file that they lead to', async () => {
  writeFileSync(path('folder', 'private'), '')
  chmodSync(path('folder', 'private'), 0o600)
  symlinkSync('folder/private', path('link'))
  symlinkSync('link', path('link to the link'))
  await model.save(path('link to the link'))
  for (const link of ['link', 'link to the link']) assert.ok(lstatSync(path(link)).isSymbolicLink())
  assert.is(statSync(path('folder', 'private')).mode & 0o777, 0o600)
  assert.equal((await loadModel(path('folder', 'private'))).getWeights(), model.getWeights())

  symlinkSync('folder/new', path('dangling'))
  await model.save(path('dangling'))
  assert.ok(lstatSync(path('folder', 'new')).isFile())
  assert.is(statSync(path('folder', 'new')).mode & 0o777, 0o666 & ~process.umask())
})

test('a name may be as long as the system allows, and a URL will do', async () => {
  const longest = path('y'.repeat(255))
  await model.save(longest)
  assert.equal((await loadModel(pathToFileURL(longest))).getWeights(), model.getWeights())
  await model.save(pathToFileURL(path('by url')))
  assert.equal((await loadModel(path('by url'))).getWeights(), model.getWeights())
})

test('two who write one file at once leave one of theirs', async () => {
  const texts = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(100_000))
  await Promise.all(texts.map((text) => replaceFile(path('shared'), (file) => file.writeFile(text), { sync: false })))
  assert.ok(texts.includes(readFileSync(path('shared'), 'utf8')))
  assert.equal(readdirSync(folder).sort(), ['circle', 'file', 'folder', 'pipe', 'shared'])
})

test('a path that contains the words of an error is a path like any other', async () => {
  const dir = path('no such file')
  await works.fit(dir)
  writeFileSync(join(dir, 'run.json'), '{')
  assert.match((await failure(() => works.fit(dir))).message, /holds a run already/)
  const goesOn = { epochs: 2, initialEpoch: 1, quiet: true, dir }
  const error = await failure(() => model.fit(data, goesOn).done)
  assert.is(error.code, 'GRADUS_BAD_FILE')
  assert.is(readFileSync(join(dir, 'run.json'), 'utf8'), '{')
})

test('errors of others become ours, with the first as their cause', () => {
  const codes = {
    ENOSPC: 'GRADUS_BAD_FILE the disk: no space is left on the disk (ENOSPC)',
    EROFS: 'GRADUS_BAD_FILE the disk: the file system is read-only (EROFS)',
    EMFILE: 'GRADUS_BAD_FILE the disk: this process has too many files open (EMFILE)',
    ENOMEM: 'GRADUS_OUT_OF_MEMORY the disk: there is not enough memory for it',
    EIO: 'GRADUS_BAD_FILE the disk: could not be written (EIO: what Node.js says)',
  }
  for (const [code, sentence] of Object.entries(codes)) {
    const cause = Object.assign(new Error(`${code}: what Node.js says`), { code })
    const error = fileError('the disk', cause, 'written')
    assert.is(`${error.code} ${error.message}`, sentence)
    assert.is(error.cause, cause)
    assert.is(fileError('another', error), error)
  }
  for (const thrown of [undefined, null, 'text', Symbol('s')]) assert.is(fileError('x', thrown).code, 'GRADUS_BAD_FILE')
})

test.run()
