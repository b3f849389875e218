// Where models compute: what cannot be used is refused in one sentence, and the model stays as it was.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adam, dense, devices, sequential, softmaxCrossEntropy } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { deviceOfWorker } from '../dist/devices.js'

const test = suite('devices')
const folder = mkdtempSync(join(tmpdir(), 'gradus-devices-'))
const kept = { ...process.env }

test.before.each(() => {
  process.env.GRADUS_CUDA_LIBRARY = join(folder, 'nowhere.so')
  delete process.env.GRADUS_DEVICE
})
test.after(() => {
  rmSync(folder, { recursive: true })
  process.env = kept
})

const compiled = (options) =>
  sequential({ input: [4], seed: 1 }, [dense(3)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam(),
    ...options,
  })
const refuses = (code, message) => (error) => {
  assert.is(error.code, code)
  assert.match(error.message, message)
  return true
}
const data = { x: Float32Array.from({ length: 24 }, (_, i) => (i % 7) / 7), y: Int32Array.of(0, 1, 2, 0, 1, 2) }

test('the processor is there, and why there is no GPU is said', () => {
  const [processor, ...cards] = devices()
  assert.is(processor.device, 'cpu')
  assert.is(processor.reason, undefined)
  assert.is(cards.length, 1)
  assert.is(cards[0].device, 'cuda')
  assert.match(cards[0].reason, /^there is no CUDA library at .*nowhere\.so$/)
})

test('workers take the cards that can be used in turns, where it is not said which', () => {
  const cards = () => [{ device: 'cuda:0' }, { device: 'cuda:1', reason: 'too old' }, { device: 'cuda:2' }]
  const of = (...numbers) => numbers.map((number) => deviceOfWorker(number, cards))
  assert.equal(of(1, 2), [undefined, undefined])
  process.env.GRADUS_DEVICE = 'cuda'
  assert.equal(of(1, 2, 3), ['cuda:0', 'cuda:2', 'cuda:0'])
  assert.is(deviceOfWorker(1), undefined) // whoever computes is told why there is none
  process.env.GRADUS_DEVICE = 'cuda:1'
  assert.equal(of(1, 2), [undefined, undefined])
})

test('a model that asks for what is not there is told so, and never falls back in silence', () => {
  assert.throws(
    () => compiled({ device: 'cuda' }),
    refuses('GRADUS_NO_DEVICE', /^device: cuda cannot be used: there is no CUDA library at .*nowhere\.so$/),
  )
  process.env.GRADUS_DEVICE = 'cuda:1'
  assert.throws(() => compiled(), refuses('GRADUS_NO_DEVICE', /^device: cuda:1 cannot be used/))
  assert.is(compiled({ device: 'cpu' }).device, 'cpu')
  for (const device of ['gpu', 'cuda:', 'cuda:-1', 'CUDA', 'cuda:99999', 0]) {
    assert.throws(
      () => compiled({ device }),
      refuses('GRADUS_INVALID_ARGUMENT', /^device: expected "cpu", "cuda" or a card as "cuda:1", received /),
    )
  }
  process.env.GRADUS_DEVICE = 'tpu'
  assert.throws(() => compiled(), refuses('GRADUS_INVALID_ARGUMENT', /^GRADUS_DEVICE: expected "cpu"/))
})

test('what is no library of Gradus is not taken for one', () => {
  if (process.platform !== 'linux') return
  process.env.GRADUS_CUDA_LIBRARY = join(folder, 'text.so')
  writeFileSync(process.env.GRADUS_CUDA_LIBRARY, 'no library')
  assert.throws(() => compiled({ device: 'cuda' }), refuses('GRADUS_NO_DEVICE', /^the CUDA library cannot be loaded: /))
  assert.match(devices()[1].reason, /^the CUDA library cannot be loaded: /)
})

test('after a refusal the model goes on with the bits that it would have had', async () => {
  const refused = compiled()
  const other = compiled()
  await refused.fit(data, { epochs: 2, quiet: true })
  await assertRejects(refused.to('cuda'), 'GRADUS_NO_DEVICE')
  await refused.fit(data, { epochs: 2, quiet: true })
  await other.fit(data, { epochs: 2, quiet: true })
  await other.fit(data, { epochs: 2, quiet: true })
  assert.equal(refused.getWeights(), other.getWeights())
})

test('to() takes along all that the optimizer keeps', async () => {
  const moved = compiled()
  const other = compiled()
  await moved.fit(data, { epochs: 2, quiet: true })
  assert.is(await moved.to('cpu'), moved)
  await moved.fit(data, { epochs: 2, quiet: true })
  await other.fit(data, { epochs: 2, quiet: true })
  await other.fit(data, { epochs: 2, quiet: true })
  assert.equal(moved.getWeights(), other.getWeights())
  const stop = new AbortController()
  const run = moved.fit(data, { epochs: 1e6, quiet: true, signal: stop.signal })
  const ended = Promise.resolve(run).catch(() => {})
  await assertRejects(moved.to('cpu'), 'GRADUS_BUSY')
  stop.abort()
  await ended
})

async function assertRejects(promise, code) {
  let found
  await promise.catch((error) => {
    found = error.code
  })
  assert.is(found, code)
}

test('gradus devices prints them, and ends with 1 when the processor is alone', async () => {
  const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
  const run = (...words) =>
    new Promise((resolve) =>
      execFile(process.execPath, [command, 'devices', ...words], (error, output) =>
        resolve({ code: error?.code ?? 0, output }),
      ),
    )
  const plain = await run()
  assert.is(plain.code, 1)
  assert.match(plain.output, /^cpu .*\ncuda .*there is no CUDA library at .*\n$/)
  const json = await run('--json')
  assert.equal(JSON.parse(json.output), JSON.parse(JSON.stringify(devices())))
})

test.run()
