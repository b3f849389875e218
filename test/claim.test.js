// Numbered claims: of many who want a number one gets it, whole, whoever is killed on the way.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isOvertaken, newestClaim, putClaim } from '../dist/claim.js'
import { placeFile, replaceFile } from '../dist/files.js'
import { isAlive, thisProcess } from '../dist/processes.js'
import { startScript } from './support/lines.js'
import { failure } from './support/reference.js'

const root = mkdtempSync(join(tmpdir(), 'gradus-claim-'))
let folders = 0
const newFolder = () => join(root, `${++folders}`)
test.after(() => rmSync(root, { recursive: true }))

test('of 50 processes that want a number at once, one gets it', async () => {
  const folder = newFolder()
  const processes = Array.from({ length: 50 }, () => startScript('claimant.js', folder))
  try {
    for (const { line } of processes) assert.is(await line(), 'ready')
    for (let number = 1; number <= 8; number++) {
      for (const { child } of processes) child.stdin.write(`${number}\n`)
      const said = await Promise.all(processes.map(({ line }) => line()))
      const winners = processes.filter((_, i) => said[i] === 'won')
      assert.is(winners.length, 1, `number ${number}: ${said}`)
      assert.equal(await newestClaim(folder), { number, record: { process: winners[0].child.pid } })
    }
  } finally {
    for (const { kill } of processes) await kill()
  }
  const expected = Array.from({ length: 8 }, (_, i) => `${i + 1}.json`)
  assert.equal(readdirSync(folder).sort(), expected)
})

test('the highest number counts, as a number, and whether there is a next one', async () => {
  const folder = newFolder()
  assert.is(await newestClaim(folder), null)
  for (let number = 1; number <= 11; number++) {
    assert.is(await putClaim(folder, number, { number }), true)
    assert.is(await putClaim(folder, number, {}), false)
    assert.is(await isOvertaken(folder, number), false)
    if (number > 1) assert.is(await isOvertaken(folder, number - 1), true)
  }
  for (const other of ['0.json', '012.json', '13.json.tmp', '-14.json', '1e3.json', `${2 ** 60}.json`, 'note.json'])
    writeFileSync(join(folder, other), '{}')
  assert.equal(await newestClaim(folder), { number: 11, record: { number: 11 } })
})

test('a claim that is damaged or no plain file is told, not passed over', async () => {
  const folder = newFolder()
  mkdirSync(folder)
  const outside = join(root, 'outside.json')
  writeFileSync(outside, '{"secret":1}')
  for (const [number, make, problem] of [
    [1, (path) => writeFileSync(path, ''), 'the claim is damaged'],
    [2, (path) => writeFileSync(path, '{"process":'), 'the claim is damaged'],
    [3, (path) => mkdirSync(path), 'it is a folder, not a file'],
    [4, (path) => symlinkSync(outside, path), 'it is a link, and none is followed here'],
    [5, (path) => writeFileSync(path, ' '.repeat(2 ** 20 + 1)), 'it has 1048577 bytes, and at most 1048576 are read'],
  ]) {
    const path = join(folder, `${number}.json`)
    make(path)
    const error = await failure(() => newestClaim(folder))
    assert.equal([error.code, error.message], ['GRADUS_BAD_FILE', `${path}: ${problem}`])
    assert.is(await putClaim(folder, number, {}), false)
  }
})

test('a process is told from the one before it with its number, and says nothing of those elsewhere', async () => {
  const here = thisProcess()
  assert.is(isAlive(here), true)
  assert.is(here.host, hostname())
  assert.is(isAlive({ ...here, started: '1' }), false)
  assert.is(isAlive({ ...here, host: 'another' }), null)
  assert.is(isAlive({ ...here, boot: 'another' }), null)
  const { child, line, kill } = startScript('claimant.js', newFolder())
  assert.is(await line(), 'ready')
  const { started: _, ...mark } = { ...here, process: child.pid }
  assert.is(isAlive({ ...mark, started: null }), true)
  await kill()
  assert.is(isAlive({ ...mark, started: null }), false)
})

const temporaryOf = ({ process: number = 1, host = hostname(), started = 1, count = 1 }) => {
  const namespace = /\[(\d+)\]$/.exec(thisProcess().boot ?? '')?.[1] ?? 0
  return `.gradus-${host}-${namespace}-${number}-${started}-${count}.tmp`
}

test('who saves into a folder removes what killed processes have left there, and nothing else', async () => {
  const folder = newFolder()
  mkdirSync(folder)
  const { started } = thisProcess()
  const dead = [temporaryOf({ process: 4_194_304 }), temporaryOf({ process: process.pid, started: 12 })]
  const kept = [
    temporaryOf({ host: 'another', process: 4_194_304 }),
    temporaryOf({ process: process.pid, started: started ?? 0, count: 1_000_000 }),
    '.gradus-notes',
    'gradus.tmp',
  ]
  for (const name of [...dead, ...kept]) writeFileSync(join(folder, name), '')
  await replaceFile(join(folder, 'saved'), (file) => file.writeFile('text'))
  assert.equal(readdirSync(folder).sort(), [...kept, 'saved'].sort())
})

test('what only saving needs is not loaded by an import', () => {
  const script =
    "await import('gradus'); console.log(process.moduleLoadList.filter((name) => / crypto$/.test(name)).length)"
  const here = fileURLToPath(new URL('.', import.meta.url))
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: here, encoding: 'utf8' })
  assert.is(stdout, '0\n')
})

test('a file is placed whole, once, and in no name that another thread has in use', async () => {
  const folder = newFolder()
  mkdirSync(folder)
  const path = join(folder, 'file')
  const texts = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(50_000))
  const placed = await Promise.all(texts.map((text) => placeFile(path, (file) => file.writeFile(text))))
  assert.is(placed.filter((isPlaced) => isPlaced).length, 1)
  assert.is(readFileSync(path, 'utf8'), texts[placed.indexOf(true)])
  assert.equal(readdirSync(folder), ['file'])
  const error = await failure(() => placeFile(join(folder, 'none', 'file'), async () => {}))
  assert.is(error.code, 'GRADUS_BAD_FILE')
})

test.run()
