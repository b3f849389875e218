// Trials a second of an empty objective, by two workers: of a new study, and of one in which ten thousand trials wait already.
import { join } from 'node:path'
import { createStudy } from '../../dist/search/index.js'
import { enqueueTrial, StudyReader } from '../../dist/study/index.js'
import { median } from '../lib/median.js'
import { kinds, searching } from './searching.js'

const counts = { redis: 1500, postgres: 500 }
const waiting = 10_000

/** From the first result to the last: workers may come later than the first claim. */
async function rateOf(dir) {
  const { trials } = await StudyReader.open(dir, { index: false })
  const ended = trials.filter(({ state }) => state === 'complete')
  const times = ended.map(({ last }) => Date.parse(last.record.time))
  return (1000 * (ended.length - 1)) / (Math.max(...times) - Math.min(...times))
}

const megabytes = () => process.memoryUsage().rss / 2 ** 20

/** `before`: how many wait when it begins; it ends after `count` results. */
function measured(kind, { count, before }) {
  const study = `trials: ${Math.max(count, before)}, trial: ({ params }) => params.x ** 2`
  return searching(kind, { study }, async ({ folder, file, url }) => {
    const dir = join(folder, 'study')
    const made = await createStudy(file, { dir })
    for (let number = 0; number < before; number++) {
      const suggestion = { params: { x: number / before }, seed: 1, stage: 1, suggestedBy: 'person', results: [] }
      await enqueueTrial(dir, number, suggestion, { worker: 'person', budget: null })
    }
    const enough = new AbortController()
    let ended = 0
    const onTrial = () => {
      if (++ended === count) enough.abort()
    }
    await made.optimize({ queue: url, quiet: true, onTrial, signal: enough.signal })
    return { rate: await rateOf(dir), memory: megabytes() }
  })
}

export async function throughputTable({ quick, rounds }) {
  const cases = kinds.flatMap((kind) => [
    { kind, before: 0, count: counts[kind] / (quick ? 5 : 1) },
    { kind, before: quick ? 1000 : waiting, count: counts[kind] / (quick ? 5 : 1) },
  ])
  const found = cases.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, { kind, ...options }] of cases.entries()) found[i].push(await measured(kind, options))
  }
  return {
    title: 'Trials a second of an empty objective, two workers',
    columns: ['server', 'waiting before', 'trials', 'trials a second', 'memory of the master, MB'],
    rows: cases.map(({ kind, before, count }, i) => [
      ...[kind, before, count],
      Math.round(median(found[i].map(({ rate }) => rate))),
      Math.round(Math.max(...found[i].map(({ memory }) => memory))),
    ]),
    notes: [
      `From the first result to the last, as many with others that wait as without; medians of ${rounds}. Server, master, workers and what they train in share the machine.`,
      'Memory: resident, of the process that has run all that stands above it too.',
    ],
  }
}
