/** What can be asked about studies. */
import { packBytes } from '../packed.js'
import { Query, Refusal } from '../query.js'
import type { StudyList } from './study-list.js'
import { trialView, viewOf } from './study-view.js'
import type { WatchedStudy } from './watched-study.js'

type Answer = (study: WatchedStudy, query: Query, canControl: boolean) => unknown

/** Numbers of trials have no more digits. */
export const mostTrials = 1e9
const most = Number.MAX_SAFE_INTEGER

const routes: ReadonlyMap<string, { parameters: readonly string[]; answer: Answer }> = new Map([
  ['/api/study', { parameters: ['study'], answer: (study, _, canControl) => viewOf(study, canControl) }],
  ['/api/importance', { parameters: ['study'], answer: (study) => study.importance() }],
  ['/api/trials', { parameters: ['study', 'generation', 'since'], answer: columns }],
  [
    '/api/trial',
    {
      parameters: ['study', 'trial'],
      answer: (study, query, canControl) => trialView(study, study.trial(numberOf(query)), canControl),
    },
  ],
] satisfies [string, { parameters: readonly string[]; answer: Answer }][])

/** Answers `path?query`, or throws a {@link Refusal}; undefined where there is no such address. */
export async function answerOfStudy(
  studies: StudyList,
  path: string,
  text: string,
  canControl: boolean,
): Promise<unknown> {
  const route = routes.get(path)
  if (route === undefined) return undefined
  const query = new Query(text, route.parameters)
  const study = await findStudy(studies, query)
  await study.refresh()
  return route.answer(study, query, canControl)
}

/** The name is looked up among those found, once more where it is not there: it may be new. No path is made of it. */
export async function findStudy(studies: StudyList, query: Query): Promise<WatchedStudy> {
  const name = query.text('study')
  if (studies.get(name) === undefined) await studies.refresh()
  const study = studies.get(name)
  if (study === undefined) throw new Refusal(404, 'There is no such study')
  return study
}

function numberOf(query: Query): number {
  const number = query.whole('trial', 0, mostTrials)
  if (number === undefined) throw new Refusal(400, 'trial is missing')
  return number
}

/** When the study has been read. Most of the answer are numbers, of large studies some megabytes. */
async function columns(study: WatchedStudy, query: Query): Promise<Uint8Array> {
  await study.whenRead()
  const since = query.whole('since', 0, most) ?? 0
  return packBytes(study.columnsSince(query.whole('generation', 0, most), since))
}
