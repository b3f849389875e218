// A script of this folder as a process, whose lines are read one by one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export function startScript(name, ...args) {
  const path = fileURLToPath(new URL(name, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const exited = once(child, 'exit')
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text
  })
  return {
    child,
    exited,
    /** What it has written to standard error. */
    errors: () => errors,
    /** Undefined when it has ended. */
    line: async () => (await lines.next()).value,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
