import { hostname } from 'node:os'
import { printable } from '../printable.js'
import { trialLine } from '../search/display/lines.js'
import { loadStudy } from '../search/load-study.js'
import { runWorker, type WorkerEvent } from '../search/worker/worker.js'
import { readTrial } from '../study/index.js'
import { trialPath } from '../study/layout.js'
import { countOf, signals, studyFolder, threadsHere, timeOf } from './study-options.js'

export interface WorkerCommandOptions {
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
    const { definition, module } = await loadStudy(file)
    const onEvent = (event: WorkerEvent) => print(event, dir, definition.metric)
    const name = options.name ?? `${hostname()}.${process.pid}`
    const { allowChanged } = options
    const common = { dir, definition, module, allowChanged, name, threads, trials }
    const end = await runWorker({ ...common, signal: pause.signal, onEvent })
    isTold = end === 'paused' && time === null
    console.log(`worker ${printable(name)}: ${end}`)
  } finally {
    clearTimeout(timer)
    for (const signal of signals) process.off(signal, onSignal)
  }
  process.exitCode = isTold ? 130 : 0
}

function print(event: WorkerEvent, dir: string, metric: string): void {
  if (event.type === 'note') console.error(printable(event.text))
  if (event.type !== 'end' || event.state === 'taken') return
  const trial = readTrial(event.trial, trialPath(dir, event.trial))
  console.error(printable(trialLine(trial, metric)))
}
