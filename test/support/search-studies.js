// Study files for tests of the commands, and the commands themselves as processes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = (path) => JSON.stringify(new URL(`../../dist/search/${path}.js`, import.meta.url).href)
const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** A study of one number; `trial` is the text of its function. */
export function writeStudy(
  folder,
  { name = 'study.mjs', trials = 8, trial = '({ params }) => params.x', rest = '' } = {},
) {
  const path = join(folder, name)
  const lines = [
    `import { defineStudy } from ${dist('definition/define-study')}`,
    `import { uniform } from ${dist('space/parameters')}`,
    `import { random } from ${dist('samplers/random')}`,
    "import { existsSync, appendFileSync } from 'node:fs'",
    "import { setTimeout } from 'node:timers/promises'",
    `export default defineStudy({ metric: 'score', direction: 'maximize', sampler: random(), trials: ${trials},`,
    `  space: { x: uniform(0, 1) }, ${rest} trial: ${trial} })`,
  ]
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

/** A process with what it has printed, of Node.js unless `program` says otherwise. `before`: a command that starts it, with its arguments. */
export function startScript(script, args, { env = {}, before = [], program = process.execPath } = {}) {
  const [first, ...rest] = [...before, program, script, ...args]
  const child = spawn(first, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const text = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (more) => {
    text.out += more
  })
  child.stderr.setEncoding('utf8').on('data', (more) => {
    text.err += more
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...text }))
  return { child, ended, text }
}

/** `gradus`, with what it has printed. */
export const startCommand = (...args) => startScript(command, args)
