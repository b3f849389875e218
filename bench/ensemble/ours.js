// Arguments: number of the net, work, examples in a batch, milliseconds to measure, threads. Prints microseconds by name, of
// ways that take turns. Predictions are of rows that lie in native memory, but for those at once, which take a typed array.
import { readFileSync } from 'node:fs'
import { adam, dataset, dense, ensemble, relu, sequential, softmaxCrossEntropy } from '../../dist/index.js'
import { median } from '../lib/median.js'

const [number, work, batch, milliseconds, threads] = process.argv.slice(2)
const { widths } = JSON.parse(readFileSync(new URL('nets.json', import.meta.url), 'utf8'))[number]
const members = 8
const rows = Number(batch)

function member(seed) {
  const hidden = widths.slice(1, -1).flatMap((width) => [dense(width, { init: 'he' }), relu()])
  const model = sequential({ input: [widths[0]], seed }, [...hidden, dense(widths.at(-1))])
  return model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 1e-4 }) })
}

const models = Array.from({ length: members }, (_, m) => member(m + 1))
const numbers = (count) => Float32Array.from({ length: count * widths[0] }, () => Math.random() * 2 - 1)

function predicting() {
  const x = numbers(rows)
  const resident = dataset({ x })
  const together = ensemble(models)
  const options = { threads: Number(threads) }
  return {
    ensemble: () => together.predict(resident, options),
    inTurn: async () => {
      for (const model of models) await model.predict(resident, options)
    },
    one: () => models[0].predict(resident, options),
    ensembleSync: () => together.predictSync(x),
    inTurnSync: () => {
      for (const model of models) model.predictSync(x)
    },
    oneSync: () => models[0].predictSync(x),
  }
}

/** An epoch of all members, each with one thread. */
function training() {
  const examples = rows * steps
  const classes = widths.at(-1)
  const y = Int32Array.from({ length: examples }, () => Math.floor(Math.random() * classes))
  const data = dataset({ x: numbers(examples), y })
  const options = { batchSize: rows, threads: 1, quiet: true }
  return {
    sideBySide: () => Promise.all(models.map((model) => model.fit(data, options))),
    inTurn: async () => {
      for (const model of models) await model.fit(data, options)
    },
  }
}

const steps = 2000
const isTraining = work === 'train'
const ways = isTraining ? training() : predicting()

/** Microseconds a call, of so many in a row. */
async function timed(call, count) {
  const begin = performance.now()
  for (let i = 0; i < count; i++) {
    const answer = call()
    if (answer instanceof Promise) await answer
  }
  return ((performance.now() - begin) * 1000) / count
}

/** So many calls as take about 20 ms; V8 compiles what is called often. */
async function countOf(call) {
  if (isTraining) {
    await call()
    return 1
  }
  for (const end = performance.now() + milliseconds / 8; performance.now() < end; ) await timed(call, 20)
  return Math.max(1, Math.round(20_000 / (await timed(call, 20))))
}

const counts = {}
for (const [name, call] of Object.entries(ways)) counts[name] = await countOf(call)
const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
for (const end = performance.now() + Number(milliseconds); performance.now() < end || times.inTurn.length < 3; ) {
  for (const [name, call] of Object.entries(ways)) times[name].push(await timed(call, counts[name]))
}
const each = isTraining ? steps : 1
console.log(
  JSON.stringify(Object.fromEntries(Object.entries(times).map(([name, found]) => [name, median(found) / each]))),
)
