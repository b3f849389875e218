/** What a pruner is: pure functions of the reports so far, asked after each report and whenever a worker is free. */
import { GradusError } from '../../errors.js'
import type { Direction, Settings, TrialSeen } from '../samplers/sampler.js'

export interface Reports {
  /** All trials but lost ones, with the values that they reported after each epoch. */
  readonly trials: readonly TrialSeen[]
  readonly direction: Direction
  /** Epochs of a whole trial. */
  readonly epochs: number
}

/** What becomes of a trial that has just reported: it trains on, waits with its checkpoint, or ends. */
export type Decision = 'continue' | 'pause' | 'stop'

/** A paused trial goes on, to be judged again after so many epochs in all. */
export interface Promotion {
  readonly trial: number
  readonly epochs: number
}

export interface Pruner {
  readonly name: string
  /** All of its options, defaults filled in, as JSON can hold them: what `study.json` says of it beside the name. */
  readonly settings: Settings
  /** Of trial `number`, which is running and whose last report is the newest. */
  afterReport(reports: Reports, number: number): Decision
  /** What a free worker is to take up; null: a new trial. Without it nothing is ever paused. */
  next?(reports: Reports): Promotion | null
}

/** Values as losses: the smaller the better; what is no number is worse than all. */
export const lossesOf = (values: readonly number[], direction: Direction): number[] =>
  values.map((value) => {
    if (Number.isNaN(value)) return Number.POSITIVE_INFINITY
    return direction === 'maximize' ? -value : value
  })

/** @throws `GRADUS_INTERNAL` where there is none of this number */
export function trialOf({ trials }: Reports, number: number): TrialSeen {
  const trial = trials.find((one) => one.number === number)
  if (trial === undefined)
    throw new GradusError('GRADUS_INTERNAL', `expected one of the trials, received number ${number}`)
  return trial
}
