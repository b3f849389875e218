// What the soaks of searches have in common: commands as processes, and what a study must be in the end.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StudyReader } from '../../../dist/study/index.js'
import { startScript } from '../../support/search-studies.js'

export const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url))
export const studyFile = pathOf('study.js')

const studyIn = (study) => ({ GRADUS_SOAK_STUDY: JSON.stringify(study) })

/** `gradus search` of the study in the folder. */
export const search = (dir, study, workers = 2) =>
  startScript(
    pathOf('../../../dist/cli/main.js'),
    ['search', studyFile, '--dir', dir, '--workers', `${workers}`, '--no-page'],
    {
      env: studyIn(study),
    },
  )

/** One worker with a lease of its own; each event is a line of JSON that it prints. */
export const worker = (dir, study, { env, before, ...options } = {}) =>
  startScript(pathOf('worker.js'), [JSON.stringify({ dir, ...options })], {
    env: { ...studyIn(study), ...env },
    before,
  })

export const eventsOf = ({ text }) =>
  text.out
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line))

export async function trialsOf(dir) {
  if (!existsSync(join(dir, 'study.json'))) return []
  return (await StudyReader.open(dir, { index: false })).trials
}

/** Processes that hold a trial. */
export const holders = (trials) =>
  trials.flatMap(({ state, claim }) => (state === 'running' && claim ? claim.record.process : []))

/** Those that it has started itself and that live. */
export function childrenOf(process) {
  try {
    return readFileSync(`/proc/${process}/task/${process}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

export function signal(number, name) {
  try {
    return process.kill(number, name)
  } catch {
    // It has ended meanwhile.
    return false
  }
}

/** How often a trial was begun or taken over. */
export const claimsOf = ({ changes }) => [...changes.values()].filter(({ type }) => type === 'claim').length

/** What is wrong where so many trials must have ended well, each once. */
export function wrongIn(trials, count) {
  const found = []
  if (trials.length !== count) found.push(`${trials.length} trials of ${count}`)
  const points = new Set(trials.map(({ suggestion }) => JSON.stringify(suggestion?.params)))
  if (points.size !== trials.length) found.push(`${points.size} points in ${trials.length} trials`)
  for (const [i, { number, state, problem, changes, last }] of trials.entries()) {
    const results = [...changes.values()].filter(({ type }) => type === 'result').length
    if (number !== i || state !== 'complete' || problem !== null || results !== 1) {
      found.push(
        `trial ${number}, the ${i + 1}th, is ${state} with ${results} results: ${problem ?? last?.record.reason}`,
      )
    }
  }
  return found
}
