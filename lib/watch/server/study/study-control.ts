/** What the page may change of a study, where it may change anything: a trial is stopped, or given back to be tried again. */
import { endTrial, requestStop, retryTrial, type Trial } from '../../../study/index.js'
import { Query, Refusal } from '../query.js'
import { findStudy, mostTrials } from './study-api.js'
import type { StudyList } from './study-list.js'
import { isRetriable } from './study-view.js'

const longestReason = 500

const actions: ReadonlyMap<string, (trial: Trial, why: string) => Promise<void>> = new Map([
  ['/api/stop', stop],
  ['/api/retry', retry],
])

export const isStudyAction = (path: string): boolean => actions.has(path)

/** Does what `path?study=NAME` asks of `{ trial, why }`, and answers `{}`. @throws {@link Refusal} */
export async function controlStudy(
  studies: StudyList,
  path: string,
  query: string,
  { trial: number, why, ...others }: Record<string, unknown>,
): Promise<object> {
  const study = await findStudy(studies, new Query(query, ['study']))
  const isNumber = Number.isSafeInteger(number) && (number as number) >= 0 && (number as number) <= mostTrials
  if (!isNumber || typeof why !== 'string' || why.length > longestReason || Object.keys(others).length > 0) {
    throw new Refusal(422, `expected the number of a trial, and why, in at most ${longestReason} characters`)
  }
  await study.look()
  await actions.get(path)!(study.trial(number as number), why.trim() || 'asked for on the page')
  await study.look()
  return {}
}

/** A worker hears of it between two batches or epochs; one that waits ends at once. */
async function stop(trial: Trial, why: string): Promise<void> {
  if (trial.state === 'running') return await requestStop(trial.path, { by: 'the page', why })
  if (trial.state !== 'paused')
    throw new Refusal(409, `Trial ${trial.number} is ${trial.state}: there is nothing to stop`)
  if (!(await endTrial(trial, { state: 'stopped', reason: why }))) throw changed(trial)
}

async function retry(trial: Trial): Promise<void> {
  if (!isRetriable(trial.state))
    throw new Refusal(409, `Trial ${trial.number} is ${trial.state}: there is nothing to try again`)
  if (!(await retryTrial(trial))) throw changed(trial)
}

const changed = ({ number }: Trial): Refusal => new Refusal(409, `Trial ${number} has just changed; look again`)
