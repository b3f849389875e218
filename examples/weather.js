// Tomorrow's highest temperature in Seattle from the last two weeks: a time series cut into windows, split in the order of
// time, and compared with the simplest forecast there is, today's weather. Four years bear a linear model and no more.
// Data: npm package vega-datasets (BSD-3-Clause). Run: node examples/weather.js
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { adam, dense, earlyStopping, flatten, huber, readCsv, sequential, split, standardize, window } from 'gradus'

const folder = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data')
const columns = ['temp_max', 'temp_min', 'precipitation', 'wind']
const days = await readCsv(join(folder, 'seattle-weather.csv'), { columns })
const scale = standardize({ data: days.x.data.subarray(0, 1000 * 4), shape: [1000, 4] }) // of the days that are trained on

const series = window(scale.apply(days.x), { length: 14, horizon: 1, target: 0 })
const { train, test } = split(series, { fraction: 0.25, shuffle: false })

const model = sequential({ input: [14, 4], seed: 1 }, [flatten(), dense(1)])
model.compile({
  loss: huber(),
  optimizer: adam({ learningRate: 1e-3 }),
  metrics: ['meanAbsoluteError'],
})
const callbacks = [earlyStopping({ patience: 30, restoreBest: true })]
await model.fit(train, { epochs: 300, validation: test, callbacks })

const deviation = Math.sqrt(variance(days.x.data.filter((_, i) => i % 4 === 0 && i < 4000)))
const { meanAbsoluteError } = await model.evaluate(test)
const naive = mean(rowsOf(test).map(({ last, next }) => Math.abs(next - last)))
console.log(
  `mean error: ${(meanAbsoluteError * deviation).toFixed(2)} °C; of “as today”: ${(naive * deviation).toFixed(2)} °C`,
)

function rowsOf({ x, y }) {
  const size = 14 * 4
  return Array.from({ length: y.data.length }, (_, i) => ({ last: x.data[i * size + size - 4], next: y.data[i] }))
}
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
function variance(values) {
  const middle = mean(values)
  return mean(Array.from(values, (value) => (value - middle) ** 2))
}
