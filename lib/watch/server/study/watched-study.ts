/** One study of a folder: its reader, and what changed when. */
import { setTimeout } from 'node:timers/promises'
import {
  type FlatSpace,
  flatSpace,
  hasEnded,
  type JsonObject,
  LeaseJudge,
  type NumberedPlan,
  readPlan,
  readStages,
  type Stage,
  type StudyParameter,
  StudyReader,
  type Trial,
} from '../../../study/index.js'
import { Refusal } from '../query.js'
import { type ImportanceSource, importanceView } from './importance-view.js'
import type { ImportanceView, TrialColumns } from './study-wire.js'
import { columnsOf } from './trial-columns.js'

/** Milliseconds for which what was read counts as new: the pages that look share one reading. */
const freshFor = 400
/** Milliseconds for which what was read first does, as long as nobody has been sent the trials: a page is shown that at once. */
const patientFor = 2000
/** Of a study in which thousands wait a look takes long: no more than this part of the time, which a search may need. */
const share = 1 / 10
/** Milliseconds that an answer waits for a study that is read for the first time: most are there by then. */
const patience = 150

export class WatchedStudy {
  #reader: StudyReader | null = null
  #isLookedAt = false
  /** Whether somebody has been sent the trials. */
  #isSent = false
  #opening: Promise<void> | null = null
  #refreshing: Promise<void> | null = null
  #readAt = Number.NEGATIVE_INFINITY
  /** Milliseconds that the last look took. */
  #took = 0
  #progress = { done: 0, all: 0 }
  #problem: string | null = null
  #stages: readonly Stage[] = []
  #plan: NumberedPlan | null = null
  #flat: { readonly of: JsonObject; readonly space: FlatSpace } | null = null
  readonly #judge = new LeaseJudge()
  /** The version in which each trial was last seen to change. */
  readonly #versions = new Map<number, number>()
  #importance: { key: string; view: ImportanceView; at: number; took: number } | null = null
  #origin = Number.NaN
  /** Grows when trials have gone, and all is to be asked for anew. Begins at the time, so that an earlier server's is another. */
  generation = Date.now()
  version = 0

  constructor(
    readonly name: string,
    /** Its real path. */
    readonly directory: string,
  ) {}

  /** Looks for what has changed; the first time it reads all, and does not wait for the end of that. */
  async refresh(): Promise<void> {
    if (this.#reader === null) {
      this.#opening ??= this.#open().finally(() => {
        this.#opening = null
      })
      await Promise.race([this.#opening, setTimeout(patience, undefined, { ref: false })])
      return
    }
    const age = performance.now() - this.#readAt
    if (age < (this.#isSent ? Math.max(freshFor, this.#took / share) : patientFor)) return
    await this.look()
  }

  /** Settles when what is being read has been, or could not be. */
  async whenRead(): Promise<void> {
    await this.#opening
  }

  /** At once, however fresh what is known may be. */
  async look(): Promise<void> {
    if (this.#reader === null) return await this.refresh()
    const from = performance.now()
    this.#refreshing ??= this.#refresh(this.#reader).finally(() => {
      this.#refreshing = null
      this.#readAt = performance.now()
      this.#took = this.#readAt - from
    })
    await this.#refreshing
  }

  async #open(): Promise<void> {
    try {
      const onProgress = (done: number, all: number) => {
        this.#progress = { done, all }
      }
      const reader = await StudyReader.open(this.directory, { onProgress, trusts: true })
      this.#count(reader.trials)
      await this.#readPlans(reader)
      this.#reader = reader
      this.#readAt = performance.now()
    } catch (error) {
      this.#problem = messageOf(error)
    }
  }

  async #refresh(reader: StudyReader): Promise<void> {
    try {
      // What the cache said is shown at once, and looked at when that has been sent.
      const changed = await reader.refresh({ all: !this.#isLookedAt })
      this.#isLookedAt = true
      if (reader.trials.length < this.#versions.size) this.#forget(reader)
      this.#count(changed)
      await this.#readPlans(reader)
    } catch (error) {
      // The folder is away for a moment; what was seen of it stays.
      this.#problem = messageOf(error)
    }
  }

  async #readPlans({ path, study }: StudyReader): Promise<void> {
    this.#problem = null
    try {
      this.#stages = await readStages(path)
      this.#plan = await readPlan(path, study)
    } catch (error) {
      this.#problem = messageOf(error)
    }
  }

  #count(changed: readonly Trial[]): void {
    if (changed.length === 0) return
    this.version++
    for (const { number } of changed) this.#versions.set(number, this.version)
  }

  #forget({ trials }: StudyReader): void {
    this.generation++
    this.#versions.clear()
    this.#importance = null
    this.#count(trials)
  }

  get progress(): { done: number; all: number } | null {
    return this.#reader === null && this.#problem === null ? this.#progress : null
  }

  get problem(): string | null {
    return this.#problem
  }

  get isOpen(): boolean {
    return this.#reader !== null
  }

  /** Of a study that is open. */
  get reader(): StudyReader {
    if (this.#reader === null) throw new Refusal(503, this.#problem ?? 'The study is being read')
    return this.#reader
  }

  get stages(): readonly Stage[] {
    return this.#stages
  }

  /** Null where nothing says how much is to be done. */
  get planned(): number | null {
    const trials = this.#plan?.trials ?? 0
    return trials > 0 ? trials : null
  }

  get #space(): JsonObject {
    return this.#plan?.space ?? this.reader.study.space
  }

  get #flatSpace(): FlatSpace {
    const of = this.#space
    if (this.#flat?.of !== of) this.#flat = { of, space: flatSpace(of) }
    return this.#flat.space
  }

  get parameters(): readonly StudyParameter[] {
    return this.#flatSpace.parameters
  }

  trial(number: number): Trial {
    const trial = this.reader.trial(number)
    if (trial === null) throw new Refusal(404, 'There is no such trial')
    return trial
  }

  isSilent(trial: Trial): boolean {
    return this.#judge.isStale(trial)
  }

  /** Made anew when another trial has ended, and not too often: it costs more than all the rest. */
  importance(): ImportanceView {
    const from = performance.now()
    const before = this.#importance
    if (before && from - before.at < before.took / share) return before.view
    const { trials, study } = this.reader
    const ended = trials.filter(hasEnded)
    const key = `${this.generation} ${ended.length} ${this.#stages.length} ${this.#plan?.number}`
    if (this.#importance?.key !== key) {
      const { direction } = study
      const source: ImportanceSource = {
        parameters: this.parameters,
        space: this.#space,
        stages: this.#stages,
        direction,
      }
      const view = importanceView(ended, source)
      const at = performance.now()
      this.#importance = { key, view, at, took: at - from }
    }
    return this.#importance.view
  }

  /** What has changed since a version that was told; all of it where that was told by another server, or trials have gone. */
  columnsSince(generation: number | undefined, since: number): TrialColumns {
    const { trials } = this.reader
    this.#isSent = true
    const isWhole = generation !== this.generation || since > this.version
    const changed = isWhole ? trials : trials.filter(({ number }) => this.#versions.get(number)! > since)
    // Zero stays where it was, whoever asks.
    if (Number.isNaN(this.#origin))
      this.#origin = trials.find(({ begunAt }) => !Number.isNaN(begunAt))?.begunAt ?? Number.NaN
    const columns = columnsOf(changed, this.#flatSpace, this.#origin)
    return { isWhole, generation: this.generation, version: this.version, ...columns }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 2000)
