// A study of many trials with their curves, as a search leaves it behind: the records of one trial are written by the functions of
// a search, those of the others are alike but for number, parameters and values.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { random } from '../../dist/search/samplers/random.js'
import { choice, integer, logUniform, uniform } from '../../dist/search/space/parameters.js'
import { checkSpace } from '../../dist/search/space/space.js'
import { createTrial, enqueueTrial, hasEnded, IndexWriter, makeStudy, StudyReader } from '../../dist/study/index.js'

const seed = 7
const space = checkSpace({
  learningRate: logUniform(1e-6, 10),
  l2: logUniform(1e-6, 0.1),
  hidden: integer(32, 512, { log: true }),
  dropout: uniform(0, 0.7),
  optimizer: choice({ adam: { beta1: uniform(0.8, 0.99) }, nesterov: { momentum: uniform(0.5, 0.99) } }),
})
const paramsOf = (number) => random().suggest({ space, trials: [], direction: 'maximize', seed, number })

/** Best at a learning rate of 0.002, wide, with some dropout. */
const accuracyOf = ({ learningRate, hidden, dropout }) =>
  0.985 - 0.02 * (Math.log10(learningRate) + 2.7) ** 2 - 0.01 * Math.log(512 / hidden) - 0.05 * (dropout - 0.3) ** 2

const quick = { sync: false }
const nameOf = (number) => String(number).padStart(5, '0')

/** Makes it in a folder that is not there yet, with the cache that a master leaves. Without epochs: of trials that wait for a worker. */
export async function makeStudyOf(path, { trials, epochs }) {
  const description = {
    ...{
      metric: 'valAccuracy',
      direction: 'maximize',
      epochs: epochs || 30,
      trials,
      sampler: { name: 'random' },
      pruner: null,
    },
    ...{ space: JSON.parse(JSON.stringify(space.parameters)), stages: null, seed, details: {}, module: null },
    versions: { gradus: '0.1.0' },
  }
  await makeStudy(path, description)
  if (epochs === 0) return await makeWaiting(path, trials)
  const templates = await writtenBy(path, epochs)
  for (let number = 0; number < trials; number++) writeTrial(path, number, epochs, templates)
  const { trials: all } = await StudyReader.open(path)
  await IndexWriter.open(path, 1, all.filter(hasEnded))
}

async function makeWaiting(path, trials) {
  for (let number = 0; number < trials; number++) {
    const suggestion = { params: paramsOf(number), seed: number, stage: 1, suggestedBy: 'person', results: [] }
    await enqueueTrial(path, number, suggestion, { worker: 'person', budget: 30 })
  }
}

/** The records of a trial that a search would write. */
async function writtenBy(path, epochs) {
  const suggestion = { params: {}, seed: 1, stage: 1, suggestedBy: 'random', results: [[0, 9999]] }
  const held = await createTrial(path, 0, suggestion, { worker: 'here.1', budget: epochs })
  const details = { bestEpoch: epochs }
  await held.finish({ state: 'complete', epoch: epochs, value: 0.5, reason: null, details }, quick)
  const read = (name) => JSON.parse(readFileSync(join(held.path, name), 'utf8'))
  const templates = { claim: read('1.json'), result: read('2.json') }
  rmSync(held.path, { recursive: true })
  return templates
}

function writeTrial(path, number, epochs, { claim, result }) {
  const folder = join(path, 'trials', nameOf(number))
  const put = (name, record) => writeFileSync(join(folder, name), `${JSON.stringify(record)}\n`)
  const params = paramsOf(number)
  const value = accuracyOf(params)
  const isExploded = number % 11 === 7
  const reached = Array.from(
    { length: epochs },
    (_, i) => value - 0.5 * 0.8 ** (i + 1) + 0.01 * Math.sin(number + 7 * i),
  )
  const time = (minutes) => new Date(Date.UTC(2026, 0, 1) + 60_000 * minutes).toISOString()
  const lines = reached.map((value, i) => `${JSON.stringify({ epoch: i + 1, value, record: { loss: 1 - value } })}\n`)
  const end = isExploded
    ? { state: 'exploded', value: null, reason: 'its loss is not finite' }
    : { value: reached.at(-1) }
  mkdirSync(folder)
  put('1.json', { ...claim, time: time(number), suggestion: { ...claim.suggestion, params, seed: number } })
  put('2.json', { ...result, ...end, time: time(number + 1) })
  writeFileSync(join(folder, 'reports.1.jsonl'), lines.join(''))
  writeFileSync(join(folder, 'beats.1'), '3\n')
}
