import { GradusError } from '../errors.js'
import type { NativeDataset, TrainResult } from '../native.js'
import type { Settings } from './options.js'
import { Pace } from './pace.js'
import type { TrainTarget } from './target.js'
import { callInTurn } from './turn.js'

interface Done {
  result: TrainResult
  /** The program's count before the call. */
  firstStep: number
  learningRates: Float64Array
}

/** Native calls of several updates each, one after the other. */
export class Steps {
  readonly #target: TrainTarget
  readonly #settings: Settings
  readonly #signal: AbortSignal
  readonly #pace = new Pace()
  /** What the schedule takes for step 0: known when the first turn comes. */
  #origin: number | null = null
  #refusedInRow = 0
  #warned = false

  constructor(target: TrainTarget, settings: Settings, signal: AbortSignal) {
    this.#target = target
    this.#settings = settings
    this.#signal = signal
  }

  /** The next updates from `firstRow` on; null when the run was stopped before or in the first of them. */
  async train(
    dataset: NativeDataset,
    { epoch, firstRow, batchSize, shuffle }: { epoch: number; firstRow: number; batchSize: number; shuffle: boolean },
  ): Promise<Done | null> {
    const { accumulate, threads, clipNorm, clipValue, classWeights, maxRefusedSteps } = this.#settings
    const { program } = this.#target
    const left = Math.ceil((dataset.size - firstRow) / (batchSize * accumulate))
    const batches = Math.min(left, this.#settings.stepsPerCall ?? this.#pace.next())
    const done = await callInTurn(program, this.#signal, async () => {
      const firstStep = program.step
      // A run that goes on continues the count of the run before; a new one starts its schedule afresh.
      this.#origin ??= this.#settings.initialEpoch > 0 ? 0 : firstStep
      const learningRates = this.#learningRates(epoch, firstStep - this.#origin, batches)
      const started = performance.now()
      const result = await program.train({
        dataset,
        shuffle,
        epoch,
        firstRow,
        batchSize,
        batches,
        accumulate,
        learningRates,
        clipNorm,
        clipValue,
        classWeights,
        maxRefused: maxRefusedSteps - this.#refusedInRow,
        tensorStatistics: true,
        threads,
      })
      this.#pace.add(result.updates, performance.now() - started)
      return { result, firstStep, learningRates }
    })
    if (!done || done.result.updates === 0) return null
    this.#countRefused(done)
    return done
  }

  /** For `count` updates from the schedule's step `first` on. */
  #learningRates(epoch: number, first: number, count: number): Float64Array {
    const { schedule } = this.#settings
    const initial = this.#target.optimizer.learningRate
    if (!schedule) return new Float64Array(count).fill(initial)
    const isByStep = schedule.unit === 'step'
    const rateAt = (t: number) => checkRate(schedule(t, initial), `${isByStep ? 'step' : 'epoch'} ${t}`)
    if (!isByStep) return new Float64Array(count).fill(rateAt(epoch))
    return Float64Array.from({ length: count }, (_, i) => rateAt(first + i))
  }

  #countRefused({ result, firstStep }: Done): void {
    for (const refused of result.refused) this.#refusedInRow = refused ? this.#refusedInRow + 1 : 0
    if (this.#warned || !result.refused.some((refused) => refused)) return
    this.#warned = true
    const message = `A gradient was not finite near step ${firstStep}: the step was left out, the weights are as before`
    process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_REFUSED_STEP' })
  }

  /** Error: `GRADUS_NON_FINITE` when the steps refused in a row were too many. */
  throwFailure({ failure }: TrainResult): void {
    if (!failure) return
    const { step, layer, tensor, nonfinite } = failure
    const place = `${tensor} in layer ${layer}`
    const where =
      nonfinite > 0
        ? `${nonfinite} elements of the gradient of ${place} were not finite`
        : `the loss was not finite (${place})`
    throw new GradusError(
      'GRADUS_NON_FINITE',
      `Training gave up at step ${step}: ${where}, ${this.#settings.maxRefusedSteps} times in a row. ` +
        'Try a smaller learningRate, clipNorm (say 1), or a look at the data for values far from all others.',
    )
  }
}

function checkRate(rate: number, when: string): number {
  if (Number.isFinite(rate) && rate >= 0) return rate
  const message = `schedule: expected a learning rate from 0 up, received ${rate} for ${when}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}
