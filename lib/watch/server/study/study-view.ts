/** What the page is told of a study, and of one trial. */
import { isObject, type StudyParameter, type Trial, type TrialState } from '../../../study/index.js'
import { short } from '../../../words.js'
import { thin } from '../columns.js'
import type { BestView, ParameterView, StageView, StudyView, TrialView, WorkerView } from './study-wire.js'
import { longestName } from './trial-columns.js'
import type { WatchedStudy } from './watched-study.js'

/** Whoever may write in the folder could have written as much as he liked. */
const longestText = 500
const mostLines = 20
const mostWorkers = 200
const mostPoints = 2000

const cut = (text: string): string => (text.length > longestText ? `${text.slice(0, longestText - 1)}…` : text)

const nothing = {
  version: 0,
  metric: '',
  direction: 'minimize',
  epochs: null,
  planned: null,
  parameters: [],
  counts: {},
  stage: null,
  stages: [],
  best: null,
  workers: [],
  damaged: { count: 0, first: [] },
  seconds: null,
} as const

/** `title`: what it is called where its name is that of no folder. */
export function viewOf(study: WatchedStudy, canControl: boolean): StudyView {
  const { name, progress, problem } = study
  if (!study.isOpen) return { ...nothing, name, progress, problem, canControl }
  const { trials, study: description } = study.reader
  const { direction, epochs } = description
  const running = trials.filter(({ state }) => state === 'running')
  const damaged = trials.filter((trial) => trial.problem !== null)
  return {
    name,
    progress: null,
    problem,
    version: study.version,
    metric: cut(description.metric),
    direction,
    epochs,
    planned: study.planned,
    parameters: study.parameters.map(parameterView),
    counts: countsOf(trials),
    stage: stageOf(study),
    stages: study.stages.map(({ number, record }) => ({ number, why: linesOf(record.why) })),
    best: bestOf(trials, direction, study.parameters),
    workers: running.slice(0, mostWorkers).map((trial) => workerView(trial, study.isSilent(trial))),
    damaged: { count: damaged.length, first: damaged.slice(0, 3).map((trial) => cut(trial.problem!)) },
    seconds: secondsOf(trials, running.length > 0),
    canControl,
  }
}

const parameterView = ({ path, kind, low, high, isLog, size, choices }: StudyParameter): ParameterView => ({
  ...{ path, kind, low, high, isLog, choices },
  size: Number.isFinite(size) ? size : null,
})

function countsOf(trials: readonly Trial[]): Partial<Record<TrialState, number>> {
  const counts: Partial<Record<TrialState, number>> = {}
  for (const { state } of trials) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

function stageOf({ reader, stages }: WatchedStudy): StudyView['stage'] {
  const declared = Array.isArray(reader.study.stages) ? reader.study.stages : []
  if (declared.length === 0 && stages.length === 0) return null
  const number = stages.at(-1)?.number ?? 1
  const own = declared[number - 1]
  const epochs = isObject(own) && Number.isSafeInteger(own.epochs) ? (own.epochs as number) : null
  return { number, of: Math.max(number, declared.length), epochs }
}

const linesOf = (why: unknown): StageView['why'] =>
  (Array.isArray(why) ? why : [])
    .filter((line) => typeof line === 'string')
    .slice(0, mostLines)
    .map(cut)

/** Of those that are complete; the earlier of equal ones. */
function bestOf(
  trials: readonly Trial[],
  direction: 'minimize' | 'maximize',
  parameters: readonly StudyParameter[],
): BestView | null {
  const sign = direction === 'maximize' ? 1 : -1
  let best: Trial | null = null
  let most = Number.NEGATIVE_INFINITY
  for (const trial of trials) {
    if (trial.state !== 'complete') continue
    const score = sign * trial.value
    if (score > most) [best, most] = [trial, score]
  }
  return best && { trial: best.number, value: best.value, params: paramsOf(best, parameters) }
}

export function paramsOf({ suggestion }: Trial, parameters: readonly StudyParameter[]): (readonly [string, string])[] {
  if (suggestion === null) return []
  return parameters.flatMap(({ path, choices, read }) => {
    const value = read(suggestion.params)
    if (Number.isNaN(value)) return []
    return [[path, choices ? choices[value]! : short(value)] as const]
  })
}

function workerView(trial: Trial, isSilent: boolean): WorkerView {
  const { number, epochs, values, claim, worker } = trial
  const [epoch, value] = [epochs.at(-1) ?? 0, values.at(-1) ?? null]
  return {
    worker: worker.slice(0, longestName),
    trial: number,
    epoch,
    budget: claim?.record.budget ?? null,
    value,
    isSilent,
  }
}

function secondsOf(trials: readonly Trial[], isRunning: boolean): number | null {
  const first = trials.reduce((least, trial) => Math.min(least, trial.begunAt || Infinity), Number.POSITIVE_INFINITY)
  const last = isRunning ? Date.now() : trials.reduce((most, trial) => Math.max(most, trial.changedAt || 0), 0)
  return Number.isFinite(first) && last >= first ? (last - first) / 1000 : null
}

export function trialView(study: WatchedStudy, trial: Trial, canControl: boolean): TrialView {
  const { number, state, suggestion, problem, last, epochs, values, value } = trial
  return {
    study: study.name,
    number,
    state,
    stage: study.stages.length > 0 || Array.isArray(study.reader.study.stages) ? (suggestion?.stage ?? null) : null,
    metric: cut(study.reader.study.metric),
    value: Number.isNaN(value) ? null : value,
    params: paramsOf(trial, study.parameters),
    seed: suggestion?.seed ?? null,
    suggestedBy: suggestion && cut(suggestion.suggestedBy),
    reason: last?.record.type === 'result' && last.record.reason !== null ? cut(last.record.reason) : null,
    problem: problem && cut(problem),
    history: historyOf(trial),
    curveEpochs: thin(epochs, mostPoints),
    curveValues: thin(values, mostPoints),
    canStop: canControl && (state === 'running' || state === 'paused'),
    canRetry: canControl && isRetriable(state),
  }
}

/** What has ended otherwise than it should. */
export const isRetriable = (state: TrialState): boolean =>
  ['pruned', 'exploded', 'failed', 'stopped', 'lost'].includes(state)

const claimed = {
  new: 'begun',
  promoted: 'goes on',
  takenOver: 'taken over',
  adopted: 'adopted',
  retried: 'retried',
} as const

function historyOf({ changes }: Trial): TrialView['history'] {
  const records = [...changes].sort(([a], [b]) => a - b).slice(-mostLines)
  return records.map(([, record]) => {
    const time = cut(record.time)
    if (record.type === 'claim') return { time, text: cut(`${claimed[record.reason]} by ${record.worker}`) }
    const value = record.value === null ? '' : `, ${short(record.value)}`
    const state = record.type === 'paused' ? 'paused' : record.state
    return { time, text: `${state} after epoch ${record.epoch}${value}` }
  })
}
