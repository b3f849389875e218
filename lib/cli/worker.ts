import { hostname } from 'node:os'
import { invalidArgument } from '../errors.js'
import { printable } from '../printable.js'
import { trialLine } from '../search/display/lines.js'
import { loadStudy } from '../search/load-study.js'
import { runQueueWorker } from '../search/queue/queue-worker.js'
import { runWorker, type WorkerEnd, type WorkerEvent } from '../search/worker/worker.js'
import { readTrial } from '../study/index.js'
import { trialPath } from '../study/layout.js'
import { type QueueFlags, queueOf } from './queue-options.js'
import { countOf, signals, studyFolder, threadsHere, timeOf } from './study-options.js'

export interface WorkerCommandOptions extends Pick<QueueFlags, 'queue' | 'queueName'> {
  readonly dir?: string | undefined
  readonly trials?: string | undefined
  readonly for?: string | undefined
  readonly name?: string | undefined
  readonly threads?: string | undefined
  readonly allowChanged?: boolean | undefined
}

/** A checkpoint must be written by then: a tenth of the time, a minute at most. */
const margin = (milliseconds: number): number => Math.min(60_000, milliseconds / 10)

/** Trains trials of a study until nothing is left to do, it is told to pause, or its time is nearly up. */
export async function worker(file: string, options: WorkerCommandOptions): Promise<void> {
  const time = options.for === undefined ? null : timeOf('--for', options.for)
  const trials = options.trials === undefined ? undefined : countOf('--trials', options.trials)
  const threads = options.threads === undefined ? threadsHere() : countOf('--threads', options.threads)
  const dir = studyFolder(file, options.dir)
  const place = queueOf(file, options)
  if (place && (options.dir !== undefined || options.allowChanged))
    throw invalidArgument(
      options.dir !== undefined ? '--dir' : '--allow-changed',
      'none beside --queue',
      options.dir ?? true,
    )
  const pause = new AbortController()
  // Counted from here: loading is part of the time.
  const timer = time === null ? undefined : setTimeout(() => pause.abort(), time - margin(time))
  const onSignal = () => {
    if (pause.signal.aborted) process.exit(130)
    pause.abort()
  }
  for (const signal of signals) process.on(signal, onSignal)
  let isTold = true
  try {
    const name = options.name ?? `${hostname()}.${process.pid}`
    const { allowChanged } = options
    const common = { name, threads, trials, signal: pause.signal }
    const end = place
      ? await runQueueWorker({ ...common, ...place, file, onEvent: printQueued, onLine })
      : await workHere(file, { ...common, dir, allowChanged })
    isTold = end === 'paused' && time === null
    console.log(`worker ${printable(name)}: ${end}`)
  } finally {
    clearTimeout(timer)
    for (const signal of signals) process.off(signal, onSignal)
  }
  process.exitCode = isTold ? 130 : 0
}

async function workHere(
  file: string,
  options: Omit<Parameters<typeof runWorker>[0], 'definition' | 'module'>,
): Promise<WorkerEnd> {
  const { definition, module } = await loadStudy(file)
  const onEvent = (event: WorkerEvent) => print(event, options.dir, definition.metric)
  return await runWorker({ ...options, definition, module, onEvent })
}

const onLine = (text: string): void => console.error(printable(text))

/** The trial's folder is elsewhere: of its results its master tells. */
function printQueued(event: WorkerEvent): void {
  if (event.type === 'refused')
    onLine(`trial ${event.trial}: another worker had it by then; what came of it here is dropped`)
  if (event.type === 'begin') onLine(`trial ${event.trial}: ${JSON.stringify(event.params)}`)
}

function print(event: WorkerEvent, dir: string, metric: string): void {
  if (event.type === 'note') console.error(printable(event.text))
  if (event.type !== 'end' || event.state === 'taken') return
  const trial = readTrial(event.trial, trialPath(dir, event.trial))
  console.error(printable(trialLine(trial, metric)))
}
