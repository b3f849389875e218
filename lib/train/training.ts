import { type Conventions, sameClasses } from '../data/conventions.js'
import { someOf } from '../data/labels.js'
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { NativeDataset } from '../native.js'
import type { Callback, CallbackContext, FitCall } from './callback.js'
import { resolveClassWeights } from './class-weights.js'
import { evaluateSource } from './evaluate.js'
import { addRecord, type EpochRecord, emptyHistory, type History, validationColumn } from './history.js'
import { defaultBatchSize, passBatchSize, type Settings } from './options.js'
import { runPreflight } from './preflight.js'
import { openSource, requirementsOf, type Source, splitSource } from './source.js'
import { Steps } from './steps.js'
import type { TrainTarget } from './target.js'
import { EpochTotals } from './totals.js'

/** One call of `fit`: epochs of steps, each followed by validation, with callbacks in between. */
export class Training {
  readonly history: History = emptyHistory()
  readonly #target: TrainTarget
  readonly #data: Data
  readonly #settings: Settings
  readonly #halt = new AbortController()
  /** Fires on `stop` and with the user's signal. */
  readonly #signal: AbortSignal
  #stopReason: string | null = null
  /** What the data mean: the model's copied, and what these data settle. */
  readonly #conventions: Conventions
  #validationConventions: Conventions = {}
  #epoch: number
  /** From when the data are open on. */
  #call: FitCall | null = null
  #report: (record: EpochRecord) => void = () => {}

  constructor(target: TrainTarget, data: Data, settings: Settings) {
    this.#target = target
    this.#data = data
    this.#conventions = { ...target.conventions }
    this.#settings = settings
    this.#epoch = settings.initialEpoch
    const { signal } = settings
    this.#signal = signal ? AbortSignal.any([signal, this.#halt.signal]) : this.#halt.signal
  }

  stop(reason = 'stop'): void {
    this.#stopAfterEpoch(reason)
    this.#halt.abort()
  }

  #stopAfterEpoch(reason: string): void {
    this.#stopReason ??= reason
  }

  async run(report: (record: EpochRecord) => void): Promise<History> {
    this.#report = report
    const sources: Source[] = []
    try {
      this.#settings.signal?.throwIfAborted()
      await runPreflight(this.#target, this.#data, this.#settings)
      const [training, validation] = await this.#open(sources)
      if (training.rows !== null) await this.#settle(training)
      this.#call = { settings: this.#settings, data: this.#data, training, validation }
      await this.#notify('onTrainBegin')
      await this.#trainEpochs(training, validation)
    } catch (error) {
      // The run's own error counts, not one that a callback makes of it.
      await this.#end(sources, this.#settings.signal?.aborted ? 'abort' : 'error', error)
      throw error
    }
    const failures = await this.#end(sources, this.#stopReason ?? 'epochs')
    if (failures.length > 0) throw failures[0]
    return this.history
  }

  /** The sources of training and validation; all that must be closed goes into `opened`. */
  async #open(opened: Source[]): Promise<[Source, Source | null]> {
    const { validation, validationSplit } = this.#settings
    const open = async (data: Data, conventions: Conventions) => {
      const source = await openSource(data, { ...requirementsOf(this.#target), conventions })
      opened.push(source)
      if (source.rows === 0) {
        throw new GradusError('GRADUS_INVALID_ARGUMENT', 'data: expected at least one example, received none')
      }
      return source
    }
    const training = await open(this.#data, this.#conventions)
    if (validationSplit !== undefined) return await splitSource(training, validationSplit)
    this.#validationConventions = { ...this.#conventions }
    return [training, validation === undefined ? null : await open(validation, this.#validationConventions)]
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
    this.#settings.classWeights = await resolveClassWeights(this.#target, givenClassWeights, training)
  }

  async #trainEpochs(training: Source, validation: Source | null): Promise<void> {
    const { initialEpoch, epochs, signal } = this.#settings
    const steps = new Steps(this.#target, this.#settings, this.#signal)
    for (let epoch = initialEpoch; epoch < epochs && this.#stopReason === null; epoch++) {
      signal?.throwIfAborted()
      this.#epoch = epoch + 1
      const started = performance.now()
      await this.#notify('onEpochBegin')
      const totals = new EpochTotals(this.#target)
      const isWhole = await this.#trainEpoch(training, epoch, steps, totals)
      signal?.throwIfAborted()
      if (!isWhole) return
      const trained = performance.now()
      const validated = validation ? await this.#validate(validation) : {}
      const record: EpochRecord = {
        epoch: epoch + 1,
        ...totals.finish(),
        ...validated,
        seconds: (performance.now() - started) / 1000,
        samplesPerSecond: totals.rows / ((trained - started) / 1000),
      }
      addRecord(this.history, record)
      steps.observe(record)
      this.#report(record)
      await this.#notify('onEpochEnd', { record })
    }
  }

  /** Returns whether the epoch came to its end, that is, was not stopped. */
  async #trainEpoch(source: Source, epoch: number, steps: Steps, totals: EpochTotals): Promise<boolean> {
    const pieces = source.pieces()[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await firstOf(pieces.next(), this.#signal)
        if (!next) return false
        if (next.done) break
        if (source.rows === null) await this.#settle(source)
        if (!(await this.#trainPiece(next.value, source.rows, epoch, steps, totals))) return false
      }
    } finally {
      // Not awaited: a stream that hangs must not keep the run from ending.
      void pieces.return?.().catch(() => {})
    }
    if (totals.rows > 0) return true
    const problem = 'the iterable gave no examples in epoch'
    const remedy = 'a function that makes a new iterable each time is what several epochs need'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `data: ${problem} ${epoch + 1}; ${remedy}`)
  }

  async #trainPiece(
    piece: NativeDataset,
    rowsTotal: number | null,
    epoch: number,
    steps: Steps,
    totals: EpochTotals,
  ): Promise<boolean> {
    const isStream = rowsTotal === null
    const batchSize = this.#settings.batchSize ?? (isStream ? piece.size : defaultBatchSize)
    const shuffle = this.#settings.shuffle && !isStream
    for (let firstRow = 0; firstRow < piece.size; ) {
      const done = await steps.train(piece, { epoch, firstRow, batchSize, shuffle, metricSums: totals.metricSums })
      if (!done) return false
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
      await this.#notify('onStepsEnd', { steps: report, stop: (reason = 'stop') => this.stop(reason) })
      steps.throwGivenUp(result)
      if (this.#signal.aborted && firstRow < piece.size) return false
    }
    return true
  }

  async #validate(validation: Source): Promise<Record<string, number | number[][] | undefined>> {
    const { threads, signal } = this.#settings
    const options = { batchSize: passBatchSize, threads, signal }
    const { regularizationLoss: _, ...values } = await evaluateSource(this.#target, validation, options)
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [validationColumn(name), value]))
  }

  async #notify(
    event: Exclude<keyof Callback, 'inspections' | 'onTrainEnd'>,
    details?: Partial<CallbackContext>,
  ): Promise<void> {
    for (const callback of this.#settings.callbacks) await callback[event]?.(this.#context(details))
  }

  /** Tells every callback, whatever another one throws; returns what they threw. */
  async #end(sources: Source[], stoppedBy: string, error?: unknown): Promise<unknown[]> {
    this.history.stoppedBy = stoppedBy
    const failures: unknown[] = []
    for (const callback of this.#settings.callbacks) {
      try {
        await callback.onTrainEnd?.(this.#context({ stoppedBy, error }))
      } catch (failure) {
        failures.push(failure)
      }
    }
    for (const source of sources) source.close()
    return failures
  }

  #context(details: Partial<CallbackContext> = {}): CallbackContext {
    return {
      target: this.#target,
      epoch: this.#epoch,
      epochs: this.#settings.epochs,
      history: this.history,
      call: this.#call,
      stop: (reason = 'stop') => this.#stopAfterEpoch(reason),
      ...details,
    }
  }
}

/** The promise's value, or null when the signal fires first. */
async function firstOf<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) return null
  let onAbort = () => {}
  const aborted = new Promise<null>((resolve) => {
    onAbort = () => resolve(null)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
