// node crowd-process.js '{ workers, seconds, trials }', forked: tells what became of it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { defineStudy, random, uniform } from '../../dist/search/index.js'
import { Slots } from '../../dist/search/queue/slots.js'
import { Search } from '../../dist/search/worker/search.js'
import { Beats, LeaseJudge } from '../../dist/study/index.js'

const { workers, seconds, trials } = JSON.parse(process.argv[2])
const folder = mkdtempSync(join(tmpdir(), 'gradus-crowd-'))
const definition = defineStudy({
  ...{ metric: 'value', direction: 'minimize', trials, sampler: random(), space: { x: uniform(0, 1) } },
  trial: () => 0,
})
const search = await Search.open(join(folder, 'study'), definition)
const beats = new Beats()
const ends = []
const slots = new Slots({
  ...{ name: 'pretended', signal: new AbortController().signal },
  onEvent: ({ type }) => type === 'end' && ends.push(performance.now()),
})
let last = Promise.resolve()
const inTurn = (pick) => {
  const picked = last.then(pick)
  last = picked.catch(() => undefined)
  return picked
}
const third = () => pause((1000 * seconds * (0.5 + Math.random())) / 3)
const training = async (_, { params }, control) => {
  for (let epoch = 1; epoch <= 2; epoch++) {
    await third()
    await control.report(params.x, { epoch })
  }
  await third()
  return { value: params.x, epoch: 2, details: {} }
}
const late = monitorEventLoopDelay({ resolution: 1 })
late.enable()
const [from, begin] = [process.cpuUsage(), performance.now()]
await slots.run({ search, beats, judge: new LeaseJudge(), details: {}, inTurn }, training, () => workers)
const { user, system } = process.cpuUsage(from)
const share = (user + system) / 1000 / (performance.now() - begin)
ends.sort((a, b) => a - b)
const [first, second] = [1, 3].map((quarter) => Math.floor((ends.length * quarter) / 4))
const rate = (1000 * (second - first)) / (ends[second] - ends[first])
process.send([
  ...[Math.round(rate), share.toFixed(2), (late.percentile(99) / 1e6).toFixed(0)],
  Math.round(process.memoryUsage().rss / 2 ** 20),
])
await beats.close()
rmSync(folder, { recursive: true })
process.disconnect()
