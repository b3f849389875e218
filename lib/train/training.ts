import { type Conventions, sameClasses } from '../data/conventions.js'
import { someOf } from '../data/labels.js'
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { NativeProgram } from '../native.js'
import { unlessAborted } from '../signals.js'
import { adaptFirst } from './adapt.js'
import type { Callback, FitCall, RunContext, Wishes } from './callback.js'
import { passBatchSize } from './calls.js'
import { resolveClassWeights } from './class-weights.js'
import { evaluateSource } from './evaluate.js'
import { extensions } from './extensions.js'
import { Halt } from './halt.js'
import { addRecord, type EpochRecord, emptyHistory, type History, validationColumn } from './history.js'
import { setAtWork } from './in-training.js'
import type { FitSettings } from './options.js'
import { type Batches, epochBatches, openSource, requirementsOf, type Source, splitSource } from './source.js'
import { checkWishes, Steps } from './steps.js'
import type { TrainTarget } from './target.js'
import { EpochTotals } from './totals.js'

/** One call of `fit`: epochs of steps, each followed by validation, with callbacks in between. */
export class Training {
  readonly history: History = emptyHistory()
  readonly #target: TrainTarget
  readonly #program: NativeProgram
  readonly #data: Data
  readonly #settings: FitSettings
  readonly #halt: Halt
  /** What the data mean: the model's copied, and what these data settle. */
  readonly #conventions: Conventions
  #validationConventions: Conventions = {}
  /** The callbacks that have been told of the begin, and are to be told of the end. */
  readonly #told: Callback[] = []
  #best: EpochRecord | null = null
  #epoch: number
  /** From when the data are open on, and so in all that callbacks are told. */
  #call: FitCall | null = null
  #report: (record: EpochRecord) => void = () => {}

  constructor(target: TrainTarget, data: Data, settings: FitSettings) {
    this.#target = target
    this.#program = target.program
    this.#data = data
    this.#conventions = { ...target.conventions }
    this.#settings = settings
    this.#epoch = settings.initialEpoch
    this.#halt = new Halt(settings)
  }

  /** The record of the best epoch so far, by what is watched by default. */
  get best(): EpochRecord | null {
    return this.#best
  }

  stop(reason = 'stop'): void {
    this.#halt.stop(reason)
  }

  async run(report: (record: EpochRecord) => void): Promise<History> {
    this.#report = report
    const sources: Source[] = []
    try {
      await this.#train(sources)
    } catch (error) {
      // The run's own error counts, not one that a callback makes of it.
      await this.#end(sources, this.#halt.isAborted ? 'abort' : 'error', error)
      throw error
    }
    const failures = await this.#end(sources, this.#halt.stoppedBy ?? 'epochs')
    if (failures.length > 0) throw failures[0]
    return this.history
  }

  async #train(sources: Source[]): Promise<void> {
    const { signal } = this.#halt
    try {
      signal.throwIfAborted()
      await unlessAborted(this.#preflight(signal), signal)
      const [training, validation] = await this.#open(sources)
      if (training.rows !== null) await this.#settle(training)
      this.#call = { settings: this.#settings, data: this.#data, training, validation }
      await this.#trainEpochs(training, validation, await this.#begin())
    } catch (error) {
      if (!this.#halt.isStop(error)) throw error
    }
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

  /** The sources of training and validation; all that must be closed goes into `opened`. */
  async #open(opened: Source[]): Promise<[Source, Source | null]> {
    const { validation, validationSplit } = this.#settings
    const open = async (data: Data, conventions: Conventions, argument?: string) => {
      const settles = conventions === this.#conventions
      const needs = { ...requirementsOf(this.#target), conventions, settles, argument }
      const source = await openSource(data, needs, this.#halt.signal)
      opened.push(source)
      if (source.rows === 0) {
        const message = `${argument ?? 'data'}: expected at least one example, received none`
        throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
      }
      return source
    }
    const training = await open(this.#data, this.#conventions)
    if (validationSplit !== undefined) return await splitSource(training, validationSplit)
    this.#validationConventions = { ...this.#conventions }
    return [
      training,
      validation === undefined ? null : await open(validation, this.#validationConventions, 'validation'),
    ]
  }

  /** The model keeps what its training data mean. Of a stream that is known once its first piece is there. */
  async #settle(training: Source): Promise<void> {
    const { classes } = this.#conventions
    const { classes: others = classes } = this.#validationConventions
    if (classes && others && !sameClasses(classes, others)) {
      const lists = `${someOf(classes)}, received ${someOf(others)}`
      throw new GradusError(
        'GRADUS_INVALID_ARGUMENT',
        `validation: expected the classes of the training data, ${lists}`,
      )
    }
    Object.assign(this.#target.conventions, this.#conventions)
    const { givenClassWeights } = this.#settings
    const { signal } = this.#halt
    await adaptFirst(this.#target, training, { signal })
    this.#settings.classWeights = await resolveClassWeights(this.#target, givenClassWeights, training, signal)
  }

  async #trainEpochs(training: Source, validation: Source | null, wishes: Wishes[]): Promise<void> {
    const { initialEpoch, epochs } = this.#settings
    const steps = new Steps(this.#target, this.#settings, wishes, this.#halt.signal)
    for (let epoch = initialEpoch; epoch < epochs && this.#halt.stoppedBy === null; epoch++) {
      this.#halt.signal.throwIfAborted()
      this.#epoch = epoch + 1
      const started = performance.now()
      await this.#tell((callback, context) => callback.onEpochBegin?.(context))
      const totals = new EpochTotals(this.#target)
      await this.#trainEpoch(training, epoch, steps, totals)
      const trained = performance.now()
      const validated = validation && (await this.#validate(validation))
      const record: EpochRecord = {
        epoch: epoch + 1,
        ...totals.finish(),
        ...validated,
        seconds: (performance.now() - started) / 1000,
        samplesPerSecond: totals.rows / ((trained - started) / 1000),
      }
      addRecord(this.history, record)
      this.#best = better(this.#best, record, validation ? 'valLoss' : 'loss')
      // A schedule that goes by validation has nothing to go by where that was cut short.
      if (!validation || validated) steps.observe(record)
      this.#report(record)
      await this.#tell((callback, context) => callback.onEpochEnd?.({ ...context, record }))
    }
  }

  /** @throws the signal's reason when it fires before the last step. */
  async #trainEpoch(source: Source, epoch: number, steps: Steps, totals: EpochTotals): Promise<void> {
    const { signal } = this.#halt
    try {
      for await (const batches of epochBatches(source, this.#settings, signal)) {
        if (source.rows === null) await this.#settle(source)
        await this.#trainBatches(batches, source.rows, epoch, steps, totals)
      }
    } catch (error) {
      if (this.#halt.isAborted) signal.throwIfAborted()
      throw error
    }
    if (totals.rows > 0) return
    const problem = 'the iterable gave no examples in epoch'
    const remedy = 'a function that makes a new iterable each time is what several epochs need'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `data: ${problem} ${epoch + 1}; ${remedy}`)
  }

  async #trainBatches(
    { dataset, batchSize }: Batches,
    rowsTotal: number | null,
    epoch: number,
    steps: Steps,
    totals: EpochTotals,
  ): Promise<void> {
    const { signal } = this.#halt
    const shuffle = this.#settings.shuffle && rowsTotal !== null
    for (let firstRow = 0; firstRow < dataset.size; ) {
      const done = await steps.train(dataset, { epoch, firstRow, batchSize, shuffle, metricSums: totals.metricSums })
      if (!done) throw signal.reason
      const { result, firstStep, annealed } = done
      firstRow += result.rows
      totals.add(result, annealed)
      const report = {
        ...{ ...result, firstStep, ...annealed, rowsDone: totals.rows, rowsTotal },
        // A copy, made for who wants it: the next call goes on from the array itself.
        get metricSums() {
          return result.metricSums.slice()
        },
      }
      const stop = (reason?: string) => this.stop(reason)
      await this.#tell((callback, context) => callback.onStepsEnd?.({ ...context, steps: report, stop }))
      steps.throwGivenUp(result)
    }
  }

  /** The columns of the record; null when the run is stopped meanwhile. */
  async #validate(validation: Source): Promise<Record<string, number | number[][] | undefined> | null> {
    const { threads } = this.#settings
    const options = { batchSize: passBatchSize, threads, signal: this.#halt.signal, argument: 'validation' }
    try {
      const { regularizationLoss: _, ...values } = await evaluateSource(this.#target, validation, options)
      return Object.fromEntries(Object.entries(values).map(([name, value]) => [validationColumn(name), value]))
    } catch (error) {
      if (this.#halt.isStop(error)) return null
      if (this.#halt.isAborted) options.signal.throwIfAborted()
      throw error
    }
  }

  /** Tells the callbacks one after the other. */
  async #tell(event: (callback: Callback, context: RunContext) => unknown): Promise<void> {
    setAtWork(this.#program, false)
    for (const callback of this.#settings.callbacks) await event(callback, this.#context())
    setAtWork(this.#program, true)
  }

  /** Tells every callback, whatever another one throws; returns what they threw. */
  async #end(sources: Source[], stoppedBy: string, error?: unknown): Promise<unknown[]> {
    this.#halt.close()
    setAtWork(this.#program, false)
    this.history.stoppedBy = stoppedBy
    const failures: unknown[] = []
    for (const callback of this.#told) {
      try {
        await callback.onTrainEnd?.({ ...this.#context(), stoppedBy, error })
      } catch (failure) {
        failures.push(failure)
      }
    }
    for (const source of sources) source.close()
    return failures
  }

  #context(): RunContext {
    return {
      model: this.#target,
      target: this.#target,
      epoch: this.#epoch,
      epochs: this.#settings.epochs,
      history: this.history,
      defaultColumn: this.#call?.validation ? 'valLoss' : 'loss',
      call: this.#call!,
      stop: (reason = 'stop') => this.#halt.stopAfterEpoch(reason),
    }
  }
}

/** The one of them with the smaller value; one without a value is worse. */
function better(best: EpochRecord | null, record: EpochRecord, column: 'loss' | 'valLoss'): EpochRecord | null {
  const value = record[column] ?? Number.NaN
  if (Number.isNaN(value)) return best
  return best === null || value < best[column]! ? record : best
}
