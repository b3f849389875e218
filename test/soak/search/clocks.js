// Workers whose clocks are two hours apart and jump five times a second: nothing is stale by mistake.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { trialsOf, worker, wrongIn } from './common.js'

const libraries = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
const library = libraries.find((path) => existsSync(path))
/** Why it cannot be tried here; null where it can. */
export const noClocks =
  library === undefined ? 'no libfaketime is there: apt-get install faketime (Debian, Ubuntu)' : null

const hour = 3_600_000

export async function clocks({ folder, choose, side = 10, pause = 150 }) {
  if (noClocks !== null) return { figures: `not tried: ${noClocks}`, found: [] }
  const dir = join(folder, 'study')
  const study = { kind: 'waiting', side, pause }
  const files = ['ahead', 'behind'].map((name) => join(folder, name))
  const set = (file, hours) => writeFileSync(files[file], `${hours < 0 ? '-' : '+'}${Math.abs(hours)}h\n`)
  files.forEach((_, file) => void set(file, file === 0 ? 1 : -1))
  const workers = files.map((file, i) => {
    // Clocks that never go back are true on any machine, and file systems have times of their own.
    const env = { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' }
    const true_ = { FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' }
    return worker(dir, study, { name: `here.${i + 1}`, beatEvery: 100, env: { ...env, ...true_ } })
  })
  const over = Promise.all(workers.map(({ ended }) => ended))
  let [isOver, jumps] = [false, 0]
  void over.then(() => {
    isOver = true
  })
  try {
    while (!isOver) {
      await setTimeout(200)
      set(choose(2), choose(5) - 2)
      jumps++
    }
    const trials = await trialsOf(dir)
    const found = wrongIn(trials, side * side)
    for (const { code, err } of await over)
      if (code !== 0) found.push(`a worker ended with ${code}: ${err.slice(-500)}`)
    const times = trials.flatMap(({ changes }) => [...changes.values()].map(({ time }) => Date.parse(time)))
    const apart = (Math.max(...times) - Math.min(...times)) / hour
    if (!(apart > 1)) found.push('the clocks were not apart')
    const stale = trials.filter(({ takeovers }) => takeovers > 0).length
    if (stale > 0) found.push(`${stale} trials were taken for stale`)
    return {
      figures: `${trials.length} trials, ${jumps} jumps, clocks ${apart.toFixed(1)} h apart, ${stale} stale`,
      found,
    }
  } finally {
    for (const { child } of workers) child.kill('SIGKILL')
  }
}
