// Arguments: number of the net, work, milliseconds to measure, threads, checkout. Prints microseconds a step; of training
// with the statistics of each tensor, and withoutStatistics; the two take turns.
import { readFileSync } from 'node:fs'
import { loadFrom, stepsOf, timesOf } from '../lib/steps.js'

const [number, work, milliseconds, threads, checkout] = process.argv.slice(2)
const { adam, dense, relu, sequential, sgd, softmaxCrossEntropy } = await loadFrom(checkout, 'index.js')
const { native } = await loadFrom(checkout, 'native.js')

const { widths, batch } = JSON.parse(readFileSync(new URL('nets.json', import.meta.url), 'utf8'))[number]
const inputs = widths[0]
const classes = widths.at(-1)
const learningRate = 1e-4
const momentum = work === 'nesterov' ? 0.9 : undefined
const batches = Math.max(4, Math.min(500, Math.round(2 ** 22 / (4 * batch * inputs))))

const hidden = widths.slice(1, -1).flatMap((width) => [dense(width, { init: 'he' }), relu()])
const model = sequential({ input: [inputs], seed: 1 }, [...hidden, dense(classes)]).compile({
  loss: softmaxCrossEntropy(),
  optimizer: momentum ? sgd({ learningRate, momentum, nesterov: true }) : adam({ learningRate }),
})
const data = { inputs: [inputs], classes, batch, batches, threads: Number(threads) }
const { train, evaluate, predict } = stepsOf({ native, model, ...data, learningRate, momentum })

/** Name of the result → what goes over all batches. */
const passes = { evaluate: { microseconds: evaluate }, predict: { microseconds: predict } }[work] ?? {
  microseconds: () => train(true),
  withoutStatistics: () => train(false),
}

for (const end = performance.now() + milliseconds / 4; performance.now() < end; ) await passes.microseconds()
console.log(JSON.stringify(await timesOf(passes, batches, Number(milliseconds))))
