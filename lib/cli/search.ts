import { availableParallelism } from 'node:os'
import { GradusError, invalidArgument } from '../errors.js'
import { printable } from '../printable.js'
import { trialLine } from '../search/display/lines.js'
import { bestLine, headerLine, liveLines } from '../search/display/live-table.js'
import { durationText } from '../search/display/numbers.js'
import type { StudyView } from '../search/display/view.js'
import type { Executor } from '../search/executors/executor.js'
import { type ProcessOptions, processes } from '../search/executors/processes.js'
import { sbatchArguments } from '../search/executors/slurm/script.js'
import { slurm } from '../search/executors/slurm.js'
import { type LoadedStudy, loadStudy } from '../search/load-study.js'
import { type MasterEnd, runMaster } from '../search/master/master.js'
import { listenOf, type QueuePlace } from '../search/queue/place.js'
import { type QueueExecutor, queueExecutor } from '../search/queue/queue-executor.js'
import { Search } from '../search/worker/search.js'
import { hasEnded, makePlan } from '../study/index.js'
import { LiveLines } from '../train/live-lines.js'
import { startServer } from '../watch/server/index.js'
import { bytesOf, type QueueFlags, queueOf } from './queue-options.js'
import { countOf, signals, studyFolder } from './study-options.js'

export interface SearchOptions extends QueueFlags {
  readonly dir?: string | undefined
  readonly workers?: string | undefined
  readonly trials?: string | undefined
  readonly extend?: boolean | undefined
  readonly allowChanged?: boolean | undefined
  readonly port?: number | undefined
  readonly page?: boolean | undefined
  readonly slurm?: boolean | undefined
  readonly slurmArguments?: string | undefined
}

/** Searches until all trials have ended; status 130 where it was told to pause, 1 where it could not go on. */
export async function search(file: string, options: SearchOptions): Promise<void> {
  const { extend = false, allowChanged = false, page = true, port } = options
  const dir = studyFolder(file, options.dir)
  const usual = options.slurm ? 8 : availableParallelism()
  const workers = options.workers === undefined ? usual : countOf('--workers', options.workers)
  const words = sbatchArguments(options.slurmArguments ?? '')
  if (words.length > 0 && !options.slurm)
    throw invalidArgument('--slurm-arguments', '--slurm beside it', words.join(' '))
  const queue = queueOf(file, options)
  if (queue && (options.slurm || options.workers !== undefined))
    throw invalidArgument(options.slurm ? '--slurm' : '--workers', 'none beside --queue', options.workers ?? true)
  const { definition, module } = await loadStudy(file)
  const opened = await Search.open(dir, definition, { module, allowChanged, extend })
  if (options.trials !== undefined) await plan(dir, opened, options.trials)
  const screen = new Screen(definition.metric)
  const told = listen(screen)
  const server = page ? await startServer(dir, { port, control: true }) : null
  try {
    screen.open(server?.url ?? null)
    // The file may only have changed before this one began.
    const common = { file, dir, allowChanged: allowChanged || extend }
    const ofQueue = queue && queued(queue, options, { ...common, definition, module }, screen)
    const executor =
      ofQueue ??
      (options.slurm
        ? slurm({ ...common, arguments: words, isDone: () => isDone(opened), onLine: (text) => screen.print(text) })
        : processesOf(common, screen))
    const end = await runMaster({
      ...{ reader: opened.reader, name: dir, executor, workers: ofQueue ? 1 : workers, timeout: definition.timeout },
      countWorkers: ofQueue ? () => ofQueue.countWorkers() : undefined,
      ...{ signal: told.pause, killSignal: told.kill },
      onTrial: (trial) => screen.trial(trialLine(trial, definition.metric)),
      onView: (view) => screen.show(view),
      onLine: (text) => screen.print(text),
    })
    screen.close(end, dir)
    process.exitCode = end === 'paused' ? 130 : end === 'crashed' ? 1 : 0
  } catch (error) {
    screen.clear()
    if (!(error instanceof GradusError) || error.code !== 'GRADUS_SEARCH_FAILED') throw error
    console.error(printable(`gradus: ${error.message}`))
    process.exitCode = 1
  } finally {
    told.close()
    await server?.close()
  }
}

/** Whether a worker would find nothing to do, as far as that can be told without one. */
async function isDone(search: Search): Promise<boolean> {
  await search.refreshPlan()
  const { stage, ofStage, trials } = search
  return stage.isLast && ofStage.length >= stage.trials && trials.every(hasEnded)
}

const processesOf = (common: Pick<ProcessOptions, 'file' | 'dir' | 'allowChanged'>, screen: Screen): Executor =>
  processes({
    ...common,
    onOutput: (line) => screen.print(line),
    onEvent: (_, event) => event.type === 'note' && screen.print(event.text),
  })

function queued(
  place: QueuePlace,
  { artifacts, listen, artifactLimit = '1G' }: SearchOptions,
  common: Pick<ProcessOptions, 'file' | 'dir' | 'allowChanged'> & LoadedStudy,
  screen: Screen,
): QueueExecutor {
  const { address, queue } = place
  screen.print(`queue ${queue} at ${address.shown}; workers: gradus worker ${common.file} --queue ${address.shown}`)
  return queueExecutor({
    ...{ ...common, ...place, artifacts: artifacts ?? null, limit: bytesOf(artifactLimit) },
    listen: listen === undefined ? null : listenOf('--listen', listen),
    onEvent: (event) => event.type === 'note' && screen.print(event.text),
    onLine: (text) => screen.print(text),
  })
}

async function plan(dir: string, opened: Search, text: string): Promise<void> {
  const isMore = text.startsWith('+')
  const count = countOf('--trials', isMore ? text.slice(1) : text)
  const { trials, space } = opened.plan
  await makePlan(dir, opened.plan, { trials: isMore ? trials + count : count, space })
}

/** The first signal has trials write their checkpoints, a second one ends all at once. */
function listen(screen: Screen): { pause: AbortSignal; kill: AbortSignal; close(): void } {
  const [pause, kill] = [new AbortController(), new AbortController()]
  const onSignal = () => {
    if (pause.signal.aborted) kill.abort()
    else {
      pause.abort()
      screen.print('running trials write their checkpoints and wait; once more ends all at once')
    }
  }
  for (const signal of signals) process.on(signal, onSignal)
  const close = () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  return { pause: pause.signal, kill: kill.signal, close }
}

/** Milliseconds from picture to picture. */
const interval = 200

/** A live table in a terminal; elsewhere a line a trial. What is printed goes to standard error, what was found to standard output. */
class Screen {
  readonly #live = new LiveLines(process.stderr)
  readonly #isLive = process.stderr.isTTY === true && process.env.TERM !== 'dumb'
  readonly #metric: string
  #view: StudyView | null = null
  #drawn = Number.NEGATIVE_INFINITY

  constructor(metric: string) {
    this.#metric = metric
  }

  open(url: string | null): void {
    this.#live.open()
    if (url !== null) this.print(`page: ${url}`)
  }

  print(text: string): void {
    for (const line of text.split('\n')) this.#live.print(printable(line))
  }

  trial(line: string): void {
    if (!this.#isLive) this.print(line)
  }

  show(view: StudyView): void {
    this.#view = view
    if (!this.#isLive || performance.now() - this.#drawn < interval) return
    this.#drawn = performance.now()
    const { columns, rows } = process.stderr
    this.#live.draw(liveLines(view, { columns, rows }).map((line) => printable(line).replaceAll('\n', ' ')))
  }

  clear(): void {
    this.#live.clear()
    this.#live.close()
  }

  close(end: MasterEnd, dir: string): void {
    this.clear()
    const view = this.#view
    if (view === null) return
    const lines = [`${headerLine(view)} · ${said[end]}`, ...bestLine(view)]
    if (end === 'paused') lines.push(`after ${durationText(view.seconds)}; the same command goes on`)
    const words = /^[\w./-]+$/.test(dir) ? dir : JSON.stringify(dir)
    if (view.best) lines.push(`gradus trials ${words} --best`)
    else if (view.done > 0) lines.push(`no trial has a ${this.#metric}: gradus trials ${words}`)
    console.log(printable(lines.join('\n')))
  }
}

const said: Readonly<Record<MasterEnd, string>> = {
  done: 'done',
  exhausted: 'done: the space has no other parameters',
  limit: 'done',
  paused: 'paused',
  crashed: 'ended, as its workers died again and again',
}
