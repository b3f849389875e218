// Prints a line a round: microseconds a step of one net with a monitor and without, or with the live page open and without.
// A round lies between two of the other kind; it counts if those two differ little, or the machine has changed its speed.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { adam, dataset, dense, monitor, relu, sequential, softmaxCrossEntropy } from '../../dist/index.js'
import { randomUniform } from '../../dist/kernels.js'
import { openPage } from './page.js'

const [net, rounds] = [process.argv[2], Number(process.argv[3])]
const [layers, batch] = net.split(' @ ')
const [inputs, ...widths] = layers.split('-').map(Number)
const batchSize = Number(batch)
const isSmall = inputs < 100
const [stepsEach, epochs] = isSmall ? [5000, 11] : [200, 5]
/** Share by which the two neighbours may differ in a round that counts; tries a round. */
const mostDrift = 0.04
const mostTries = 2
/** Seconds of a run with the page closed and open in turns; the first of each are left out, since the page then catches up. */
const [turnSeconds, leftOut] = [4, 1]
const roundsEach = 4
const folder = mkdtempSync(join(tmpdir(), 'gradus-monitor-'))

const examples = stepsEach * batchSize
const classes = widths.at(-1)
const data = dataset({
  x: { data: randomUniform(new Float32Array(examples * inputs), { seed: 1 }), shape: [examples, inputs] },
  y: Int32Array.from({ length: examples }, (_, i) => (i * 7919) % classes),
})
const model = sequential(
  { input: [inputs], seed: 1 },
  widths.flatMap((width, i) => (i + 1 < widths.length ? [dense(width), relu()] : [dense(width)])),
)
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 1e-4 }) })

let runs = 0
const monitored = () => ({ dir: join(folder, `run${runs++}`), callbacks: [monitor({ every: 1, histograms: 50 })] })

function fit({ callbacks = [], ...options }, epochs) {
  const ends = []
  const clock = { onEpochEnd: () => void ends.push(performance.now()) }
  callbacks = [...callbacks, clock]
  return { ends, run: model.fit(data, { epochs, batchSize, threads: 2, quiet: true, callbacks, ...options }) }
}

/** From the end of the first epoch to that of the last: opening and closing a run is no part of a step. */
const microseconds = (ends) => ((ends.at(-1) - ends[0]) * 1000) / (stepsEach * (ends.length - 1))

function tell(kind, before, time, after) {
  const isQuiet = Math.abs(before - after) < mostDrift * Math.min(before, after)
  if (isQuiet) console.log(JSON.stringify({ kind, base: (before + after) / 2, time }))
  return isQuiet
}

function forget() {
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
}

async function timeOf(options) {
  const { ends, run } = fit(options, epochs)
  await run.done
  return microseconds(ends)
}

/** Runs with a monitor, each between two without, until so many rounds count. */
async function compareMonitor(wanted) {
  let counted = 0
  let before = await timeOf({})
  for (let made = 0; counted < wanted && made < mostTries * wanted; made++) {
    forget()
    const time = await timeOf(monitored())
    const after = await timeOf({})
    if (tell('on', before, time, after)) counted++
    before = after
  }
}

/** Runs in which the page is open every second time, until so many rounds count. */
async function comparePage(wanted) {
  let counted = 0
  for (let made = 0; counted < wanted && made < mostTries * wanted; made += roundsEach) counted += await openInTurns()
}

/** Returns how many of the run's rounds count. */
async function openInTurns() {
  forget()
  const { ends, run } = fit(monitored(), 1e9)
  const times = []
  for (let turn = 0; turn <= 2 * roundsEach; turn++) {
    if (turn % 2 === 1) page.resume()
    await sleep(1000 * leftOut)
    const begin = performance.now()
    await sleep(1000 * (turnSeconds - leftOut))
    page.pause()
    times.push(microseconds(ends.filter((end) => end > begin)))
  }
  run.stop('measured')
  await run.done
  let counted = 0
  for (let turn = 1; turn < times.length; turn += 2) if (tell('page', ...times.slice(turn - 1, turn + 2))) counted++
  return counted
}

// The page has been open for a while, as it is when one watches a run.
const page = await openPage(folder)
for (let warm = 0; warm < 6; warm++) {
  const { run } = fit(monitored(), 1e9)
  await sleep(10_000)
  run.stop('warm')
  await run.done
}
page.pause()
await compareMonitor(rounds)
await comparePage(rounds)
await page.close()
rmSync(folder, { recursive: true })
