import { checkBoolean, checkNotNegativeInteger, checkPositiveInteger } from '../checks.js'
import { nativeAugmentation } from '../data/augment.js'
import { GradusError } from '../errors.js'
import { readMemory } from '../memory.js'
import type { NativeAugmentation, NativeDataset, Refusal, TrainResult } from '../native.js'
import { anything, needed, optionsOf } from '../options.js'
import { type Annealed, Annealing } from './annealing.js'
import type { FitCall, Wishes } from './callback.js'
import type { EpochRecord } from './history.js'
import { Pace } from './pace.js'
import type { Settings } from './settings.js'
import type { TrainTarget } from './target.js'
import { callInTurn } from './turn.js'

interface Done {
  result: TrainResult
  /** The program's count before the call. */
  firstStep: number
  annealed: Annealed
}

interface StepsCall {
  epoch: number
  firstRow: number
  batchSize: number
  shuffle: boolean
  metricSums?: Float64Array | undefined
  /** Of the dataset's first row, in the epoch. */
  epochRow: number
}

interface Memory {
  refusedInRow: number
  schedules: unknown
}

/** Native calls of several updates each, one after the other. */
export class Steps {
  readonly #target: TrainTarget
  readonly #settings: Settings
  readonly #signal: AbortSignal
  readonly #pace = new Pace()
  readonly #annealing: Annealing
  readonly #inspections: { inspectEvery: number; inspectHistograms: boolean }
  readonly #augment: NativeAugmentation | undefined
  #refusedInRow = 0
  #warned = false

  constructor(
    target: TrainTarget,
    { settings, goesOn }: Pick<FitCall, 'settings' | 'goesOn'>,
    wishes: Wishes[],
    signal: AbortSignal,
  ) {
    this.#target = target
    this.#settings = settings
    this.#annealing = new Annealing(target, settings, goesOn)
    this.#inspections = inspectionsFor(wishes)
    this.#augment = settings.augment && nativeAugmentation(settings.augment)
    this.#signal = signal
  }

  /** The next updates from `firstRow` on; null when the run was stopped before or in the first of them. */
  async train(
    dataset: NativeDataset,
    { epoch, firstRow, batchSize, shuffle, metricSums, epochRow }: StepsCall,
  ): Promise<Done | null> {
    const { accumulate, threads, clipNorm, clipValue, classWeights, maxRefusedSteps } = this.#settings
    const { program } = this.#target
    const left = Math.ceil((dataset.size - firstRow) / (batchSize * accumulate))
    const batches = Math.min(left, this.#settings.stepsPerCall ?? this.#pace.next())
    const done = await callInTurn(program, this.#signal, async () => {
      const firstStep = program.step
      const annealed = this.#annealing.next(epoch, batches)
      const started = performance.now()
      const result = await program.train({
        dataset,
        shuffle,
        epoch,
        firstRow,
        batchSize,
        batches,
        accumulate,
        ...annealed,
        clipNorm,
        clipValue,
        classWeights,
        ...(this.#augment && { augment: this.#augment, epochRow }),
        metricSums,
        maxRefused: maxRefusedSteps - this.#refusedInRow,
        tensorStatistics: true,
        ...this.#inspections,
        threads,
      })
      this.#pace.add(result.updates, performance.now() - started)
      return { result, firstStep, annealed }
    })
    if (!done || done.result.updates === 0) return null
    this.#countRefused(done)
    return done
  }

  state(): Memory {
    return { refusedInRow: this.#refusedInRow, schedules: this.#annealing.state() }
  }

  restore(state: unknown): void {
    const { refusedInRow, schedules } = readMemory<Memory>('the steps', state, {
      refusedInRow: checkNotNegativeInteger,
      schedules: anything,
    })
    this.#refusedInRow = refusedInRow
    this.#annealing.restore(schedules)
  }

  /** After the last update of an epoch, from 1, and before its validation: an average by epochs follows the weights. */
  endEpoch(epoch: number): Promise<void> {
    return this.#annealing.endEpoch(epoch, this.#settings.threads)
  }

  /** Whether there is an average of weights of training after so many epochs. */
  hasAverage(epochs: number): boolean {
    return this.#annealing.hasAverage(epochs)
  }

  /** Tells the schedules of a finished epoch. */
  observe(record: EpochRecord): void {
    this.#annealing.observe(record)
  }

  #countRefused({ result, firstStep }: Done): void {
    for (const refused of result.refused) this.#refusedInRow = refused ? this.#refusedInRow + 1 : 0
    if (this.#warned || !result.refused.some((refused) => refused)) return
    this.#warned = true
    const message = `A gradient was not finite near step ${firstStep}: the step was left out, the weights are as before`
    process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_REFUSED_STEP' })
  }

  /** Error: `GRADUS_NON_FINITE` when the steps refused in a row were too many. */
  throwGivenUp({ gaveUp }: TrainResult): void {
    if (!gaveUp) return
    throw new GradusError(
      'GRADUS_NON_FINITE',
      `Training gave up at step ${gaveUp.step}: ${whatOf(gaveUp)}, ${this.#settings.maxRefusedSteps} times in a row. ` +
        'Try a smaller learningRate, clipNorm (say 1), or a look at the data for values far from all others.',
    )
  }
}

/** What was not finite in a refused update, in words. */
function whatOf({ layer, tensor, nonfinite }: Refusal): string {
  const values = layer === null ? '' : `values of layer ${layer}`
  if (tensor === null) return `${values || 'the loss'} ${values ? 'were' : 'was'} not finite`
  if (nonfinite === 0) return `${tensor} would not have been finite any more`
  const gradient = `${nonfinite} elements of the gradient of ${tensor} were not finite`
  return values ? `${gradient}, nor were ${values}` : gradient
}

/** @throws `GRADUS_INVALID_ARGUMENT` names what cannot be wished. */
export function checkWishes(wishes: Wishes): Wishes {
  const { inspections } = wishes
  if (inspections === undefined) return wishes
  return { ...wishes, inspections: readInspections(inspections, 'inspections') }
}

const readInspections = optionsOf<NonNullable<Wishes['inspections']>>()('inspections', {
  every: needed(checkPositiveInteger),
  histograms: needed(checkBoolean),
})

/** Looks are taken at every step that one of the callbacks asks for, and evenly. */
function inspectionsFor(asked: Wishes[]) {
  const wishes = asked.flatMap(({ inspections }) => inspections ?? [])
  return {
    inspectEvery: wishes.map(({ every }) => every).reduce(greatestCommonDivisor, 0),
    inspectHistograms: wishes.some(({ histograms }) => histograms),
  }
}

/** Of 0 and a number, that number. */
function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
