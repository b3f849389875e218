// node bench/search/digits.js: trains a network for each of 1,920 settings and writes how many of scikit-learn's 1,797 digits
// it takes for others: the table digits.json, in which searches cost nothing. Five folds; each digit is judged by the network
// that has not seen it. What is there already is not done again.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { adam, dataset, dense, dropout, relu, sequential, sgd, softmaxCrossEntropy } from '../../dist/index.js'

const file = new URL('digits.json', import.meta.url)
const [folds, epochs] = [5, 8]
/** Values of each parameter; the settings are counted with the last one running fastest. */
const parameters = {
  logLearningRate: [-4, -3.5, -3, -2.5, -2, -1.5, -1, -0.5],
  logL2: [-6, -5, -4, -3],
  logHidden: [4, 5, 6, 7, 8],
  dropout: [0, 0.2, 0.4],
  batch: [32, 128],
  optimizer: ['adam', 'nesterov'],
}

function settingOf(index) {
  const setting = {}
  let rest = index
  for (const [name, values] of Object.entries(parameters).reverse()) {
    setting[name] = values[rest % values.length]
    rest = Math.floor(rest / values.length)
  }
  return setting
}

/** Of each fold what is trained on and what is judged. */
function readFolds() {
  const packages = new URL('../.venv/lib/', import.meta.url)
  const python = readdirSync(packages).find((name) => name.startsWith('python'))
  const path = new URL(`${python}/site-packages/sklearn/datasets/data/digits.csv.gz`, packages)
  const text = gunzipSync(readFileSync(path)).toString()
  const lines = text.trim().split('\n')
  const rows = lines.map((line) => line.split(',').map(Number))
  const dataOf = (some) =>
    dataset({ x: some.map((row) => row.slice(0, 64).map((pixel) => pixel / 16)), y: some.map((row) => row[64]) })
  return Array.from({ length: folds }, (_, fold) => {
    const held = rows.filter((_, i) => i % folds === fold)
    return { train: dataOf(rows.filter((_, i) => i % folds !== fold)), held: dataOf(held), count: held.length }
  })
}

async function errorsOf(
  { logLearningRate, logL2, logHidden, dropout: share, batch, optimizer },
  { train, held, count },
) {
  const learningRate = 10 ** logLearningRate
  const layers = [dense(2 ** logHidden, { regularizer: { l2: 10 ** logL2 } }), relu(), dropout(share), dense(10)]
  const model = sequential({ input: [64], seed: 1 }, layers).compile({
    loss: softmaxCrossEntropy(),
    optimizer: optimizer === 'adam' ? adam({ learningRate }) : sgd({ learningRate, momentum: 0.9, nesterov: true }),
    metrics: ['accuracy'],
  })
  await model.fit(train, { epochs, batchSize: batch, threads: 1 })
  const { accuracy } = await model.evaluate(held)
  return Math.round((1 - accuracy) * count)
}

const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).errors : []
const count = Object.values(parameters).reduce((product, { length }) => product * length, 1)
const read = readFolds()
const errors = [...known]
for (let index = errors.length; index < count; index++) {
  let sum = 0
  for (const fold of read) sum += await errorsOf(settingOf(index), fold)
  errors.push(sum)
  if (errors.length % 20 === 0 || errors.length === count) writeFileSync(file, textOf())
}

function textOf() {
  const what = `digits taken for others, of 1,797, by setting, the last parameter running fastest; ${folds} folds, ${epochs} epochs`
  return `${JSON.stringify({ what, script: 'bench/search/digits.js', parameters, errors })}\n`
}
console.log(
  `${fileURLToPath(file)}: ${errors.length} settings, ${Math.min(...errors)} to ${Math.max(...errors)} errors`,
)
