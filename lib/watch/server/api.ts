/** What can be asked about runs: an address, its parameters, and the value that answers. Reports ask the same. */
import { basename } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { epochOf, outstanding, scoreOf, withoutPath } from '../../checkpoint/folder.js'
import { histogramEdges, readHistograms, readLatest, readSteps } from '../recording/index.js'
import { mergeColumns, thin } from './columns.js'
import type { RunFolder } from './folder.js'
import { packAll } from './packed.js'
import { Query, Refusal } from './query.js'
import { statusOf, type WatchedRun } from './watched-run.js'
import type { CheckpointView, LatestView, LayersView, RunList, RunView, StepsView, TensorsView } from './wire.js'

type Answer = (folder: RunFolder, query: Query) => unknown
interface Route {
  parameters: readonly string[]
  answer: Answer
}

const mostBuckets = 2048
/** Tensors are many: each gets fewer points than the loss. */
const tensorBuckets = 512
const mostEntries = 1000
const mostHistograms = 240

/** Answers `path?query`, or throws a {@link Refusal}; undefined where there is no such address. */
export async function answer(folder: RunFolder, path: string, query: string): Promise<unknown> {
  const route = routes.get(path)
  if (route === undefined) return undefined
  return await route.answer(folder, new Query(query, route.parameters))
}

const routes: ReadonlyMap<string, Route> = new Map([
  ['/api/runs', { parameters: [], answer: listRuns }],
  ['/api/run', { parameters: ['run'], answer: viewRun }],
  ['/api/steps', { parameters: ['run', 'from', 'to', 'buckets'], answer: viewSteps }],
  ['/api/tensors', { parameters: ['run'], answer: viewTensors }],
  ['/api/layers', { parameters: ['run'], answer: viewLayers }],
  ['/api/histograms', { parameters: ['run', 'kind', 'name', 'rows'], answer: viewHistograms }],
  ['/api/checkpoints', { parameters: ['run'], answer: viewCheckpoints }],
  ['/api/latest', { parameters: ['run'], answer: viewLatest }],
] satisfies [string, Route][])

async function listRuns(folder: RunFolder): Promise<RunList> {
  await folder.refresh()
  for (const run of folder.runs) {
    await run.refresh()
    run.judge()
    // Hundreds of runs take a second or two when they are judged for the first time.
    await setImmediate()
  }
  folder.count()
  const runs = folder.runs.map((run) => run.listing())
  return { folder: folder.name, runs, studies: await folder.studies.list() }
}

/** The name is looked up among those found; no path is made of it. */
export function findRun(folder: RunFolder, query: Query): WatchedRun {
  const run = folder.get(query.text('run'))
  if (run === undefined) throw new Refusal(404, 'There is no such run')
  return run
}

async function readRun(folder: RunFolder, query: Query) {
  const run = findRun(folder, query)
  await run.refresh()
  return run.recording()
}

async function viewRun(folder: RunFolder, query: Query): Promise<RunView> {
  const run = findRun(folder, query)
  await run.refresh()
  const { info, begins, epochs, predictions, sharpness, system, refusal, end } = run.recording()
  const findings = run.findings()
  return {
    name: query.text('run'),
    status: statusOf(info, end),
    // Whoever looks at runs, or is sent a report, needs no words that may be secret.
    info: { ...info, command: undefined },
    begins: thin(begins, mostEntries),
    findings,
    // Of the same moment: what the head of the page says and what the findings say agree.
    summary: run.summary(),
    // A matrix for each epoch would be most of the answer; the last one is in `latest.json`.
    epochs: thin(epochs, mostEntries).map((entry) => ({
      ...(Object.fromEntries(Object.entries(entry).filter(([, value]) => !Array.isArray(value))) as typeof entry),
    })),
    predictions: thin(predictions, mostEntries / 10),
    sharpness: thin(sharpness, mostEntries),
    system: thin(system, mostEntries),
    refusal,
    end,
  }
}

async function viewSteps(folder: RunFolder, query: Query): Promise<StepsView> {
  const from = query.whole('from', 0, Number.MAX_SAFE_INTEGER)
  const to = query.whole('to', 0, Number.MAX_SAFE_INTEGER)
  const buckets = query.whole('buckets', 1, mostBuckets) ?? mostBuckets
  const recording = await readRun(folder, query)
  let series = recording.steps
  if (from !== undefined || to !== undefined) {
    const range = { from: from ?? 0, to: to ?? series.lastStep, buckets }
    if (range.from > range.to) throw new Refusal(400, 'from must not be greater than to')
    series = await readSteps(findRun(folder, query).directory, recording.info, range)
  }
  const { tensors, ...columns } = series
  return packAll(columns)
}

async function viewTensors(folder: RunFolder, query: Query): Promise<TensorsView> {
  const { steps } = await readRun(folder, query)
  const merge = (column: Float64Array) => mergeColumns(column, tensorBuckets)
  return packAll({
    step: Uint32Array.from(merge(Float64Array.from(steps.step))),
    tensors: steps.tensors.map(({ name, shape, ratio, weightNorm, gradientNorm }) => ({
      name,
      shape,
      ratio: merge(ratio),
      weightNorm: merge(weightNorm),
      gradientNorm: merge(gradientNorm),
    })),
  })
}

async function viewLayers(folder: RunFolder, query: Query): Promise<LayersView> {
  return packAll((await readRun(folder, query)).layers)
}

/** With the confusion matrix of all rows, where the run counts one, in place of that of some of them. */
async function viewLatest(folder: RunFolder, query: Query): Promise<LatestView | null> {
  const { epochs } = await readRun(folder, query)
  const latest = await readLatest(findRun(folder, query).directory)
  const counted = (['valConfusionMatrix', 'confusionMatrix'] as const).flatMap((column) => {
    const entry = epochs.findLast((one) => isMatrix(one[column]))
    return entry ? [{ confusion: entry[column] as number[][], epoch: entry.epoch, step: entry.step, column }] : []
  })
  const [best] = counted
  if (!best) return latest && { ...latest, rows: 'some' }
  const { column, ...matrix } = best
  return { ...latest, ...matrix, rows: column === 'confusionMatrix' ? 'training' : 'validation' }
}

const isMatrix = (value: unknown): boolean =>
  Array.isArray(value) && value.every((row) => Array.isArray(row) && row.length === value.length)

async function viewCheckpoints(folder: RunFolder, query: Query): Promise<CheckpointView[]> {
  const found = await findRun(folder, query).checkpoints()
  const { newest, best } = outstanding(found)
  return found.map(({ path, size, head, problem }) => {
    const by = head && scoreOf(head)
    return {
      ...{ name: basename(path), size, epoch: head && epochOf(head), step: head?.step ?? null },
      ...{ column: by?.column ?? null, score: by?.score ?? null },
      problem: problem && withoutPath(problem, path),
      isNewest: path === newest,
      isBest: path === best,
    }
  })
}

async function viewHistograms(folder: RunFolder, query: Query) {
  const kind = query.oneOf('kind', ['activations', 'gradients', 'weights'])
  const { info } = await readRun(folder, query)
  const known = kind === 'activations' ? info.layers : info.tensors
  const name = query.text('name')
  if (!known.some((item) => item.name === name)) throw new Refusal(404, `There are no ${kind} of that name`)
  const rows = query.whole('rows', 1, mostHistograms) ?? mostHistograms
  const histograms = await readHistograms(findRun(folder, query).directory, info, { kind, name, rows })
  return { ...histograms, edges: histogramEdges }
}
