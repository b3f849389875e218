import { GradusError } from '../errors.js'
import { printable } from '../printable.js'
import { metricText } from '../search/display/numbers.js'
import { flatParams, parameterColumns } from '../search/display/parameters.js'
import { epochOf, rankedTrials, reasonOf, trialValue } from '../search/display/result.js'
import { type Column, tableLines } from '../search/display/table.js'
import { openStudy } from '../search/study/index.js'
import { endStates, type JsonObject, retryEnded, StudyReader, stopTrial, type Trial } from '../study/index.js'
import { checkFolder } from './folder.js'

const states: readonly string[] = ['running', 'paused', ...endStates, 'unfinished']

export interface TrialsOptions {
  readonly best?: string | true | undefined
  readonly state?: string | undefined
  readonly json?: boolean | undefined
  readonly csv?: boolean | undefined
}

/** Prints a study's trials. */
export async function listTrials(directory: string, { best, state, json, csv }: TrialsOptions): Promise<void> {
  if (state !== undefined && !states.includes(state)) throw badArgument('--state', `one of ${states.join(', ')}`, state)
  const count = best === undefined ? null : wholeNumber('--best', best === true ? '10' : best)
  const { study, trials } = await openReader(directory)
  const ranked = count === null ? trials : rankedTrials(trials, study.direction).slice(0, count)
  const shown = ranked.filter((trial) => state === undefined || trial.state === state).map(rowOf)
  if (json) console.log(printable(JSON.stringify(shown.map(jsonOf), null, 2)))
  else if (csv) process.stdout.write(printable(csvOf(shown, study.metric)))
  else if (shown.length === 0) console.log(trials.length === 0 ? 'No trials.' : `No such trials, of ${trials.length}.`)
  else console.log(tableOf(shown, study.metric))
  for (const { number, problem } of trials) {
    if (problem !== null) console.error(printable(`gradus: trial ${number}: ${problem}`))
  }
}

/** Has a trial wait for a worker again that has ended. */
export async function retry(directory: string, number: string): Promise<void> {
  const trial = await trialOf(directory, number)
  await retryEnded(trial)
  console.log(`trial ${trial.number} waits for a worker`)
}

export async function stop(directory: string, number: string, { why }: { why: string }): Promise<void> {
  const trial = await trialOf(directory, number)
  const done = await stopTrial(trial, { by: 'person', why })
  const running = 'runs: its worker is asked to end it'
  console.log(`trial ${trial.number} ${done === 'stopped' ? 'is stopped' : running}`)
}

/** Has a trial with these parameters wait for a worker. */
export async function add(directory: string, text: string): Promise<void> {
  await checkFolder(directory)
  const study = await openStudy(directory)
  console.log(`trial ${await study.enqueue(parsed(text))} waits for a worker`)
}

function parsed(text: string): JsonObject {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badArgument('params', `JSON such as '{ "learningRate": 0.01 }' (${(error as Error).message})`, text)
  }
}

async function openReader(directory: string): Promise<StudyReader> {
  await checkFolder(directory)
  return await StudyReader.open(directory)
}

async function trialOf(directory: string, text: string): Promise<Trial> {
  const number = wholeNumber('number', text)
  const trial = (await openReader(directory)).trial(number)
  if (trial !== null) return trial
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `number: there is no trial ${number} in ${directory}`)
}

function wholeNumber(argument: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw badArgument(argument, 'a whole number', text)
}

const badArgument = (argument: string, expected: string, received: string): GradusError =>
  new GradusError('GRADUS_INVALID_ARGUMENT', `${argument}: expected ${expected}, received ${JSON.stringify(received)}`)

interface Row {
  readonly trial: Trial
  readonly params: JsonObject
}

const rowOf = (trial: Trial): Row => ({ trial, params: trial.suggestion?.params ?? {} })
const stageOf = ({ suggestion }: Trial): number | null => suggestion?.stage ?? null
const workerOf = ({ claim }: Trial): string => claim?.record.worker ?? ''

const jsonOf = ({ trial, params }: Row) => ({
  trial: trial.number,
  state: trial.state,
  value: trialValue(trial),
  epoch: epochOf(trial),
  stage: stageOf(trial),
  params,
  seed: trial.suggestion?.seed ?? null,
  suggestedBy: trial.suggestion?.suggestedBy ?? null,
  worker: workerOf(trial),
  reason: reasonOf(trial),
  problem: trial.problem,
  epochs: trial.epochs,
  values: trial.values,
})

function tableOf(rows: readonly Row[], metric: string): string {
  const isStaged = rows.some(({ trial }) => (stageOf(trial) ?? 1) > 1)
  const stage: Column<Row> = { title: 'stage', isNumber: true, text: ({ trial }) => String(stageOf(trial) ?? '') }
  const columns: Column<Row>[] = [
    { title: 'trial', isNumber: true, text: ({ trial }) => String(trial.number) },
    { title: 'state', text: ({ trial }) => trial.state },
    { title: metric, isNumber: true, text: ({ trial }) => metricText(trialValue(trial)) },
    { title: 'epoch', isNumber: true, text: ({ trial }) => String(epochOf(trial)) },
    ...(isStaged ? [stage] : []),
    ...parameterColumns(rows),
    { title: '', text: ({ trial }) => (reasonOf(trial) ?? '').split('\n', 1)[0]!.slice(0, 60) },
  ]
  const safe = columns.map(({ title, text, isNumber }) => ({
    title: printable(title),
    isNumber,
    text: (row: Row) => printable(text(row)).replaceAll('\n', ' '),
  }))
  const { lines, leftOut } = tableLines(safe, rows, process.stdout.isTTY ? process.stdout.columns : undefined)
  return [...lines, ...(leftOut > 1 ? [`… and ${leftOut - 1} parameters more: --csv has all`] : [])].join('\n')
}

function csvOf(rows: readonly Row[], metric: string): string {
  const flat = rows.map((row) => flatParams(row))
  const paths = [...new Set(flat.flatMap((params) => [...params.keys()]))]
  const head = ['trial', 'state', metric, 'epoch', 'stage', 'worker', 'suggestedBy', 'reason', ...paths]
  const lines = rows.map(({ trial }, i) => [
    trial.number,
    trial.state,
    trialValue(trial),
    epochOf(trial),
    stageOf(trial),
    workerOf(trial),
    trial.suggestion?.suggestedBy,
    reasonOf(trial),
    ...paths.map((path) => flat[i]!.get(path)),
  ])
  return [head, ...lines].map((cells) => `${cells.map(cellOf).join()}\n`).join('')
}

/** As RFC 4180 has it. */
function cellOf(value: unknown): string {
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '')
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
