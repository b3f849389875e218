/** What the stage after this one looks at, and why: a function of this one's results alone. */

import type { StudyDefinition } from '../definition/define-study.js'
import { numberText } from '../display/numbers.js'
import { observed, type TrialSeen } from '../samplers/sampler.js'
import type { ParameterRecord } from '../space/parameter.js'
import type { Space } from '../space/space.js'
import { type BorderFound, narrow, rangeText } from './narrow.js'

/** What `stages/2.json` says. */
export interface StageRecord {
  readonly parameters: ParameterRecord
  /** In words, a line each. */
  readonly why: readonly string[]
  /** The trials that decided, best first. */
  readonly best: readonly number[]
}

/** No fewer of the best decide, if there are so many. */
const fewest = 5

/** @param stage the one that has ended, from 1 */
export function nextStage(
  { stages, direction }: Pick<StudyDefinition, 'stages' | 'direction'>,
  { number, space }: { readonly number: number; readonly space: Space },
  trials: readonly TrialSeen[],
): StageRecord {
  const next = number + 1
  const { ended } = observed({ space, trials, direction })
  const judged = ended.filter(({ failed }) => !failed).sort((a, b) => a.loss - b.loss || a.number - b.number)
  const count = Math.max(fewest, Math.ceil(stages![number]!.narrow * judged.length))
  const best = judged.slice(0, count)
  if (best.length === 0) {
    const why = [`stage ${next} looks where stage ${number} did: no trial of it has a result`]
    return { parameters: space.parameters, why, best: [] }
  }
  const byNumber = new Map(trials.map((trial) => [trial.number, trial.params]))
  const params = best.map(({ number }) => byNumber.get(number)!)
  const { parameters, changes, borders } = narrow(space.parameters, params)
  const looks = changes.length > 0 ? changes.join(', ') : `where stage ${number} did`
  const reason = `the best ${best.length} of ${judged.length} trials lie there`
  return {
    parameters,
    why: [`stage ${next} looks at ${looks}: ${reason}`, ...borders.map((found) => borderLine(found, number, next))],
    best: best.map(({ number }) => number),
  }
}

function borderLine({ path, value, low, high, to }: BorderFound, stage: number, next: number): string {
  const where = `lies in the outer tenth of ${rangeText({ low, high })}`
  return `border: ${path} ${numberText(value)}, the best of stage ${stage}, ${where}: stage ${next} goes on to ${numberText(to)}`
}
