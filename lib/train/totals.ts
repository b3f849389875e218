import { anyNumber, orNull, orUndefined, readMemory } from '../memory.js'
import type { TrainResult } from '../native.js'
import type { Annealed } from './annealing.js'
import { checkWeight, metricsOf } from './evaluate.js'
import type { EpochRecord } from './history.js'
import type { TrainTarget } from './target.js'

/** What is added up, one number each. */
const sums = {
  rows: 0,
  refusedSteps: 0,
  accepted: 0,
  weight: 0,
  loss: 0,
  regularizationLoss: 0,
  gradientNorm: 0,
  updateRatio: 0,
  /** Taken by training alone, and by all of the epoch. */
  trainedSeconds: 0,
  seconds: 0,
}
type Sums = typeof sums

interface Memory {
  sums: Sums
  last: Last
  metricSums: Float64Array | null
}

/** Sums over the updates of one epoch. Refused updates count only as refused: their numbers are not finite. */
export class EpochTotals {
  readonly #sums = { ...sums }
  #last = { learningRate: Number.NaN } as Last
  /** What the next call goes on from. */
  metricSums: Float64Array | undefined
  readonly #target: TrainTarget
  #began = performance.now()

  constructor(target: TrainTarget) {
    this.#target = target
  }

  get rows(): number {
    return this.#sums.rows
  }

  /** Training is done: what follows is validation. */
  endTraining(): void {
    this.#sums.trainedSeconds = this.#seconds()
  }

  #seconds = () => this.#sums.seconds + (performance.now() - this.#began) / 1000

  state(): Memory {
    return {
      sums: { ...this.#sums, seconds: this.#seconds() },
      last: this.#last,
      metricSums: this.metricSums?.slice() ?? null,
    }
  }

  restore(state: unknown): void {
    const { sums, last, metricSums } = readMemory<Memory>('the epoch', state, checks)
    Object.assign(this.#sums, sums)
    this.#last = last
    this.metricSums = metricSums ?? undefined
  }

  add(result: TrainResult, annealed: Annealed): void {
    this.#sums.rows += result.rows
    this.metricSums = result.metricSums
    let accepted = 0
    for (let i = 0; i < result.updates; i++) {
      if (result.refused[i]) {
        this.#sums.refusedSteps++
        continue
      }
      accepted++
      const weight = result.weight[i] as number
      this.#sums.weight += weight
      this.#sums.loss += weight > 0 ? (result.loss[i] as number) * weight : 0
      this.#sums.regularizationLoss += result.regularizationLoss[i] as number
      this.#sums.gradientNorm += result.gradientNorm[i] as number
      this.#sums.updateRatio += updateRatio(result, i)
    }
    this.#sums.accepted += accepted
    if (accepted > 0) this.#last = lastOf(annealed, accepted - 1)
  }

  /** The epoch's part of its record. */
  finish() {
    const { accepted, weight, loss, regularizationLoss, updateRatio, gradientNorm, refusedSteps } = this.#sums
    if (accepted > 0) checkWeight(weight)
    return {
      loss: loss / weight,
      regularizationLoss: regularizationLoss / accepted,
      ...this.#last,
      ...metricsOf(this.#target, this.metricSums),
      updateRatio: updateRatio / accepted,
      gradientNorm: gradientNorm / accepted,
      refusedSteps,
    }
  }

  /** Likewise, of time. */
  finishTime() {
    return { seconds: this.#seconds(), samplesPerSecond: this.rows / this.#sums.trainedSeconds }
  }
}

type Last = Pick<EpochRecord, 'learningRate' | 'momentum' | 'weightDecay'>

const checks = {
  sums: (argument: string, value: unknown) =>
    readMemory<Sums>(argument, value, Object.fromEntries(Object.keys(sums).map((name) => [name, anyNumber])) as never),
  last: (argument: string, value: unknown) =>
    readMemory<Last>(argument, value, {
      learningRate: anyNumber,
      momentum: orUndefined(anyNumber),
      weightDecay: orUndefined(anyNumber),
    }),
  metricSums: orNull((argument: string, value: unknown) => {
    if (value instanceof Float64Array) return value
    throw new Error(`${argument} are no numbers`)
  }),
}

/** Entries only for what is scheduled. */
const lastOf = ({ learningRates, momenta, weightDecays }: Annealed, update: number): Last => ({
  learningRate: learningRates[update]!,
  ...(momenta && { momentum: momenta[update] }),
  ...(weightDecays && { weightDecay: weightDecays[update] }),
})

/** ‖Δw‖ / ‖w‖ over all trainable parameters of one update; 0 while all weights are 0. */
export function updateRatio({ tensors, updates }: TrainResult, update: number): number {
  const width = tensors.length / updates
  let weights = 0
  let changes = 0
  for (let at = update * width; at < (update + 1) * width; at += 4) {
    weights += (tensors[at + 1] as number) ** 2
    changes += (tensors[at + 2] as number) ** 2
  }
  return weights > 0 ? Math.sqrt(changes / weights) : 0
}
