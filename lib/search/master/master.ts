/** Starts and ends workers, shows what they do, and caches what has ended. The search needs it for none of its results. */
import { setTimeout } from 'node:timers/promises'
import { GradusError } from '../../errors.js'
import { unlessAborted } from '../../signals.js'
import {
  Beats,
  claimMaster,
  endTrial,
  hasEnded,
  IndexWriter,
  LeaseJudge,
  type MasterClaim,
  readPlan,
  readStages,
  type StudyReader,
  type Trial,
} from '../../study/index.js'
import { type StudyView, viewOf } from '../display/view.js'
import type { Executor } from '../executors/executor.js'
import type { WorkerEnd } from '../worker/worker.js'
import { Crew } from './crew.js'
import { StuckTrials } from './stuck.js'

export interface MasterOptions {
  /** Of the study; nothing else refreshes it meanwhile. */
  readonly reader: StudyReader
  /** What the study is called where it is shown. */
  readonly name: string
  readonly executor: Executor
  readonly workers: number
  /** Of an executor whose workers come and go: how many there are now. */
  readonly countWorkers?: (() => number) | undefined
  /** Fires when running trials are to pause. */
  readonly signal: AbortSignal
  /** Fires when workers are to be ended at once. */
  readonly killSignal?: AbortSignal | undefined
  /** Seconds without a report after which a worker's process is ended that does not end its trial itself. Default: never. */
  readonly timeout?: number | null | undefined
  /** Seconds beyond twice the `timeout`, in which a worker has the time to end its trial itself. Default 30. */
  readonly patience?: number | undefined
  readonly restarts?: number | undefined
  readonly lease?: number | undefined
  readonly beatEvery?: number | undefined
  /** Told of each trial that has ended, once. */
  onTrial?(trial: Trial): void
  onView?(view: StudyView): void
  /** What has happened, for people. */
  onLine?(text: string): void
}

/** How the search ended; `crashed`: its workers died again and again. */
export type MasterEnd = WorkerEnd | 'crashed'

/** Milliseconds from look to look, where something happens and where nothing does. */
const pace = { least: 100, most: 1000, plan: 1000 }
/** A look takes no more of the time than this. */
const share = 1 / 10
/** @throws what a worker has failed of; `GRADUS_BAD_FILE` when the folder cannot be read or claimed */
export async function runMaster(options: MasterOptions): Promise<MasterEnd> {
  const master = new Master(options)
  try {
    return await master.run()
  } finally {
    await master.close()
  }
}

class Master {
  readonly #options: MasterOptions
  readonly #crew: Crew
  readonly #beats: Beats
  readonly #judge: LeaseJudge
  readonly #stuck = new StuckTrials()
  readonly #began = performance.now()
  #claim: MasterClaim | null = null
  #index: IndexWriter | null = null
  #isWatching = false
  #planned = 0
  #stage = 1
  #askedAt = Number.NEGATIVE_INFINITY
  /** Whether something has happened since the last look. */
  #isWoken = false
  #wake = () => {}

  constructor(options: MasterOptions) {
    const { lease, beatEvery, onLine } = options
    this.#options = options
    this.#beats = new Beats({ every: beatEvery })
    this.#judge = new LeaseJudge({ lease })
    this.#crew = new Crew({
      ...options,
      onLine: (text) => onLine?.(text),
      onChange: this.#hasNews,
    })
  }

  get #trials(): readonly Trial[] {
    return this.#options.reader.trials
  }

  async run(): Promise<MasterEnd> {
    const { reader, signal, killSignal } = this.#options
    signal.addEventListener('abort', this.#pause)
    killSignal?.addEventListener('abort', this.#kill)
    let delay = pace.least
    for (let isFirst = true; ; isFirst = false) {
      const from = performance.now()
      // What the last ones did just before they ended may not be among what is read now, but is at the next look.
      const isIdle = this.#crew.running === 0
      this.#isWoken = false
      const changed = await reader.refresh()
      if (performance.now() - this.#askedAt >= pace.plan) await this.#ask()
      await this.#tell(isFirst ? [] : changed)
      this.#endSilent()
      if (this.#claim) this.#crew.look(this.#trials)
      const end = this.#end(isIdle)
      this.#show()
      if (end !== null) return end
      delay = changed.length > 0 ? pace.least : Math.min(pace.most, 1.5 * delay)
      await this.#wait(Math.max(delay, (performance.now() - from) / share))
    }
  }

  readonly #pause = (): void => {
    this.#crew.pause()
    this.#hasNews()
  }
  readonly #kill = (): void => {
    this.#crew.kill()
    this.#hasNews()
  }
  readonly #hasNews = (): void => {
    this.#isWoken = true
    this.#wake()
  }

  /** Or until something happens; never sooner than the least pace, so that many ends are one look. */
  async #wait(milliseconds: number): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await setTimeout(pace.least)
    if (this.#isWoken) woken.abort()
    await unlessAborted(setTimeout(milliseconds - pace.least, undefined, { signal: woken.signal }), woken.signal).catch(
      () => undefined,
    )
    this.#wake = () => {}
  }

  /** Now and then: what is to be done, and who is the master. */
  async #ask(): Promise<void> {
    const { reader } = this.#options
    this.#askedAt = performance.now()
    this.#planned = (await readPlan(reader.path, reader.study)).trials
    this.#stage = 1 + (await readStages(reader.path)).length
    if (this.#claim && !(await this.#claim.isTaken())) return
    this.#claim = await claimMaster(reader.path, this.#judge, this.#beats)
    this.#index = this.#claim && (await this.#openIndex(this.#claim.number))
    if (this.#claim === null && !this.#isWatching)
      this.#line('another process is the master of this study: this one watches')
    else if (this.#claim && this.#isWatching) this.#line('the master of this study is gone: this one takes its place')
    this.#isWatching = this.#claim === null
  }

  /** The cache is nothing that a search needs. */
  async #openIndex(number: number): Promise<IndexWriter | null> {
    try {
      return await IndexWriter.open(this.#options.reader.path, number, this.#trials.filter(hasEnded))
    } catch (error) {
      return this.#withoutIndex(error)
    }
  }

  #withoutIndex(error: unknown): null {
    if (!(error instanceof GradusError)) throw error
    this.#line(`trials that end are not cached: ${error.message}`)
    return null
  }

  async #tell(changed: readonly Trial[]): Promise<void> {
    this.#crew.sawChanges(changed)
    const ended = changed.filter(hasEnded)
    for (const trial of ended) this.#options.onTrial?.(trial)
    if (this.#index === null) return
    await this.#index.add(ended).catch((error) => {
      this.#index = this.#withoutIndex(error)
    })
  }

  /** A worker that lives ends such a trial itself; one whose thread is blocked cannot. */
  #endSilent(): void {
    const { timeout = null, patience = 30 } = this.#options
    this.#stuck.look(this.#trials)
    if (timeout === null || this.#claim === null) return
    for (const trial of this.#trials.filter(({ state }) => state === 'running')) {
      if (this.#stuck.silence(trial) < 2 * timeout + patience) continue
      const reason = `timeout: no report for ${timeout} s, and no answer`
      const holder = trial.claim!.record.process
      void endTrial(trial, { state: 'failed', reason }).then(
        (isEnded) => isEnded && this.#crew.killProcess(holder),
        (error: Error) => this.#line(error.message),
      )
    }
  }

  /** @param isIdle whether no worker was at work when the trials were read */
  #end(isIdle: boolean): MasterEnd | null {
    const isOver = isIdle && this.#crew.running === 0
    if (this.#crew.failure !== null && isOver) throw this.#crew.failure
    if (this.#crew.failure !== null) this.#crew.pause()
    if (!isOver) return null
    if (this.#options.signal.aborted || this.#options.killSignal?.aborted) return 'paused'
    if (this.#claim === null) return null
    const ends = this.#crew.ends
    // Where one has come to the end, it does not matter that another died, or was told to pause.
    if (ends.length === 0 && this.#crew.dead.length > 0) return 'crashed'
    return (['exhausted', 'done', 'limit', 'paused'] as const).find((end) => ends.includes(end)) ?? 'done'
  }

  #show(): void {
    const { reader, name, onView, workers, countWorkers } = this.#options
    if (!onView) return
    onView(
      viewOf({
        ...{ name, study: reader.study, trials: this.#trials, planned: this.#planned, stage: this.#stage },
        workers: this.#claim ? (countWorkers?.() ?? workers) : this.#crew.running,
        seconds: (performance.now() - this.#began) / 1000,
        isStuck: (trial) => this.#stuck.isStuck(trial),
      }),
    )
  }

  #line(text: string): void {
    this.#options.onLine?.(text)
  }

  async close(): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#pause)
    this.#options.killSignal?.removeEventListener('abort', this.#kill)
    this.#crew.kill()
    // Somebody else's by now, or on a disk that is gone: then it goes stale.
    await this.#claim?.release().catch(() => undefined)
    await this.#beats.close()
  }
}
