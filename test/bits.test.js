import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adam, dense, dropout, exponentialDecay, relu, sequential, softmaxCrossEntropy } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { numbers } from './support/reference.js'

const rows = 37
const x = numbers(rows * 5, 1)
const y = Int32Array.from(numbers(rows, 2), (value) => Math.floor((value + 1) * 1.5))

const bitsOf = (model) => {
  const hash = createHash('sha256')
  for (const { data } of Object.values(model.getWeights())) hash.update(data)
  return hash.digest('hex')
}

/** Everything random at once: initial weights, shuffle, dropout. */
function randomModel(seed = 11) {
  const layers = [dense(33), relu(), dropout(0.4), dense(19), relu(), dropout(0.2), dense(3)]
  const model = sequential({ input: [5], seed }, layers)
  return model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] })
}

async function randomBits({ seed, ...options }) {
  const model = randomModel(seed)
  const history = await model.fit({ x, y }, { epochs: 6, batchSize: 7, clipNorm: 1, quiet: true, ...options }).done
  return [bitsOf(model), ...history.loss]
}

/** SHA-256 of the weights after 100 steps with dropout, shuffle and Adam: the same wherever it is computed. */
const afterHundredSteps = '9fa2402806df08fdaed40411ffeec261950b90f649fed0329de3650e921bbf90'

async function hundredSteps(threads) {
  const model = randomModel()
  const examples = { x: numbers(40 * 5, 1), y: Int32Array.from({ length: 40 }, (_, i) => i % 3) }
  await model.fit(examples, { epochs: 20, batchSize: 8, threads, quiet: true }).done
  return bitsOf(model)
}

test('100 steps give the recorded bits on 1, 2, 3 and 4 threads', async () => {
  for (const threads of [1, 2, 3, 4]) assert.is(await hundredSteps(threads), afterHundredSteps, `${threads} threads`)
})

test('the same bits for any number of threads and of steps a call', async () => {
  const expected = await randomBits({ threads: 1 })
  for (const threads of [2, 3, 4]) assert.equal(await randomBits({ threads }), expected, `${threads} threads`)
  for (const stepsPerCall of [1, 2, 5, 1000]) {
    assert.equal(await randomBits({ stepsPerCall, threads: 2 }), expected, `${stepsPerCall} steps a call`)
  }
})

test('another order of the examples, or another seed, gives other bits', async () => {
  const all = [await randomBits({}), await randomBits({ shuffle: false }), await randomBits({ seed: 12 })]
  assert.is(new Set(all.map(([bits]) => bits)).size, 3)
})

test('the same bits on every ISA and for GRADUS_THREADS', async () => {
  const expected = await randomBits({})
  const here = fileURLToPath(import.meta.url)
  const cases = native.availableIsas.map((isa) => ({ GRADUS_ISA: isa }))
  for (const variables of [...cases, { GRADUS_THREADS: '1' }, { GRADUS_THREADS: '3' }]) {
    const env = { ...process.env, ...variables, GRADUS_PRINT_BITS: '1' }
    const printed = execFileSync(process.execPath, [here], { env, encoding: 'utf8', cwd: dirname(here) })
    const { isa, bits, recorded } = JSON.parse(printed)
    if (variables.GRADUS_ISA) assert.is(isa, variables.GRADUS_ISA)
    assert.equal(bits, expected, JSON.stringify(variables))
    assert.is(recorded, afterHundredSteps, JSON.stringify(variables))
  }
})

test('a run in two parts gives the bits of a run in one', async () => {
  const options = { batchSize: 7, quiet: true, schedule: exponentialDecay({ rate: 0.01, unit: 'step' }) }
  const [whole, parts] = [randomModel(), randomModel()]
  const { loss } = await whole.fit({ x, y }, { ...options, epochs: 5 }).done
  const first = await parts.fit({ x, y }, { ...options, epochs: 2 }).done
  const second = await parts.fit({ x, y }, { ...options, epochs: 5, initialEpoch: 2 }).done
  assert.equal([...first.loss, ...second.loss], loss)
  assert.equal(second.epoch, [3, 4, 5])
  assert.is(bitsOf(whole), bitsOf(parts))
})

test('predictions during a run wait for their turn and do not disturb it; a second run is refused', async () => {
  const [alone, watched] = [randomModel(), randomModel()]
  const options = { epochs: 4, batchSize: 7, stepsPerCall: 1, quiet: true }
  await alone.fit({ x, y }, options).done
  const run = watched.fit({ x, y }, options)
  assert.throws(
    () => watched.fit({ x, y }, { quiet: true }),
    (error) => error.code === 'GRADUS_BUSY',
  )
  const outputs = await Promise.all([watched.predict(x), watched.evaluate({ x, y }), watched.predict(x.slice(0, 5))])
  assert.equal([outputs[0].length, outputs[2].length], [rows, 1])
  await run.done
  assert.is(bitsOf(watched), bitsOf(alone))
  await watched.fit({ x, y }, { quiet: true }).done
})

if (process.env.GRADUS_PRINT_BITS) {
  console.log(JSON.stringify({ isa: native.isa, bits: await randomBits({}), recorded: await hundredSteps() }))
} else {
  test.run()
}
