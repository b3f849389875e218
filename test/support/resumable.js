// A run that may kill itself on its way, and says at its end what it has come to. Arguments: options of fit as JSON, then what is
// shown with it; the variable KILL_IN names the epoch in whose middle it dies.
import { createHash } from 'node:crypto'
import { adam, checkpoint, dense, dropout, earlyStopping, relu, sequential, softmaxCrossEntropy } from 'gradus'

const [json, ...words] = process.argv.slice(2)
const rows = 240
const numbers = (count, seed) => Float32Array.from({ length: count }, (_, i) => Math.sin((i + seed) * (i + seed)))
const x = { data: numbers(rows * 6, 1), shape: [rows, 6] }
const y = Int32Array.from({ length: rows }, (_, i) => Math.floor(1.5 * (x.data[6 * i] + 1)) % 3)
const validation = { x: { data: numbers(60 * 6, 5), shape: [60, 6] }, y: y.subarray(0, 60) }

const model = sequential({ input: [6], seed: 4 }, [dense(16), relu(), dropout(0.2), dense(3)]).compile({
  loss: softmaxCrossEntropy(),
  optimizer: adam({ learningRate: 0.01 }),
  metrics: ['accuracy'],
})
const killIn = Number(process.env.KILL_IN ?? 0)
const killer = {
  onStepsEnd({ epoch, steps }) {
    if (epoch === killIn && steps.rowsDone >= rows / 2) process.kill(process.pid, 'SIGKILL')
  },
}
const callbacks = [
  checkpoint({ monitor: 'valAccuracy' }),
  earlyStopping({ patience: 1_000_000, restoreBest: true }),
  killer,
]
const options = { batchSize: 16, epochs: 6, validation, quiet: true, stepsPerCall: 2, callbacks, ...JSON.parse(json) }
const run = model.fit({ x, y }, options)
const { seconds, samplesPerSecond, ...history } = await run
const hash = createHash('sha256').update(JSON.stringify(history))
hash.update(await model.toBuffer({ optimizer: true }))
console.log(
  JSON.stringify({ hash: hash.digest('hex'), dir: run.dir, words, flags: process.execArgv, cwd: process.cwd() }),
)
process.exitCode = Number(process.env.EXIT_CODE ?? 0)
