import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A process that answers each line with a line, so that several can take turns: { ask, end }. */
export function answering(command, args, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${command} ${args.join(' ')} has ended`)
    return value
  }
  return {
    /** What it says when it has begun. */
    greeting: next(),
    ask(line) {
      child.stdin.write(`${line}\n`)
      return next()
    },
    end: () => child.stdin.end(),
  }
}
