/** The importance of parameters as the page shows it: of one stage's trials, in its ranges. */
import {
  importanceOf,
  isObject,
  type JsonObject,
  leastTrials,
  parametersOf,
  type Stage,
  type StudyParameter,
  type Trial,
} from '../../../study/index.js'
import type { ImportanceView } from './study-wire.js'
import { trialValue } from './trial-columns.js'

/** What it is made of. */
export interface ImportanceSource {
  /** As the page has them. */
  parameters: readonly StudyParameter[]
  /** That counts now. */
  space: JsonObject
  stages: readonly Stage[]
  direction: 'minimize' | 'maximize'
}

interface Judged {
  params: JsonObject
  loss: number
}

/**
 * Of the newest stage that has trials enough: values of trials that ran for more epochs are not compared with those of fewer. Where
 * no stage has, it says how many there are.
 */
export function importanceView(trials: readonly Trial[], source: ImportanceSource): ImportanceView {
  const stages = [{ number: 1, record: { parameters: source.space } as JsonObject }, ...source.stages]
  let most = 0
  for (const { number, record } of stages.toReversed()) {
    const ranges = parametersOf(isObject(record.parameters) ? record.parameters : source.space)
    const judged = trials.flatMap((trial) => {
      const one = trial.suggestion?.stage === number ? judgedOf(trial, source.direction) : null
      return one && lies(one.params, ranges) ? [one] : []
    })
    most = Math.max(most, judged.length)
    if (judged.length < leastTrials) continue
    const shares = sharesOf(judged, ranges, source.parameters)
    if (shares.every((share) => share === 0))
      return { shares: null, why: 'The best trials cannot be told from the rest.' }
    return { shares, trials: judged.length, stage: source.stages.length > 0 ? number : null, why: null }
  }
  const where = source.stages.length > 0 ? ' of one stage' : ' within the present ranges'
  const why = `Importance needs ${leastTrials} finished trials${where}: there ${most === 1 ? 'is 1' : `are ${most}`}.`
  return { shares: null, why }
}

function sharesOf(
  judged: readonly Judged[],
  ranges: readonly StudyParameter[],
  parameters: readonly StudyParameter[],
): number[] {
  const columns = ranges.map((range) => ({
    ...range,
    values: Float64Array.from(judged, ({ params }) => range.read(params)),
  }))
  const shares = importanceOf(
    columns,
    Float64Array.from(judged, ({ loss }) => loss),
  )
  const byPath = new Map(ranges.map(({ path }, i) => [path, shares[i]!]))
  return parameters.map(({ path }) => byPath.get(path) ?? 0)
}

/** Exploded and failed ones are the worst, as samplers are told; of those that go on or were lost nothing is known. */
function judgedOf(trial: Trial, direction: 'minimize' | 'maximize'): Judged | null {
  const { state, suggestion } = trial
  if (suggestion === null) return null
  const { params } = suggestion
  if (state === 'exploded' || state === 'failed') return { params, loss: Number.POSITIVE_INFINITY }
  if (state !== 'complete' && state !== 'pruned') return null
  const value = trialValue(trial)
  if (Number.isNaN(value)) return null
  return { params, loss: direction === 'maximize' ? -value : value }
}

/** Whether all that a trial has lies in the ranges: of each choice one that is left, of each number none outside. */
function lies(params: JsonObject, ranges: readonly StudyParameter[]): boolean {
  return ranges.every(({ path, kind, low, high, read }) => {
    const value = read(params)
    if (Number.isNaN(value)) return kind === 'number' || path.includes('.')
    return kind === 'category' || (value >= low && value <= high)
  })
}
