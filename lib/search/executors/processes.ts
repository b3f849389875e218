/** Workers as processes of this machine, kept alive from trial to trial. */
import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { deviceOfWorker } from '../../devices.js'
import { GradusError } from '../../errors.js'
import type { WorkerEvent } from '../worker/worker.js'
import type { Executor, WorkerHandle, WorkerOutcome } from './executor.js'
import type { FromWorker, ToWorker, WorkerOrder } from './messages.js'

export interface ProcessOptions extends Omit<WorkerOrder, 'name' | 'threads'> {
  readonly onEvent?: ((worker: string, event: WorkerEvent) => void) | undefined
  /** A line that the study's own code has written. */
  readonly onOutput?: ((line: string) => void) | undefined
}

const script = fileURLToPath(new URL('./worker-process.js', import.meta.url))

/**
 * A study's file is loaded by each process: data are read once a worker, not once a trial. The name of a worker ends in its number.
 */
export function processes({ onEvent, onOutput, ...common }: ProcessOptions): Executor {
  return {
    name: 'processes',
    start(name, threads) {
      // Inspectors and their like listen on one port.
      const execArgv = process.execArgv.filter((one) => !one.startsWith('--inspect'))
      const device = deviceOfWorker(Number(name.split('.').at(-1)))
      const env = device ? { ...process.env, GRADUS_DEVICE: device } : process.env
      const child = fork(script, { env, execArgv, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
      for (const stream of [child.stdout!, child.stderr!]) {
        createInterface({ input: stream }).on('line', (line) => onOutput?.(line))
      }
      tell(child, { type: 'work', order: { ...common, name, threads } })
      return handleOf(child, name, (event) => onEvent?.(name, event))
    },
  }
}

function handleOf(child: ChildProcess, name: string, onEvent: (event: WorkerEvent) => void): WorkerHandle {
  let said: WorkerOutcome | null = null
  child.on('message', (message: FromWorker) => {
    if (message.type === 'event') onEvent(message.event)
    else if (message.type === 'end') said = message.end
    else said = failed(message)
  })
  const ended = new Promise<WorkerOutcome>((resolve) => {
    child.once('error', ({ message }) => resolve({ crashed: message }))
    // Its last words have come by then, unlike at 'exit'.
    child.once('close', (code, signal) => resolve(said ?? { crashed: signal ?? `exit code ${code}` }))
  })
  return {
    name,
    process: child.pid ?? null,
    ended,
    pause: () => tell(child, { type: 'pause' }),
    kill: () => void child.kill('SIGKILL'),
  }
}

function failed({ code, message }: Extract<FromWorker, { type: 'failed' }>): WorkerOutcome {
  return { failed: new GradusError(code ?? 'GRADUS_SEARCH_FAILED', message) }
}

/** One that has ended is told nothing. */
function tell(child: ChildProcess, message: ToWorker): void {
  if (child.connected) child.send(message, () => undefined)
}
