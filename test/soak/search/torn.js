// Each file of a study torn at every byte: whoever reads it finds all other trials as they were, and of the torn one at most what
// stood in that file is missing. At some of the bytes a worker then goes on to the end of the study.
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { loadStudy } from '../../../dist/search/load-study.js'
import { checkpointsOf } from '../../../dist/search/worker/best-file.js'
import { runWorker } from '../../../dist/search/worker/worker.js'
import {
  claimMaster,
  hasEnded,
  IndexWriter,
  LeaseJudge,
  makePlan,
  readPlan,
  readStages,
  readStop,
  requestStop,
  StudyReader,
} from '../../../dist/study/index.js'
import { until } from '../../support/until.js'
import { studyFile, trialsOf, worker } from './common.js'

const stages = [
  { trials: 2, epochs: 1 },
  { trials: 3, epochs: 3 },
]
const study = { kind: 'training', stages }
/** One more than the definition has, by a plan. */
const planned = 6

/**
 * Trials 0 and 1 are of the first stage. Of the second, 2 is complete, 3 was being trained by a process that was killed, 4 was
 * paused twice, and 5 is to come. There are a plan, a master that has ended and its cache, and a request to stop that came late.
 */
async function template(dir, { definition, module }) {
  const work = (options) => runWorker({ ...workerOptions(dir, { definition, module }), ...options })
  await work({ trials: 3 })
  await makePlan(dir, await readPlan(dir, { trials: planned - 1 }), { trials: planned, space: null })
  const { child, ended } = worker(dir, { ...study, pause: 2 ** 30, slowFrom: 2 })
  await until(async () => (await trialsOf(dir))[3]?.values.length > 0)
  for (let i = 0; i < 2; i++) {
    const pause = new AbortController()
    const onEvent = ({ type }) => type === 'report' && pause.abort()
    await work({ signal: pause.signal, onEvent, lease: 60_000 })
  }
  child.kill('SIGKILL')
  await ended
  const trials = await trialsOf(dir)
  await requestStop(trials[2].path, { by: 'person', why: 'enough' })
  const master = await claimMaster(dir, new LeaseJudge({}))
  const index = await IndexWriter.open(dir, master.number, trials.filter(hasEnded).slice(0, 2))
  await index.add(trials.filter(hasEnded).slice(2))
  await master.release()
}

const workerOptions = (dir, { definition, module }) => ({
  ...{ dir, definition, module, name: 'here.1', threads: 1, lease: 40, beatEvery: 10 },
  signal: new AbortController().signal,
})

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, path, name }) => relative(folder, join(parentPath ?? path, name)))
    .sort()

/** What a file is, by its path: `trial` and `change` are numbers where it is of one. */
function placeOf(file) {
  const [, trial, rest] =
    file
      .split(sep)
      .join('/')
      .match(/^trials\/(\d{5})\/(.*)$/) ?? []
  if (trial === undefined) return { trial: null, kind: file.replace(/\d+|,.*/g, '#') }
  return {
    trial: Number(trial),
    change: Number(rest.match(/^(\d+)\.json$/)?.[1]),
    kind: rest.replace(/\d+(\.\d+)?/g, '#'),
  }
}

const kindOf = (file) => `${placeOf(file).trial === null} ${placeOf(file).kind}`

// By name: what a cached trial has it reads when it is asked.
const told = ({ number, state, next, problem, epochs, values, stage, epoch, value, worker, changes, last }) =>
  JSON.stringify({
    number,
    state,
    next,
    problem,
    epochs,
    values,
    stage,
    epoch,
    value,
    worker,
    last,
    changes: [...changes],
  })

/** What is wrong with what is read where the file has been torn after so many bytes. */
async function readTorn(dir, file, { length, bytes, whole }) {
  const { trial: number, change, kind } = placeOf(file)
  // The cache is one: it is read where it is the one torn.
  const opened = await StudyReader.open(dir, { index: kind.startsWith('masters') }).catch((error) => error)
  if (kind === 'study.json') return isWholeOrRefused(opened, file)
  if (opened instanceof Error) return opened.stack
  const { trials } = opened
  const other = trials.find((trial, i) => i !== number && told(trial) !== whole.told[i])
  if (other !== undefined || trials.length !== whole.told.length)
    return `${trials.length} trials, of which ${told(other)}`
  if (number === null) {
    const read = { stages: readStages, plans: (dir) => readPlan(dir, { trials: 1 }) }[kind.split(sep)[0]]
    return read ? isWholeOrRefused(await read(dir).catch((error) => error), file) : null
  }
  const [trial, before] = [trials[number], whole.trials[number]]
  if (change > 0) return readTornRecord(trial, before, change)
  const lost = kind.startsWith('reports') ? linesOf(bytes).slice(linesOf(bytes.subarray(0, length)).length) : []
  const epochs = before.epochs.filter((epoch) => !lost.some((line) => line.epoch === epoch))
  const values = epochs.map((epoch) => before.values[before.epochs.indexOf(epoch)])
  // How it ended counts, else the last that is left of the curve.
  const end = before.last.record.type === 'claim' ? {} : before.last.record
  const [epoch, value] = [epochs.at(-1) ?? end.epoch ?? 0, end.value ?? values.at(-1) ?? Number.NaN]
  if (told(trial) !== told({ ...before, epochs, values, epoch, value })) return told(trial)
  if (kind === 'stop' && readStop(trial.path) === null) return 'nobody wants it to stop'
  const sound = (await checkpointsOf(trial)).filter(({ problem }) => problem === null)
  return kind.endsWith('.safetensors') && sound.length > 0 ? 'a torn checkpoint is sound' : null
}

/** Lines that have an end. */
const linesOf = (bytes) =>
  bytes
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))

/** A record that is torn is none: what those before it say counts. */
function readTornRecord(trial, before, change) {
  if (trial.problem === null) return told(trial) === told(before) ? null : 'its record is another one'
  const last = [...before.changes].findLast(([number]) => number !== change)?.[1]
  const state = { undefined: 'unfinished', claim: 'running', paused: 'paused', result: last?.state }[last?.type]
  const isKept = change === 1 || JSON.stringify(trial.suggestion) === JSON.stringify(before.suggestion)
  return trial.state === state && isKept && trial.next === before.next ? null : `${trial.state}, not ${state}`
}

/** A file that all depends on is whole but for its last line's end, or refused by name. */
function isWholeOrRefused(result, file) {
  if (!(result instanceof Error)) return null
  const isNamed = result.code === 'GRADUS_BAD_FILE' && result.message.includes(file)
  return isNamed ? null : result.stack
}

/** One that takes the place of a lost trial lies elsewhere: where nothing was torn there is none like it. */
const pointOf = ({ stage, params }) => JSON.stringify([stage, params])

/** What is wrong at the end of a search that goes on from a torn file. */
async function goOnTorn(dir, file, { given, whole, reference }) {
  const { trial: number, change } = placeOf(file)
  const isLost = change === 1 && !hasEnded(whole.trials[number]) && (await trialsOf(dir))[number].problem !== null
  const end = await runWorker(workerOptions(dir, given)).catch((error) => error)
  if (/^(study|stages|plans)/.test(file) && end instanceof Error) return isWholeOrRefused(end, file)
  if (end !== 'done') return `${end.stack ?? end}`
  // With the master's cache, which may know a result whose file is torn.
  const { trials } = await StudyReader.open(dir)
  const wrong = trials.flatMap(({ number: one, state, last, suggestion }) => {
    const wanted = isLost && one === number ? 'lost' : 'complete'
    if (state !== wanted) return `trial ${one} is ${state}: ${last?.record.reason}`
    // To the bits of where nothing was torn.
    const isSame =
      wanted === 'lost' ||
      suggestion === null ||
      last.record.value === (reference.get(pointOf(suggestion)) ?? last.record.value)
    return isSame ? [] : `trial ${one} has ${last.record.value}`
  })
  return wrong.length > 0 ? wrong.join() : null
}

/**
 * @param most - bytes at which each file is torn and read; all where it has no more
 * @param each - bytes of each kind of file from which a worker goes on
 * @param kinds - of so many kinds of files
 */
export async function torn({
  folder,
  choose,
  most = Number.POSITIVE_INFINITY,
  each = 6,
  kinds = Number.POSITIVE_INFINITY,
}) {
  process.env.GRADUS_SOAK_STUDY = JSON.stringify(study)
  const given = await loadStudy(studyFile)
  const dir = join(folder, 'whole')
  await template(dir, given)
  const copy = join(folder, 'torn')
  const copied = () => {
    rmSync(copy, { recursive: true, force: true })
    cpSync(dir, copy, { recursive: true })
  }
  const trials = await trialsOf(dir)
  const whole = { trials, told: trials.map(told) }
  const files = filesIn(dir).filter((file) => statSync(join(dir, file)).size > 0)
  const found = []
  let read = 0
  copied()
  for (const file of files) {
    const [path, bytes] = [join(copy, file), readFileSync(join(dir, file))]
    const lengths = Array.from({ length: bytes.length }, (_, i) => bytes.length - 1 - i)
    while (lengths.length > most) lengths.splice(choose(lengths.length), 1)
    for (const length of lengths) {
      truncateSync(path, length)
      const problem = await readTorn(copy, file, { length, bytes, whole })
      if (problem !== null) found.push(`${file} at ${length}, read: ${problem}`)
      read++
    }
    // Hard links of a checkpoint have become files of their own in the copy.
    writeFileSync(path, bytes)
  }
  copied()
  await runWorker(workerOptions(copy, given))
  const reference = new Map(
    (await trialsOf(copy)).map(({ suggestion, last }) => [pointOf(suggestion), last.record.value]),
  )
  const chosen = [...new Set(files.map(kindOf))].map((kind) => files.filter((file) => kindOf(file) === kind))
  while (chosen.length > kinds) chosen.splice(choose(chosen.length), 1)
  let goneOn = 0
  for (const ofKind of chosen) {
    for (let i = 0; i < each; i++) {
      const file = ofKind[choose(ofKind.length)]
      const { size } = statSync(join(dir, file))
      const length = [0, size - 1, size >> 1][i] ?? choose(size)
      copied()
      truncateSync(join(copy, file), length)
      const problem = await goOnTorn(copy, file, { given, whole, reference })
      if (problem !== null) found.push(`${file} at ${length}, gone on: ${problem}`)
      goneOn++
    }
  }
  return {
    figures: `${read} tears in ${files.length} files read; a worker went on from ${goneOn} in ${chosen.length} kinds of files`,
    found,
  }
}
