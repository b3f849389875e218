/** The importance of parameters as the page shows it: of one stage's trials, in its ranges. */
import {
  type FlatSpace,
  flatSpace,
  importanceOf,
  isObject,
  type JsonObject,
  leastTrials,
  putNumbers,
  type Stage,
  type StudyParameter,
  type Trial,
} from '../../../study/index.js'
import type { ImportanceView } from './study-wire.js'

/** What it is made of. */
export interface ImportanceSource {
  /** As the page has them. */
  parameters: readonly StudyParameter[]
  /** That counts now. */
  space: JsonObject
  stages: readonly Stage[]
  direction: 'minimize' | 'maximize'
}

/**
 * Of the newest stage that has trials enough: values of trials that ran for more epochs are not compared with those of fewer. Where
 * no stage has, it says how many there are.
 */
export function importanceView(trials: readonly Trial[], source: ImportanceSource): ImportanceView {
  const stages = [{ number: 1, record: { parameters: source.space } as JsonObject }, ...source.stages]
  let most = 0
  for (const { number, record } of stages.toReversed()) {
    const ranges = flatSpace(isObject(record.parameters) ? record.parameters : source.space)
    const { columns, losses } = judgedOf(trials, number, ranges, source.direction)
    most = Math.max(most, losses.length)
    if (losses.length < leastTrials) continue
    const shares = sharesOf(columns, losses, source.parameters)
    if (shares.every((share) => share === 0))
      return { shares: null, why: 'The best trials cannot be told from the rest.' }
    return { shares, trials: losses.length, stage: source.stages.length > 0 ? number : null, why: null }
  }
  const where = source.stages.length > 0 ? ' of one stage' : ' within the present ranges'
  const why = `Importance needs ${leastTrials} finished trials${where}: there ${most === 1 ? 'is 1' : `are ${most}`}.`
  return { shares: null, why }
}

type Column = StudyParameter & { values: Float64Array }

function sharesOf(columns: readonly Column[], losses: Float64Array, parameters: readonly StudyParameter[]): number[] {
  const shares = importanceOf(columns, losses)
  const byPath = new Map(columns.map(({ path }, i) => [path, shares[i]!]))
  return parameters.map(({ path }) => byPath.get(path) ?? 0)
}

/** Of a stage's trials that lie in its ranges, the parameters' values and the losses. */
function judgedOf(
  trials: readonly Trial[],
  stage: number,
  ranges: FlatSpace,
  direction: 'minimize' | 'maximize',
): { columns: Column[]; losses: Float64Array } {
  const columns = ranges.parameters.map((range): Column => ({ ...range, values: new Float64Array(trials.length) }))
  const losses = new Float64Array(trials.length)
  const row = new Float64Array(columns.length)
  let count = 0
  for (const trial of trials) {
    const loss = trial.stage === stage ? lossOf(trial, direction) : null
    if (loss === null) continue
    putNumbers(trial, ranges, row)
    if (!isPut(row, columns, count)) continue
    losses[count++] = loss
  }
  const some = columns.map((column) => ({ ...column, values: column.values.subarray(0, count) }))
  return { columns: some, losses: losses.subarray(0, count) }
}

/** Exploded and failed ones are the worst, as samplers are told; of those that go on or were lost nothing is known. */
function lossOf(trial: Trial, direction: 'minimize' | 'maximize'): number | null {
  const { state, value } = trial
  if (state === 'exploded' || state === 'failed') return Number.POSITIVE_INFINITY
  if (state !== 'complete' && state !== 'pruned') return null
  if (Number.isNaN(value)) return null
  return direction === 'maximize' ? -value : value
}

/** Whether all that a trial has lies in the ranges: of each choice one that is left, of each number none outside. Then it is noted. */
function isPut(numbers: Float64Array, columns: readonly Column[], at: number): boolean {
  for (const [k, { path, kind, low, high, values }] of columns.entries()) {
    const value = numbers[k]!
    const isIn = Number.isNaN(value)
      ? kind === 'number' || path.includes('.')
      : kind === 'category' || (value >= low && value <= high)
    if (!isIn) return false
    values[at] = value
  }
  return true
}
