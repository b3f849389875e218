import { sharpness } from '../../check/curvature/sharpness.js'
import { GradusError } from '../../errors.js'
import type { Model } from '../../model/model.js'
import type { EndContext, EpochContext, FitCall, RunContext, StepsReport } from '../../train/callback.js'
import { openRunFolder, type RunFolder } from '../../train/run-folder.js'
import { mayGoOnThere } from '../../train/settings.js'
import type { TrainTarget } from '../../train/target.js'
import { type Entry, epochEntry, RecordingBuilder } from '../recording/builder.js'
import { layerColumns, layerRowWidth, lookColumns, Rows } from '../recording/files.js'
import { openRun, type RunInfo } from '../recording/index.js'
import { checkClassNames, checkSharpness } from './check-call.js'
import type { Clock } from './clock.js'
import { ExampleWatch } from './examples.js'
import { checkStep, type Memory, nothing, processOf, sizesOf } from './going-on.js'
import type { MonitorSettings } from './options.js'
import { openPlace, type Place } from './place.js'
import { RunDirectory } from './run-directory.js'
import { runInfo } from './run-info.js'
import { stepRows } from './step-rows.js'
import { SystemWatch } from './system.js'

/** Milliseconds for which what happens is gathered: whatever wakes a thread takes it from training. */
const gatherFor = 100
/** The same when no steps end, as during validation. */
const gatherAtMost = 200
/** Share of the run's time that looks at examples may take; the first and the last are always made and do not count. */
const shareOfLooks = 0.002

/** What is known before a run begins or goes on. */
export interface Prepared {
  readonly settings: MonitorSettings
  readonly clock: Clock
  readonly info: RunInfo
  /** Where it is recorded; null for runs kept in memory alone. */
  readonly place: Place | null
  /** The folder that the monitor has opened for itself, not that of `fit`. */
  readonly own: RunFolder | null
}

interface Parts {
  readonly builder: RecordingBuilder
  readonly directory: RunDirectory | null
  readonly examples: ExampleWatch | null
}

/** The recording of one run: into memory, and into its directory if it has one. */
export class MonitoredRun {
  readonly builder: RecordingBuilder
  readonly directory: RunDirectory | null
  readonly #own: RunFolder | null
  readonly #target: TrainTarget
  readonly #call: FitCall
  readonly #settings: MonitorSettings
  readonly #examples: ExampleWatch | null
  readonly #clock: Clock
  readonly #system: SystemWatch
  readonly #sizes: readonly number[]
  readonly #began: number
  /** When the last native call ended, and the updates done by then. */
  #last: number
  #step: number
  /** The last ones: their memory is used again. */
  #stepRows = Rows.of(0, 1)
  #layerRows = Rows.of(0, 1)
  #looksTook = 0
  #lastLookTook = 0
  #lookedAt = -1
  /** What has happened and is not recorded yet: that is done while later steps are under way. */
  #pending: (() => void)[] = []
  #timer: NodeJS.Timeout | null = null
  #immediate: NodeJS.Immediate | null = null
  #flushed: number
  #hasRefused = false
  #warned = false

  private constructor({ target, call }: RunContext, prepared: Prepared, parts: Parts, memory: Memory | null) {
    this.#target = target
    this.#call = call
    this.#settings = prepared.settings
    this.#own = prepared.own
    this.builder = parts.builder
    this.directory = parts.directory
    this.#examples = parts.examples
    this.#clock = prepared.clock
    this.#system = new SystemWatch(this.#clock)
    this.#last = this.#flushed = this.#clock.now()
    this.#began = this.#last - 1000 * (memory?.seconds ?? 0)
    this.#hasRefused = memory?.hasRefused ?? false
    this.#sizes = target.program.parameters.filter(({ trainable }) => trainable).map(({ size }) => size)
    this.#step = target.program.step
    this.#add({ type: 'begin', step: this.#step, time: this.#clock.date(), ...processOf(call) })
    this.directory?.send()
  }

  /** What a monitor needs before its first event; makes or takes the run directory. */
  static async prepare({ target, call }: RunContext, settings: MonitorSettings, clock: Clock): Promise<Prepared> {
    const { every, histograms, classNames } = settings
    checkSharpness(target, call, settings)
    checkClassNames(target, settings)
    const examples = call.training.rows
    const validationExamples = call.validation?.rows ?? null
    const info = runInfo(target, call, { examples, validationExamples }, { every, histograms, classNames })
    const own = settings.dir === undefined ? null : await openRunFolder({ dir: settings.dir }, mayHoldRun(call))
    const folder = own ?? call.folder
    try {
      return { settings, clock, info, own, place: folder && (await openPlace(folder, info, call.goesOn)) }
    } catch (error) {
      await own?.close('error')
      throw error
    }
  }

  /** Begins, or goes on with what is recorded; when model and callbacks are as they were. */
  static async begin(context: RunContext, prepared: Prepared, memory: Memory | null): Promise<MonitoredRun> {
    const { target, call } = context
    const { place, info } = prepared
    const { step } = target.program
    let directory: RunDirectory | null = null
    try {
      const sizes = place?.isKnown ? await sizesOf(place, memory) : nothing
      if (place?.isKnown && !sizes) await checkStep(place, step, call)
      directory = place && (await RunDirectory.open(place, { step, sizes }))
      const examples = await ExampleWatch.open(target, call, prepared.settings.featureMaps)
      const builder = place?.isKnown ? (await openRun(place.folder.path)).builder : new RecordingBuilder(info)
      return new MonitoredRun(context, prepared, { builder, directory, examples }, memory)
    } catch (error) {
      await directory?.close()
      await prepared.own?.close('error')
      throw error
    }
  }

  /** For checkpoints. */
  state(): Memory {
    this.flush()
    const seconds = (this.#clock.now() - this.#began) / 1000
    return { sizes: this.directory?.sizes ?? null, seconds, hasRefused: this.#hasRefused }
  }

  /** Resolves when all that has happened so far lies on the disk. */
  async settle(): Promise<void> {
    this.flush()
    await this.directory?.check()
    await this.directory?.settle()
    this.#warnOfFailure()
  }

  async addSteps(report: StepsReport): Promise<void> {
    const now = this.#clock.now()
    const [from, to] = [(this.#last - this.#began) / 1000, (now - this.#began) / 1000]
    this.#last = now
    this.#step = this.#target.program.step
    this.#soon(() => this.#recordSteps(report, from, to))
    const system = this.#system.add(report, this.#step)
    if (system) {
      this.#soon(() => this.#add({ type: 'system', ...system }))
      await this.directory?.check()
    }
    // The next call has begun by then: what is recorded now keeps no step waiting.
    if (now - this.#flushed > gatherFor) this.#immediate ??= setImmediate(() => this.flush())
    await this.directory?.keepUp()
  }

  #soon(record: () => void): void {
    this.#timer ??= setTimeout(() => this.flush(), gatherAtMost)
    this.#pending.push(record)
  }

  /** Records all that has happened. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer)
    if (this.#immediate) clearImmediate(this.#immediate)
    this.#timer = this.#immediate = null
    this.#flushed = this.#clock.now()
    const pending = this.#pending
    this.#pending = []
    for (const record of pending) record()
    this.directory?.send()
  }

  #recordSteps(report: StepsReport, from: number, to: number): void {
    const { every } = this.#settings
    const momentum = this.#target.optimizer.momentum ?? 0
    const rows = stepRows(report, this.#stepRows, { sizes: this.#sizes, every, momentum, from, to })
    this.#stepRows = rows
    this.builder.addSteps(rows)
    this.directory?.addSteps(rows)
    this.#addLooks(report)
    if (report.firstRefusal && !this.#hasRefused) this.#add({ type: 'refusal', ...report.firstRefusal })
    this.#hasRefused ||= report.firstRefusal !== undefined
  }

  #addLooks({ inspections }: StepsReport): void {
    if (!inspections || inspections.steps.length === 0) return
    const layers = this.builder.info.layers.length
    const [given, width] = [inspections.values.length / inspections.steps.length, layerRowWidth(layers)]
    const picked = [...inspections.steps.keys()].filter((i) => this.#isMine(inspections, i))
    const rows = this.#layerRows.reuse(picked.length, width)
    this.#layerRows = rows
    const histograms: Float32Array[] = []
    for (const [row, look] of picked.entries()) {
      const values = inspections.values.subarray(look * given, (look + 1) * given)
      const statistics = layers * layerColumns.length
      rows.steps[row * width] = inspections.steps[look]!
      rows.values.set(values.subarray(0, statistics), row * width + lookColumns.length)
      histograms.push(values.subarray(statistics))
      this.builder.looks.add(this.builder.looks.count, rows, row)
    }
    this.directory?.addLooks(rows, histograms)
  }

  /** Another callback may want looks more often; looks at refused steps are for `firstRefusal`. */
  #isMine({ steps, refused }: NonNullable<StepsReport['inspections']>, look: number): boolean {
    return !refused[look] && steps[look]! % (this.#settings.histograms ?? Number.POSITIVE_INFINITY) === 0
  }

  async addEpoch({ epoch, record }: EpochContext): Promise<void> {
    await this.directory?.check()
    const step = this.#step
    this.#soon(() => this.#add(epochEntry(record, step)))
    const budget = shareOfLooks * (this.#clock.now() - this.#began)
    const isDue = this.#settings.featureMaps || this.#lookedAt < 0 || this.#looksTook + this.#lastLookTook < budget
    if (isDue) await this.#lookAtExamples(epoch)
    await this.#measureSharpness(epoch)
    this.#last = this.#clock.now()
    this.#warnOfFailure()
  }

  async #lookAtExamples(epoch: number): Promise<void> {
    const step = this.#step
    if (!this.#examples || this.#lookedAt === step) return
    const isFirst = this.#lookedAt < 0
    this.#lookedAt = step
    const began = this.#clock.now()
    const { confusion, misclassified, ...predictions } = await this.#examples.look()
    this.#soon(() => this.#add({ type: 'predictions', epoch, step, ...predictions }))
    await this.directory
      ?.writeLatest({ epoch, step, confusion, misclassified, ...this.#examples.pictures() })
      .catch((error: Error) => {
        if (error instanceof GradusError && error.code === 'GRADUS_STALE_RUN') this.#drop()
        else this.#warn(error)
      })
    this.#lastLookTook = this.#clock.now() - began
    if (!isFirst) this.#looksTook += this.#lastLookTook
  }

  async #measureSharpness(epoch: number): Promise<void> {
    const { sharpness: options } = this.#settings
    if (!options || epoch % options.every !== 0) return
    const found = await sharpness(this.#target as Model, this.#call.data, { examples: options.examples })
    const learningRateLimit = Number.isFinite(found.learningRateLimit) ? found.learningRateLimit : null
    this.flush()
    this.#add({
      type: 'sharpness',
      epoch,
      step: this.#step,
      eigenvalue: found.eigenvalue,
      learningRateLimit,
    })
  }

  async end({ epoch, stoppedBy, error }: EndContext): Promise<void> {
    try {
      if (await this.directory?.isTaken()) this.#drop()
      else if (stoppedBy !== 'error') await this.#lookAtExamples(epoch)
    } finally {
      this.flush()
      const message = stoppedBy === 'error' && { error: error instanceof Error ? error.message : String(error) }
      this.#add({ type: 'end', step: this.#step, time: this.#clock.date(), stoppedBy, ...message })
      this.#examples?.close()
      await this.directory?.close()
      await this.#own?.close(stoppedBy)
      this.#warnOfFailure()
    }
  }

  /** Another process has gone on with the run: what is not written yet is no longer part of it. */
  #drop(): void {
    this.#pending = []
    this.directory?.drop()
  }

  #add(entry: Entry): void {
    this.builder.addEntry(entry)
    this.directory?.addEntry(entry)
  }

  #warnOfFailure(): void {
    const failure = this.directory?.failure
    if (failure) this.#warn(failure)
  }

  /** A full disk costs the recording, not the training. */
  #warn(failure: Error): void {
    if (this.#warned) return
    this.#warned = true
    const message = `The run is no longer recorded in ${this.directory!.path}: ${failure.message}. Training goes on`
    process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_NOT_RECORDED' })
  }
}

/** Also a run that was killed before there was anything to go on from. */
const mayHoldRun = ({ goesOn, settings }: FitCall): boolean => goesOn || mayGoOnThere(settings)
