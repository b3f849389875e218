/** The `fit` that a trial is given: `model.fit` which reports, pauses and goes on. */

import { rememberedIn } from '../../checkpoint/head.js'
import { checkpoint } from '../../checkpoint/index.js'
import type { Data } from '../../data/stream.js'
import { GradusError, invalidArgument } from '../../errors.js'
import type { Callback } from '../../model/callbacks.js'
import type { Model } from '../../model/model.js'
import { loadOptimizerState } from '../../model/optimizer-state.js'
import type { Run } from '../../train/run.js'
import { ownOptions, type TrialContext, type TrialFitOptions } from '../definition/trial-function.js'
import type { Direction } from '../samplers/sampler.js'
import { setAsideDamage } from './damaged-run.js'
import type { TrialControl } from './trial-control.js'

export interface TrialFitSettings {
  readonly control: TrialControl
  readonly metric: string
  readonly direction: Direction
  /** Null: the trial says how many. */
  readonly epochs: number | null
  readonly dir: string
  readonly threads: number
  /** Weights to begin with. */
  readonly initial: string | null
  /** Whether the optimizer goes on from there too. */
  readonly isHeir: boolean
  /** Whether reports go to the study: of several folds they do not. */
  readonly reports: boolean
}

/** The best epoch so far; what a checkpoint keeps of it. */
export interface Best {
  readonly value: number
  readonly epoch: number
}

const reporterName = 'search'
/** A loss so many times the initial one has exploded: the notes' infinite cost. */
const explosion = 10

export class TrialFit {
  readonly #settings: TrialFitSettings
  #isUsed = false
  #initialLoss: number | null = null
  #best: Best | null = null

  constructor(settings: TrialFitSettings) {
    this.#settings = settings
  }

  /** Whether the trial has called it. */
  get isUsed(): boolean {
    return this.#isUsed
  }

  /** Null before the first epoch that has a value. */
  get best(): Best | null {
    return this.#best
  }

  readonly fit: TrialContext['fit'] = async (model, data, options = {}) => {
    const { control, initial, isHeir } = this.#settings
    this.#check(options)
    control.throwIfEnded()
    if (initial !== null && (await beginWith(model as unknown as Model, initial, isHeir)))
      this.#initialLoss = await initialLossIn(initial)
    const train = () => this.#train(model, data, options)
    const history = await train().catch(async (error: unknown) => {
      if (!(await this.#isMended(error))) throw error
      return await train()
    })
    control.throwIfEnded()
    return history as never
  }

  async #train<Values extends object>(model: Model<Values>, data: Data, options: TrialFitOptions<Values>) {
    const { signal } = this.#settings.control
    const run = this.#start(model, data, options)
    const stop = () => run.stop('the search')
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    return await run.done.finally(() => signal.removeEventListener('abort', stop))
  }

  /** Whether it was of a file in the run's directory, without which it goes on. */
  async #isMended(error: unknown): Promise<boolean> {
    if (!(error instanceof GradusError) || error.code !== 'GRADUS_BAD_FILE') return false
    const problems = await setAsideDamage(this.#settings.dir)
    for (const problem of problems) {
      const message = `${problem}: the trial goes on without that file`
      process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_BAD_CHECKPOINT' })
    }
    return problems.length > 0
  }

  #start<Values extends object>(model: Model<Values>, data: Data, options: TrialFitOptions<Values>): Run<Values> {
    const { dir, threads, metric, direction } = this.#settings
    const callbacks = options.callbacks ?? []
    const keepsOwn = callbacks.some((one) => 'name' in one && one.name === 'checkpoint')
    const mode = direction === 'maximize' ? 'max' : 'min'
    // Not the stop of its own context: a run that ends by that has come to its end, and does not go on.
    const reporter = this.#reporter(() => run.stop('the search'))
    const own = keepsOwn ? [reporter] : [reporter, checkpoint({ keep: 1, monitor: metric, mode })]
    const run = withMetric(`callbacks[${callbacks.length}].monitor`, () =>
      model.fit(data, {
        quiet: true,
        ...options,
        ...{ epochs: this.#epochsOf(options), dir, threads, resume: true },
        callbacks: [...callbacks, ...(own as never[])],
      }),
    )
    return run
  }

  #epochsOf(options: object): number {
    const { epochs } = this.#settings
    return epochs ?? (options as { epochs?: number | undefined }).epochs ?? 1
  }

  #check(options: object): void {
    if (this.#isUsed) {
      const message = 'fit: expected one call a trial, as the trial’s directory has one run; use model.fit for others'
      throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
    }
    this.#isUsed = true
    for (const name of ownOptions) {
      const isFree = name === 'epochs' && this.#settings.epochs === null
      const value = (options as Record<string, unknown>)[name]
      if (value !== undefined && !isFree) throw invalidArgument(`fit: ${name}`, 'none, as the study gives it', value)
    }
  }

  /** Remembers, as a checkpoint does, what the value of a trial that goes on depends on. */
  #reporter(stop: () => void): Callback {
    const { control, metric, direction, reports } = this.#settings
    const isBetter = (value: number) =>
      this.#best === null || (direction === 'maximize' ? value > this.#best.value : value < this.#best.value)
    return {
      name: reporterName,
      monitor: metric,
      state: () => ({ initialLoss: this.#initialLoss, best: this.#best }),
      restore: (state) => {
        const { initialLoss, best } = state as { initialLoss: number | null; best: Best | null }
        this.#initialLoss = initialLoss
        this.#best = best
      },
      onStepsEnd: ({ steps }) => {
        this.#initialLoss ??= steps.loss[0] ?? null
      },
      onEpochEnd: async ({ record, epoch }) => {
        const value = record[metric]
        // Its validation was cut short: the epoch comes again.
        if (typeof value !== 'number') return
        if (Number.isFinite(value) && isBetter(value)) this.#best = { value, epoch }
        if (this.#initialLoss !== null && record.loss > explosion * this.#initialLoss) {
          const reason = `the loss ${record.loss} is more than ${explosion} times the initial ${this.#initialLoss}`
          control.end({ how: 'stop', state: 'exploded', reason })
        }
        if (reports) await control.report(value, { ...record, epoch }).catch(unlessEnded(control))
        // Also where it had ended before somebody listened.
        if (control.ending !== null) stop()
      },
    }
  }
}

/**
 * Weights of another trial, and of a parent the optimizer's state; a model of another shape begins with its own.
 *
 * @returns whether it begins with those of the other
 */
async function beginWith(model: Model, path: string, isHeir: boolean): Promise<boolean> {
  try {
    await model.loadWeights(path)
  } catch (error) {
    if (error instanceof GradusError && ['GRADUS_SHAPE_MISMATCH', 'GRADUS_BAD_FILE'].includes(error.code)) return false
    throw error
  }
  if (isHeir) await loadOptimizerState(model, path)
  return true
}

/** With which the weights of a checkpoint once began: what they have come to since is no measure. Null where it does not say so. */
async function initialLossIn(path: string): Promise<number | null> {
  const { initialLoss } = ((await rememberedIn(path, reporterName)) ?? {}) as { initialLoss?: unknown }
  return typeof initialLoss === 'number' ? initialLoss : null
}

/** A metric that is no column is the study's mistake: `fit` knows it as what the reporter, at that place, monitors. */
function withMetric<Started>(place: string, start: () => Started): Started {
  try {
    return start()
  } catch (error) {
    if (!(error instanceof GradusError) || error.argument !== place) throw error
    throw new GradusError(error.code, error.message.replace(place, 'metric'), { argument: 'metric' })
  }
}

/** The end of a trial ends the run by its signal, and is no error of it. */
const unlessEnded = (control: TrialControl) => (error: unknown) => {
  if (control.ending === null) throw error
}
