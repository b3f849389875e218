// Disks that are full or read-only, and folders that go, under a run: one warning, training goes on, the last good checkpoint
// stays, and the next one is tried again.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { uninterrupted } from './support/tiny-run.js'

const root = mkdtempSync(join(tmpdir(), 'gradus-disks-'))
test.after(() => rmSync(root, { recursive: true }))
const script = fileURLToPath(new URL('support/on-a-disk.js', import.meta.url))
const expected = await uninterrupted(9, { units: 500 })

/** What became of a run; on a disk of its own, of one megabyte, where that is needed. */
function train(how, ownDisk) {
  const place = join(root, how)
  mkdirSync(place)
  const dir = join(place, 'run')
  const mount = 'mount -t tmpfs -o size=1m gradus "$1" && exec "$2" "$3" "$4" "$5"'
  const inNamespace = ['unshare', '-m', 'sh', '-c', mount, 'sh', place]
  const [command, ...given] = [...(ownDisk ? inNamespace : []), process.execPath, script, how, dir]
  const { status, stdout, stderr } = spawnSync(command, given, { encoding: 'utf8' })
  assert.is(status, 0, stderr)
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

const mayMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'gradus', root]).status === 0
if (!mayMount)
  console.log('Not tested: disks that are full or read-only. Only root may mount some, with unshare and mount')

for (const [how, ownDisk, ...seen] of [
  ['full', true, [1, 2], [1, 2], [7, 8, 9]],
  ['read-only', true, [1, 2], [1, 2], [7, 8, 9]],
  ['deleted', false, [], [], [7, 8, 9]],
  ['deleted wholly', false, [], [], [7, 8, 9]],
  ['moved', false, [], [], [7, 8, 9]],
]) {
  if (ownDisk && !mayMount) continue
  test(`${how}: one warning, and training goes on`, () => {
    const found = train(how, ownDisk)
    assert.equal(found.seen, seen)
    assert.is(found.notSaved, 1)
    for (const code of found.warnings) assert.ok(['GRADUS_NOT_SAVED', 'GRADUS_NOT_RECORDED'].includes(code), code)
    assert.is(found.digest, expected)
  })
}

test.run()
