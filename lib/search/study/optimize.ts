/** Trains a study's trials from within a program: here, in processes beside it, or by the workers of a queue. */
import { availableParallelism } from 'node:os'
import { checkBoolean, checkFunction, checkPositiveInteger } from '../../checks.js'
import { GradusError, invalidArgument } from '../../errors.js'
import { anything, optionsOf } from '../../options.js'
import { StudyReader } from '../../study/index.js'
import { checkSignal } from '../../train/calls.js'
import type { StudyDefinition } from '../definition/define-study.js'
import { trialLine } from '../display/lines.js'
import type { Executor } from '../executors/executor.js'
import { inProcess } from '../executors/in-process.js'
import { processes } from '../executors/processes.js'
import { loadStudy } from '../load-study.js'
import { type MasterEnd, runMaster } from '../master/master.js'
import { checkQueue, listenOf, type QueueOptions, queuePlace } from '../queue/place.js'
import type { WorkerEvent } from '../worker/worker.js'
import { type StudyTrial, studyTrial } from './study-trial.js'

export interface OptimizeOptions {
  /**
   * Trials at the same time, each with its share of the threads. Of a study out of a file each in a process of its own. Default 1.
   */
  workers?: number | undefined
  /**
   * Trials go out to workers on other machines, which `gradus worker study.js --queue …` starts: the address of a Redis or
   * PostgreSQL, or more of it. Of a study out of a file. Default: none.
   */
  queue?: string | QueueOptions | undefined
  /** Trials in all; more than the study has so far makes it go on. Default: as many as it has. */
  trials?: number | undefined
  /** Running trials write their checkpoints and wait; `optimize` then resolves. */
  signal?: AbortSignal | undefined
  /** Told of each trial that has ended. */
  onTrial?: ((trial: StudyTrial) => void) | undefined
  /** Told of what the search has found, in words: a new stage's ranges and why, a best value at a border. */
  onNote?: ((text: string) => void) | undefined
  /** Prints no line a trial. Default: false when standard error is a terminal. */
  quiet?: boolean | undefined
}

/** @internal */
export const readOptimize = optionsOf<OptimizeOptions>()('optimize', {
  workers: checkPositiveInteger,
  queue: anything,
  trials: checkPositiveInteger,
  signal: checkSignal,
  onTrial: checkFunction<NonNullable<OptimizeOptions['onTrial']>>,
  onNote: checkFunction<NonNullable<OptimizeOptions['onNote']>>,
  quiet: checkBoolean,
})

/** @internal */
export interface StudyParts {
  readonly reader: StudyReader
  /** Null of one that was opened to look at. */
  readonly definition: StudyDefinition | null
  /** The file that defines it. */
  readonly file: string | null
  readonly allowChanged: boolean
}

type Told = Omit<ReturnType<typeof readOptimize>, 'trials'>
type Parts = StudyParts & { readonly definition: StudyDefinition }

/** @internal @throws as `Study.optimize` */
export async function optimize(parts: Parts, options: Told): Promise<MasterEnd> {
  const { definition, reader } = parts
  const { signal, onTrial, onNote, quiet = process.stderr.isTTY !== true } = options
  const say = (text: string) => {
    if (!quiet) console.error(text)
    onNote?.(text)
  }
  return await runMaster({
    ...(await executorOf(parts, options, say)),
    reader: await StudyReader.open(reader.path),
    name: reader.path,
    signal: signal ?? new AbortController().signal,
    timeout: definition.timeout,
    onTrial: (trial) => {
      if (!quiet) console.error(trialLine(trial, reader.study.metric))
      onTrial?.(studyTrial(trial))
    },
    onLine: say,
  })
}

interface Executing {
  readonly executor: Executor
  readonly workers: number
  countWorkers?(): number
}

async function executorOf(parts: Parts, options: Told, say: (text: string) => void): Promise<Executing> {
  const { reader, definition, file, allowChanged } = parts
  const { workers, queue } = options
  const dir = reader.path
  if (queue !== undefined) {
    if (workers !== undefined) throw invalidArgument('workers', 'none beside queue', workers)
    return await queued(parts, checkQueue('queue', queue), say)
  }
  const onEvent = (_: string, event: WorkerEvent) => event.type === 'note' && say(event.text)
  const told = { dir, allowChanged, onEvent }
  const executor = file === null ? inProcess({ ...told, definition }) : processes({ ...told, file })
  return { executor, workers: Math.min(workers ?? 1, 4 * availableParallelism()) }
}

async function queued(
  { reader, file, allowChanged }: Parts,
  queue: ReturnType<typeof checkQueue>,
  say: (text: string) => void,
): Promise<Executing> {
  if (file === null) {
    const message = 'queue: workers elsewhere need the study as a file: createStudy(path) instead of a definition'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const { artifacts = null, listen, artifactLimit: limit } = queue
  const place = queuePlace(file, queue)
  const { queueExecutor } = await import('../queue/queue-executor.js')
  const executor = queueExecutor({
    ...{ ...(await loadStudy(file)), ...place, dir: reader.path, allowChanged, artifacts, limit },
    listen: listen === undefined ? null : listenOf('queue.listen', listen),
    onEvent: (event) => event.type === 'note' && say(event.text),
    onLine: say,
  })
  return { executor, workers: 1, countWorkers: () => executor.countWorkers() }
}
