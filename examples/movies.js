// What a film takes at the box office, from its budget, length, rating and votes: a regression on dollars. Targets of 10⁷
// teach nothing; their standardised logarithms do, and the scale gives predictions in dollars back.
// Data: npm package vega-datasets (BSD-3-Clause). Run: node examples/movies.js
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { adam, dense, dropout, earlyStopping, meanSquaredError, relu, sequential, split, standardize } from 'gradus'

const folder = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data')
const columns = ['Production Budget', 'Running Time min', 'IMDB Rating', 'IMDB Votes']
const movies = JSON.parse(readFileSync(join(folder, 'movies.json'), 'utf8'))
const known = movies.filter((movie) => movie['US Gross'] && columns.every((column) => movie[column]))

const x = known.map((movie) => columns.map((column) => Math.log10(movie[column])))
const y = known.map((movie) => [Math.log10(movie['US Gross'])])
const { train, test } = split({ x, y }, { fraction: 0.2, seed: 1 })
const [inputs, targets] = [standardize(train.x), standardize(train.y)] // of the training data alone
const scaled = ({ x, y }) => ({ x: inputs.apply(x), y: targets.apply(y) })

const layers = [dense(32), relu(), dropout(0.1), dense(32), relu(), dense(1)]
const model = sequential({ input: [columns.length], seed: 1 }, layers)
model.compile({ loss: meanSquaredError(), optimizer: adam(), metrics: ['r2'] })
const callbacks = [earlyStopping({ patience: 20, restoreBest: true })]
const { epochs } = await model.fit(scaled(train), { epochs: 300, validation: scaled(test), callbacks })

const { r2 } = await model.evaluate(scaled(test))
console.log(`${known.length} films, ${epochs} epochs; R² of the logarithm on films held out: ${r2.toFixed(2)}`)
const film = ['$50 million, 120 minutes, rated 7.5 by 100,000', [50e6, 120, 7.5, 1e5].map(Math.log10)]
const found = targets.invert(await model.predict(inputs.apply([film[1]]))).data
console.log(`${film[0]}: $${Math.round(10 ** found[0] / 1e6)} million`)
