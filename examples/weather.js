// Tomorrow's highest temperature in Seattle from the last two weeks: a time series cut into windows, split in the order of
// time, and compared with the simplest forecast there is, today's weather. Four years bear a linear model and no more.
// Data: npm package vega-datasets (BSD-3-Clause). Run: node examples/weather.js
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { adam, dense, earlyStopping, flatten, huber, readCsv, sequential, split, standardize, window } from 'gradus'

const folder = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data')
const columns = ['temp_max', 'temp_min', 'precipitation', 'wind']
const days = await readCsv(join(folder, 'seattle-weather.csv'), { columns })
const scale = standardize(days.x.data.subarray(0, 1000 * 4), { features: 4 }) // of days that are trained on alone

const series = window(scale.apply(days.x), { length: 14, horizon: 1, target: 0 })
const { train, test } = split(series, { fraction: 0.25, shuffle: false })

const model = sequential({ input: [14, 4], seed: 1 }, [flatten(), dense(1)])
model.compile({ loss: huber(), optimizer: adam(), metrics: ['meanAbsoluteError'] })
const callbacks = [earlyStopping({ patience: 30, restoreBest: true })]
await model.fit(train, { epochs: 300, validation: test, callbacks })

const { meanAbsoluteError } = await model.evaluate(test)
const highest = days.x.data.filter((_, i) => i % columns.length === 0).slice(-test.y.data.length - 1)
const changes = highest.slice(1).map((next, i) => Math.abs(next - highest[i]))
const asToday = changes.reduce((sum, change) => sum + change, 0) / changes.length
const degrees = meanAbsoluteError * scale.deviation[0]
console.log(`mean error: ${degrees.toFixed(2)} °C; of “as today”: ${asToday.toFixed(2)} °C`)
console.log(`better by ${(100 * (1 - degrees / asToday)).toFixed(1)} %`)
