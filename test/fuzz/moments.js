// Single moments, each in a process of its own: see moment.js. A round is one of them, in turn.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Finding } from './judge.js'
import { names } from './moment.js'

const file = fileURLToPath(new URL('./moment.js', import.meta.url))
const timeout = process.env.LD_PRELOAD ? 60_000 : 10_000
let next = 0

export function round() {
  const name = names[next++ % names.length]
  const options = { encoding: 'utf8', timeout, killSignal: 'SIGKILL' }
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', file, name], options)
  if (status === 0 && stdout.trim() === 'held') return
  const ending = signal ? `no end within ${timeout / 1000} s` : `ended with code ${status}`
  throw new Finding(`${name}: ${ending}: ${stdout}${stderr.slice(-2000)}`.trim())
}
