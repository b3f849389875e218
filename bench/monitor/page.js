// `gradus watch` in a process of its own, and in another one a reader that follows it as an open page does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

/** Both are ended by `close`, and held where they are from `pause` to `resume`. */
export async function openPage(folder) {
  const server = spawn(process.execPath, [path('../../dist/cli/main.js'), 'watch', folder, '--open', 'no'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(server.stdout.setEncoding('utf8'), 'data')
  const reader = spawn(process.execPath, [path('reader.js'), line.trim()], { stdio: 'inherit' })
  const both = [reader, server]
  for (const child of both) {
    child.on('exit', (_, signal) => {
      if (signal !== 'SIGKILL') throw new Error('The server or its reader has ended before it was told to')
    })
  }
  const send = (signal) => {
    for (const child of both) child.kill(signal)
  }
  return {
    url: line.trim(),
    pid: server.pid,
    pause: () => send('SIGSTOP'),
    resume: () => send('SIGCONT'),
    async close() {
      for (const child of both) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    },
  }
}
