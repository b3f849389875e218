import { Dataset } from '../data/dataset.js'
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { NativeProgram, NativeSnapshot } from '../native.js'
import { unlessAborted } from '../signals.js'
import type { Callback, FitCall, Moment, RunContext, Wishes } from './callback.js'
import { isKeeping } from './callbacks.js'
import { passBatchSize } from './calls.js'
import type { Batches } from './epoch-source.js'
import { evaluateSource } from './evaluate.js'
import { extensions, type Saved } from './extensions.js'
import { FitData } from './fit-data.js'
import { Halt } from './halt.js'
import { averageColumn, type EpochRecord, type History, validationColumn } from './history.js'
import { setAtWork } from './in-training.js'
import type { FitSettings } from './options.js'
import { openRunFolder, type RunFolder } from './run-folder.js'
import { mayGoOn, mayGoOnThere } from './settings.js'
import type { Source } from './source.js'
import { Standing, type TakenFrom, type UnderWay } from './standing.js'
import { checkWishes, Steps } from './steps.js'
import type { TrainTarget } from './target.js'

/** One call of `fit`: epochs of steps, each followed by validation, with callbacks and checkpoints in between. */
export class Training {
  readonly #target: TrainTarget
  readonly #program: NativeProgram
  readonly #data: Data
  readonly #settings: FitSettings
  readonly #halt: Halt
  readonly #standing: Standing
  readonly #fitData: FitData
  /** The callbacks that have been told of the begin, and are to be told of the end. */
  readonly #told: Callback[] = []
  #epoch: number
  #folder: RunFolder | null = null
  /** From when the data are open on, and so in all that callbacks are told. */
  #call: FitCall | null = null
  #steps: Steps | null = null
  /** No checkpoint comes after the one that was made when the run was stopped. */
  #isKept = false
  /** What callbacks do for the checkpoints that are on their way. */
  #recorded: Promise<unknown> = Promise.resolve()
  #report: (record: EpochRecord) => void = () => {}

  constructor(target: TrainTarget, data: Data, settings: FitSettings) {
    this.#target = target
    this.#program = target.program
    this.#data = data
    this.#settings = settings
    this.#epoch = settings.initialEpoch
    this.#standing = new Standing(target, settings.initialEpoch)
    this.#halt = new Halt(settings)
    this.#fitData = new FitData(target, settings, this.#halt.signal)
  }

  get history(): History {
    return this.#standing.history
  }

  /** The record of the best epoch so far, by what is watched by default. */
  get best(): EpochRecord | null {
    return this.#standing.best
  }

  /** The run directory; null without one, and before it is open. */
  get dir(): string | null {
    return this.#folder?.path ?? null
  }

  stop(reason = 'stop'): void {
    this.#halt.stop(reason)
  }

  async run(report: (record: EpochRecord) => void): Promise<History> {
    this.#report = report
    try {
      await this.#train()
      await this.#keep('end')
    } catch (thrown) {
      const error = isLost(thrown) ? await this.#withCheckpoint(thrown) : thrown
      // The run's own error counts, not one that a callback makes of it.
      await this.#end(this.#halt.isAborted ? 'abort' : 'error', error)
      throw error
    }
    const failures = await this.#end(this.#halt.stoppedBy ?? 'epochs')
    if (failures.length > 0) throw failures[0]
    return this.history
  }

  async #train(): Promise<void> {
    const { signal } = this.#halt
    try {
      signal.throwIfAborted()
      if (this.#data instanceof Dataset) await unlessAborted(this.#data.prepare(signal), signal)
      if (!mayGoOn(this.#settings)) await unlessAborted(this.#preflight(signal), signal)
      const [training, validation] = await this.#fitData.open(this.#data)
      if (training.rows !== null) await this.#fitData.settle(training)
      const saved = await this.#describe(training, validation)
      if (mayGoOn(this.#settings) && !saved) await unlessAborted(this.#preflight(signal), signal)
      this.#steps = new Steps(this.#target, this.#call!, await this.#begin(), signal)
      if (saved) await this.#goOn(saved, this.#steps)
      await this.#trainEpochs(training, validation, this.#steps)
    } catch (error) {
      if (this.#halt.isAborted) await this.#keep('end')
      if (!this.#halt.isStop(error)) throw error
    }
  }

  /** Opens the run's directory, and finds what it goes on from. */
  async #describe(training: Source, validation: Source | null): Promise<Saved | null> {
    const { dir, name, initialEpoch, callbacks } = this.#settings
    const isSame = mayGoOnThere(this.#settings)
    if (dir !== undefined) {
      this.#folder = await openRunFolder({ dir, name }, isSame || initialEpoch > 0, { signal: this.#halt.signal })
    }
    const asked = { target: this.#target, settings: this.#settings, training, validation }
    const isKept = callbacks.some(isKeeping)
    const { lineage, saved } =
      this.#folder && (isKept || mayGoOn(this.#settings))
        ? await extensions().findLineage({ ...asked, folder: this.#folder.path })
        : { lineage: null, saved: null }
    this.#standing.watched = validation ? 'valLoss' : 'loss'
    this.#call = {
      settings: this.#settings,
      data: this.#data,
      training,
      validation,
      folder: this.#folder,
      goesOn: initialEpoch > 0 || (isSame && saved !== null),
      lineage,
      interrupt: (reason) => this.#halt.stop(reason),
    }
    return saved
  }

  async #goOn({ conventions, state }: Saved, steps: Steps): Promise<void> {
    this.#fitData.adopt(conventions)
    await this.#standing.restore(state, this.#takenFrom(steps))
    this.#epoch = this.#standing.epochs
    for (const record of this.#standing.records) this.#report(record)
  }

  #takenFrom(steps: Steps): TakenFrom {
    return { steps, callbacks: this.#settings.callbacks, halt: this.#halt }
  }

  /** Tells the callbacks, and asks what they want. */
  async #begin(): Promise<Wishes[]> {
    const wishes: Wishes[] = []
    for (const callback of this.#settings.callbacks) {
      this.#told.push(callback)
      const asked = await callback.onTrainBegin?.(this.#context())
      if (typeof asked === 'object' && asked !== null && 'inspections' in asked)
        wishes.push(checkWishes(asked as Wishes))
    }
    return wishes
  }

  async #preflight(signal: AbortSignal): Promise<void> {
    if (!this.#settings.sanityCheck) return
    await extensions().preflight(this.#target, this.#data, { ...this.#settings, signal })
  }

  async #trainEpochs(training: Source, validation: Source | null, steps: Steps): Promise<void> {
    const { epochs } = this.#settings
    while (this.#standing.epochs < epochs && this.#halt.stoppedBy === null) {
      this.#halt.signal.throwIfAborted()
      this.#epoch = this.#standing.epochs + 1
      await this.#tell((callback, context) => callback.onEpochBegin?.(context))
      const under = this.#standing.begin(training)
      await this.#trainEpoch(training, under, steps)
      under.totals.endTraining()
      await steps.endEpoch(this.#epoch)
      const validated = validation && (await this.#validate(validation, steps.hasAverage(this.#epoch)))
      // What goes on validates this epoch anew: it is kept as it was before.
      const isCut = validation !== null && validated === null
      if (isCut) await this.#keep('end')
      const { totals } = under
      const record: EpochRecord = { epoch: this.#epoch, ...totals.finish(), ...validated, ...totals.finishTime() }
      this.#standing.finish(record)
      // A schedule that goes by validation has nothing to go by where that was cut short.
      if (!isCut) steps.observe(record)
      this.#report(record)
      await this.#tell((callback, context) => callback.onEpochEnd?.({ ...context, record }))
      if (isCut) this.#isKept = true
      await this.#keep('epoch')
    }
  }

  /** @throws the signal's reason when it fires before the last step. */
  async #trainEpoch(training: Source, { source, totals }: UnderWay, steps: Steps): Promise<void> {
    const { signal } = this.#halt
    try {
      for await (const batches of source.batches(this.#settings, signal)) {
        if (training.rows === null) await this.#fitData.settle(training)
        await this.#trainBatches(batches, training.rows, steps, totals)
      }
    } catch (error) {
      if (this.#halt.isAborted) signal.throwIfAborted()
      throw error
    }
    if (totals.rows > 0) return
    const problem = 'the iterable gave no examples in epoch'
    const remedy = 'a function that makes a new iterable each time is what several epochs need'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `data: ${problem} ${this.#epoch}; ${remedy}`)
  }

  async #trainBatches(
    { dataset, firstRow, batchSize }: Batches,
    rowsTotal: number | null,
    steps: Steps,
    totals: UnderWay['totals'],
  ): Promise<void> {
    const { signal } = this.#halt
    const shuffle = this.#settings.shuffle && rowsTotal !== null
    const epoch = this.#standing.epochs
    const epochRow = rowsTotal === null ? totals.rows - firstRow : 0
    for (let row = firstRow; row < dataset.size; ) {
      const { metricSums } = totals
      const done = await steps.train(dataset, { epoch, firstRow: row, batchSize, shuffle, metricSums, epochRow })
      if (!done) throw signal.reason
      const { result, firstStep, annealed } = done
      row += result.rows
      totals.add(result, annealed)
      const report = {
        ...{ ...result, firstStep, ...annealed, rowsDone: totals.rows, rowsTotal },
        // A copy, made for who wants it: the next call goes on from the array itself.
        get metricSums() {
          return result.metricSums.slice()
        },
      }
      await this.#tell((callback, context) => callback.onStepsEnd?.({ ...context, steps: report, stop: this.#endNow }))
      steps.throwGivenUp(result)
      await this.#keep('steps')
    }
  }

  /** What callbacks end a run by within an epoch. */
  readonly #endNow = (reason = 'stop') => {
    this.#halt.end(reason)
    this.#halt.stop(reason)
  }

  /** The columns of the record; null when the run is stopped meanwhile. */
  async #validate(
    validation: Source,
    hasAverage: boolean,
  ): Promise<Record<string, number | number[][] | undefined> | null> {
    const { threads, validateAverage } = this.#settings
    const options = { batchSize: passBatchSize, threads, signal: this.#halt.signal, argument: 'validation' }
    const columns = async (averaged: boolean) => {
      const { regularizationLoss: _, ...values } = await evaluateSource(this.#target, validation, {
        ...options,
        averaged,
      })
      const columnOf = averaged ? averageColumn : validationColumn
      return Object.fromEntries(Object.entries(values).map(([name, value]) => [columnOf(name), value]))
    }
    try {
      return { ...(await columns(false)), ...(validateAverage && hasAverage && (await columns(true))) }
    } catch (error) {
      if (this.#halt.isStop(error)) return null
      if (this.#halt.isAborted) options.signal.throwIfAborted()
      throw error
    }
  }

  /** A checkpoint of this moment, where one is due. */
  async #keep(kind: Moment['kind']): Promise<void> {
    const steps = this.#steps
    const { callbacks, threads } = this.#settings
    if (!steps || this.#isKept || !callbacks.some(({ keeper }) => keeper)) return
    const moment = this.#standing.moment(kind)
    for (const { keeper } of callbacks) {
      if (!keeper || !(await keeper.isDue(moment))) continue
      const context = this.#context()
      const recorded = Promise.all(callbacks.map(async (callback) => callback.onCheckpoint?.(context)))
      // What it throws is thrown to who awaits it; the end waits for it too.
      this.#recorded = Promise.allSettled([this.#recorded, recorded])
      const from = this.#takenFrom(steps)
      await keeper.keep(moment, (into?: NativeSnapshot) => this.#standing.take(from, threads, into), recorded)
    }
  }

  /** Tells the callbacks one after the other. */
  async #tell(event: (callback: Callback, context: RunContext) => unknown): Promise<void> {
    setAtWork(this.#program, false)
    for (const callback of this.#settings.callbacks) await event(callback, this.#context())
    setAtWork(this.#program, true)
  }

  /** Tells every callback, whatever another one throws; returns what they threw. */
  async #end(stoppedBy: string, error?: unknown): Promise<unknown[]> {
    this.#halt.close()
    setAtWork(this.#program, false)
    this.history.stoppedBy = stoppedBy
    await this.#recorded
    const failures: unknown[] = []
    for (const callback of this.#told) {
      try {
        await callback.onTrainEnd?.({ ...this.#context(), stoppedBy, error })
      } catch (failure) {
        failures.push(failure)
      }
    }
    this.#fitData.close()
    for (const { keeper } of this.#told) await keeper?.close().catch((failure) => failures.push(failure))
    await this.#folder?.close(failures.length > 0 ? 'error' : stoppedBy)
    for (const { keeper } of this.#told) keeper?.release()
    return failures
  }

  /** Of a device that is lost, and all that was there: what the run can go on from. */
  async #withCheckpoint(error: GradusError): Promise<GradusError> {
    const keeper = this.#told.find(({ keeper }) => keeper)?.keeper
    const last = (await keeper?.last()) ?? null
    const place = last === null ? 'there is no checkpoint of the run' : `the last checkpoint is ${last}`
    return new GradusError(error.code, `${error.message}; ${place}`, { cause: error })
  }

  #context(): RunContext {
    return {
      model: this.#target,
      target: this.#target,
      epoch: this.#epoch,
      epochs: this.#settings.epochs,
      history: this.history,
      defaultColumn: this.#standing.watched,
      call: this.#call!,
      stop: (reason = 'stop') => this.#halt.end(reason),
    }
  }
}

const isLost = (error: unknown): error is GradusError =>
  error instanceof GradusError && error.code === 'GRADUS_DEVICE_LOST'
