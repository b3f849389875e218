// Prints a line a round: microseconds a step of one net with a monitor and without, or with the live page open and without.
// Rounds in which the machine changed its speed do not count.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { adam, dataset, dense, monitor, relu, sequential, softmaxCrossEntropy } from '../../dist/index.js'
import { randomUniform } from '../../dist/kernels.js'
import { openPage } from './page.js'

const [net, rounds] = process.argv.slice(2)
const [layers, batch] = net.split(' @ ')
const [inputs, ...widths] = layers.split('-').map(Number)
const batchSize = Number(batch)
const isSmall = inputs < 100
/** The page asks for curves every two seconds: with it a run takes a few of those. */
const [stepsEach, epochs, epochsWithPage] = isSmall ? [5000, 11, 61] : [200, 5, 13]
/** Share by which two equal runs may differ in a round that counts; tries a round. */
const mostDrift = 0.04
const mostTurns = 2
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
/** From the end of the first epoch to that of the last: opening and closing a run is no part of a step. */
async function microseconds({ callbacks = [], epochs, ...options }) {
  const ends = []
  const clock = { onEpochEnd: () => void ends.push(performance.now()) }
  callbacks = [...callbacks, clock]
  await model.fit(data, { epochs, batchSize, threads: 2, quiet: true, callbacks, ...options }).done
  return ((ends.at(-1) - ends[0]) * 1000) / (stepsEach * (epochs - 1))
}
const monitored = (epochs) => ({
  epochs,
  dir: join(folder, `run${runs++}`),
  callbacks: [monitor({ every: 1, histograms: 50 })],
})

function forget() {
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
}

/** One run between two of the other kind; those tell whether the machine went equally fast all the while. */
async function compare(kind, plain, other) {
  forget()
  const before = await plain()
  const time = await other()
  const after = await plain()
  const isQuiet = Math.abs(before - after) < mostDrift * Math.min(before, after)
  return { kind, base: (before + after) / 2, time, isQuiet }
}

const off = () => microseconds({ epochs })
const on = () => microseconds(monitored(epochs))
const onForLong = () => microseconds(monitored(epochsWithPage))
// The page has been open for a while, as it is with a run that one watches; it sees nothing of the runs without it.
const page = await openPage(folder)
for (let warm = 0; warm < 3; warm++) await onForLong()
page.pause()
const withPage = async () => {
  page.resume()
  await sleep(1000)
  const time = await onForLong()
  page.pause()
  return time
}
const kinds = {
  on: { left: Number(rounds), compare: () => compare('on', off, on) },
  page: { left: Math.ceil(Number(rounds) / 2), compare: () => compare('page', onForLong, withPage) },
}
for (let turn = 0; turn < mostTurns * Number(rounds); turn++) {
  for (const kind of Object.values(kinds)) {
    if (kind.left === 0) continue
    const round = await kind.compare()
    if (!round.isQuiet) continue
    kind.left--
    console.log(JSON.stringify(round))
  }
}
await page.close()
rmSync(folder, { recursive: true })
