// A Temporal activity that trains one trial of a study: heartbeats say that it is at work, a cancellation has the trial pause.
// Call it in a loop until it gives 'done'; heartbeatTimeout: '1 minute', startToCloseTimeout: longer than any trial.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Context } from '@temporalio/activity'

const gradus = fileURLToPath(new URL('cli/main.js', import.meta.resolve('gradus')))

/** 'limit' when it has had its trial, 'done' or 'exhausted' when there is none left. */
export async function trainOne(study, dir) {
  const context = Context.current()
  const words = [gradus, 'worker', study, '--dir', dir, '--trials', '1']
  const worker = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  worker.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text
  })
  // A cancellation arrives as the answer to a heartbeat.
  const beats = setInterval(() => context.heartbeat(), 5000)
  const pause = () => worker.kill('SIGTERM')
  context.cancellationSignal.addEventListener('abort', pause)
  try {
    context.heartbeat()
    const [code] = await once(worker, 'close')
    // Its trial waits with a checkpoint; the promise throws what Temporal wants to see.
    if (context.cancellationSignal.aborted) await context.cancelled
    if (code !== 0) throw new Error(`gradus worker ended with ${code}`)
    return /: (\w+)\n$/.exec(printed)?.[1]
  } finally {
    clearInterval(beats)
    context.cancellationSignal.removeEventListener('abort', pause)
    worker.kill('SIGTERM')
  }
}
