// A study of a bench, its queue's server and workers as processes; all gone when it is over.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { servers } from '../../test/soak/queue/servers.js'

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const index = JSON.stringify(new URL('../../dist/search/index.js', import.meta.url).href)

/** The file of a study; `rest`: the text of its options but for metric and direction. */
export function writeStudy(folder, rest) {
  const file = join(folder, 'study.mjs')
  writeFileSync(
    file,
    `import { defineStudy, median, random, uniform } from ${index}
export default defineStudy({ metric: 'value', direction: 'minimize', sampler: random(), space: { x: uniform(-1, 1) }, ${rest} })
`,
  )
  return file
}

/** What `work` makes of a server and a folder, with workers that are there when the search begins. */
export async function searching(kind, { study, workers = 2 }, work) {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-bench-queue-'))
  // PostgreSQL runs as a user of its own.
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'server'), { mode: 0o755 })
  const server = await servers[kind](join(folder, 'server'))
  const file = writeStudy(folder, study)
  const started = Array.from({ length: workers }, (_, i) => {
    const args = [command, 'worker', file, '--queue', server.url, '--name', `w${i}`]
    return spawn(process.execPath, args, { stdio: 'ignore' })
  })
  try {
    return await work({ folder, file, url: server.url })
  } finally {
    for (const child of started) {
      const ended = child.exitCode === null && once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    await server.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

export const kinds = Object.keys(servers)
