// node full-disk.js FOLDER SEED TIMES: in a mount of its own, a search whose disk is full again and again for a while. Started by
// `fullDisk`, which says what came of it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chooser } from '../../support/mortal-chain.js'
import { claimsOf, search, trialsOf, wrongIn } from './common.js'

const script = fileURLToPath(import.meta.url)
/** Why it cannot be tried here; null where it can. */
export const noDisks =
  spawnSync('unshare', ['-m', 'true']).status === 0 ? null : 'only root may mount a disk, with unshare and mount'

export async function fullDisk({ folder, choose, times = 15 }) {
  if (noDisks !== null) return { figures: `not tried: ${noDisks}`, found: [] }
  const mount = 'mount -t tmpfs -o size=24m gradus "$1" && exec "$2" "$3" "$1" "$4" "$5"'
  const given = ['-m', 'sh', '-c', mount, 'sh', folder, process.execPath, script, `${choose(2 ** 30)}`, `${times}`]
  const child = spawn('unshare', given, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (more) => {
    text += more
  })
  await once(child, 'close')
  return JSON.parse(text)
}

/** The first that is there, so that nothing else finds room between two pieces. */
function fill(disk) {
  const filler = join(disk, 'filler')
  for (let size = 1 << 20; size >= 1; size >>= 1) {
    try {
      for (;;) {
        const { bavail, bsize } = statfsSync(disk)
        if (bavail * bsize < size) break
        writeFileSync(filler, Buffer.alloc(size), { flag: 'a' })
      }
    } catch {
      // Somebody else has taken the last of it.
    }
  }
  return () => rmSync(filler)
}

async function within(disk, choose, times) {
  const dir = join(disk, 'study')
  const side = Math.max(3, Math.ceil(Math.sqrt(2 * times)))
  mkdirSync(dir)
  const { child, ended, text } = search(dir, { kind: 'training', side, pause: 100 })
  let [isOver, count] = [false, 0]
  void ended.then(() => {
    isOver = true
  })
  while ((await trialsOf(dir)).length === 0 && !isOver) await setTimeout(20)
  for (; count < times && !isOver; count++) {
    await setTimeout(choose(800))
    const free = fill(disk)
    await setTimeout(choose(1500))
    free()
  }
  const { code } = await ended
  const trials = await trialsOf(dir)
  const found = wrongIn(trials, side * side)
  if (code !== 0) found.push(`gradus search ended with ${code}: ${text.err.slice(-1500)}`)
  const more = trials.reduce((sum, trial) => sum + claimsOf(trial) - 1, 0)
  child.kill('SIGKILL')
  return { figures: `${trials.length} trials, ${count} times full, ${more} begun again`, found }
}

if (process.argv[1] === script) {
  const [disk, seed, times] = process.argv.slice(2)
  console.log(JSON.stringify(await within(disk, chooser(Number(seed)), Number(times))))
}
