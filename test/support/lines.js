// A script of this folder as a process, whose lines are read one by one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export function startScript(name, ...args) {
  const path = fileURLToPath(new URL(name, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const exited = once(child, 'exit')
  return {
    child,
    exited,
    /** Undefined when it has ended. */
    line: async () => (await lines.next()).value,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
