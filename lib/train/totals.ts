import type { TrainResult } from '../native.js'
import type { Annealed } from './annealing.js'
import { checkWeight, metricsOf } from './evaluate.js'
import type { EpochRecord } from './history.js'
import type { TrainTarget } from './target.js'

/** Sums over the updates of one epoch. Refused updates count only as refused: their numbers are not finite. */
export class EpochTotals {
  rows = 0
  refusedSteps = 0
  #accepted = 0
  #weight = 0
  #loss = 0
  #regularizationLoss = 0
  #gradientNorm = 0
  #updateRatio = 0
  #last = { learningRate: Number.NaN } as Last
  /** What the next call goes on from. */
  metricSums: Float64Array | undefined
  readonly #target: TrainTarget

  constructor(target: TrainTarget) {
    this.#target = target
  }

  add(result: TrainResult, annealed: Annealed): void {
    this.rows += result.rows
    this.metricSums = result.metricSums
    let accepted = 0
    for (let i = 0; i < result.updates; i++) {
      if (result.refused[i]) {
        this.refusedSteps++
        continue
      }
      accepted++
      const weight = result.weight[i] as number
      this.#weight += weight
      this.#loss += weight > 0 ? (result.loss[i] as number) * weight : 0
      this.#regularizationLoss += result.regularizationLoss[i] as number
      this.#gradientNorm += result.gradientNorm[i] as number
      this.#updateRatio += updateRatio(result, i)
    }
    this.#accepted += accepted
    if (accepted > 0) this.#last = lastOf(annealed, accepted - 1)
  }

  /** The epoch's part of its record. */
  finish() {
    const updates = this.#accepted
    if (updates > 0) checkWeight(this.#weight)
    return {
      loss: this.#loss / this.#weight,
      regularizationLoss: this.#regularizationLoss / updates,
      ...this.#last,
      ...metricsOf(this.#target, this.metricSums),
      updateRatio: this.#updateRatio / updates,
      gradientNorm: this.#gradientNorm / updates,
      refusedSteps: this.refusedSteps,
    }
  }
}

type Last = Pick<EpochRecord, 'learningRate' | 'momentum' | 'weightDecay'>

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
