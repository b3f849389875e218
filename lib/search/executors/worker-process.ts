/** The process of a worker. It ends when its work does; without its parent it goes on, until a signal has it pause. */
import { GradusError } from '../../errors.js'
import { loadStudy } from '../load-study.js'
import { runWorker } from '../worker/worker.js'
import type { FromWorker, ToWorker, WorkerOrder } from './messages.js'

const pause = new AbortController()

process.on('message', (message: ToWorker) => {
  if (message.type === 'work') void work(message.order)
  else pause.abort()
})

// A terminal sends these to all processes at once: with a parent it is the parent who says what becomes of it.
for (const signal of ['SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!process.connected) pause.abort()
  })
}
process.on('SIGTERM', () => pause.abort())
// Whoever read what is printed may be gone.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

async function work({ file, ...options }: WorkerOrder): Promise<void> {
  try {
    const { definition, module } = await loadStudy(file)
    const onEvent = (event: Extract<FromWorker, { type: 'event' }>['event']) => tell({ type: 'event', event })
    const end = await runWorker({ ...options, definition, module, signal: pause.signal, onEvent })
    await tell({ type: 'end', end })
  } catch (error) {
    const code = error instanceof GradusError ? error.code : null
    const text = error instanceof Error ? (code ? error.message : (error.stack ?? error.message)) : String(error)
    await tell({ type: 'failed', code, message: text })
  }
  // Whatever the study has open.
  process.exit()
}

/** Nobody may be there. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, undefined, undefined, () => resolve())
    else resolve()
  })
}
