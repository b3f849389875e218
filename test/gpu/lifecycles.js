// Programs on a GPU that come and go: several at once, in one process and in threads; ended, disposed of, out of memory and on
// a card that fails. Run as models.js is.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { devices } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ended } from '../support/ended.js'
import { trainedBits } from '../support/side-by-side.js'
import { data, isEmulated, model, options } from './small-model.js'

const test = suite('programs on a GPU come and go')
const few = { rows: 40, epochs: 1 }

test('two programs train at once, and in turns, each with the bits of one alone', async () => {
  const [first, second, alone] = [model('cuda'), model('cuda'), model('cpu')]
  await Promise.all([first.fit(data, options), second.fit(data, options)])
  for (const of of [first, second, first, second]) await of.fit(data, options)
  for (let i = 0; i < 3; i++) await alone.fit(data, options)
  assert.equal(first.getWeights(), alone.getWeights())
  assert.equal(second.getWeights(), alone.getWeights())
})

test('eight worker threads train at once, each with the bits of the processor', async () => {
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8]
  const script = new URL('../support/side-by-side.js', import.meta.url)
  const workers = seeds.map((seed) => {
    return new Worker(script, { workerData: { seed, options: { ...few, device: 'cuda' } } })
  })
  const messages = await Promise.all(workers.map((worker) => once(worker, 'message')))
  for (const [i, [bits]] of messages.entries()) assert.equal(bits, await trainedBits(seeds[i], few))
})

test('two processes train at once, each with the bits of the processor', async () => {
  const script = new URL('../support/side-by-side.js', import.meta.url)
  const code = `console.log(JSON.stringify(await (await import('${script}')).trainedBits(5, ${JSON.stringify({ ...few, device: 'cuda' })})))`
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', code])
  const expected = JSON.parse(JSON.stringify(await trainedBits(5, few)))
  for (const { stdout, stderr } of await Promise.all([run(), run()])) {
    assert.is(stderr, '')
    assert.equal(JSON.parse(stdout), expected)
  }
})

/** As tests of the processor end programs: now on the GPU. */
async function onGpu(body) {
  process.env.GRADUS_DEVICE = 'cuda'
  try {
    await body()
  } finally {
    delete process.env.GRADUS_DEVICE
  }
}

test('process.exit in the middle of a step ends the process with its code, and so does an error', async () => {
  await onGpu(async () => {
    for (const [role, expected] of Object.entries({ exitInFit: 7, exitInCall: 8, throwInCall: 1 })) {
      const { code, signal, stderr } = await ended('unfinished', role)
      assert.equal([code, signal], [expected, null], `${role}: ${stderr}`)
      assert.not.match(stderr, /in kernel|terminate/)
    }
  })
})

test('worker threads terminated in the middle of a step', async () => {
  await onGpu(async () => {
    const script = new URL('../support/unfinished.js', import.meta.url)
    const workers = ['wait', 'fit'].map((role) => new Worker(script, { workerData: { role } }))
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    assert.equal(await Promise.all(workers.map((worker) => worker.terminate())), [1, 1])
  })
  const [here, there] = [model('cpu'), model('cuda')]
  for (const of of [here, there]) await of.fit(data, options)
  assert.equal(there.getWeights(), here.getWeights())
})

test('a program disposed of while it trains says so, and its memory is free again', async () => {
  const free = () => devices()[1].free
  const before = free()
  for (const duringCall of [false, true]) {
    const of = model('cuda')
    const dispose = () => of.dispose()
    const onStepsEnd = () => void (duringCall ? setImmediate(dispose) : dispose())
    const thrown = await of.fit(data, { ...options, epochs: 1e6, callbacks: [{ onStepsEnd }] }).then(
      () => null,
      (error) => error,
    )
    assert.is(thrown?.code, 'GRADUS_DISPOSED')
  }
  // Elsewhere the driver keeps some of it.
  if (isEmulated) assert.is(free(), before)
  await model('cuda').fit(data, options)
})

if (isEmulated) {
  const failing = async (role, words, environment) => {
    const script = fileURLToPath(new URL('./failing.js', import.meta.url))
    const env = { ...process.env, ...environment }
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, role, ...words], { env })
    assert.is(stderr, '')
    return JSON.parse(stdout)
  }

  test('a batch that does not fit: what it is for, who has the memory, and how large one may be', async () => {
    const environment = { GRADUS_EMULATED_MEMORY: '700000', GRADUS_EMULATED_OTHERS: '100000' }
    for (const [name, { refusal, hasChanged, room, after }] of Object.entries(
      await failing('memory', [], environment),
    )) {
      assert.is(refusal?.code, 'GRADUS_OUT_OF_MEMORY', name)
      assert.match(
        refusal.message,
        /^Emulated has no memory for \d+ bytes: of its 700000 bytes \d+ are free, this process has taken \d+, others and the driver 1\d{5}: a (step of 4000 examples|pass of 4000 examples through 2 members) takes \d+ bytes beside the weights; there is room for a batchSize of \d+$/,
        name,
      )
      assert.not(hasChanged, name)
      assert.ok(room > 1 && room < 4000, name)
      assert.is(after, null, name)
    }
  })

  test('a card that fails: after which step, and what the run can go on from; the processor goes on', async () => {
    const environment = { GRADUS_EMULATED_LOST_AT: '4000' }
    const text = 'the device emulated:0 has failed: restart the process to use the GPU again; it failed after step '
    for (const every of ['1', '900']) {
      const { refusal, later, path, here } = await failing('lost', [every], environment)
      const [place, step] = [
        refusal.message.slice(0, text.length),
        Number.parseInt(refusal.message.slice(text.length), 10),
      ]
      assert.equal([refusal.code, place], ['GRADUS_DEVICE_LOST', text])
      assert.ok(step > 0)
      const last = every === '1' ? `; the last checkpoint is ${path}` : '; there is no checkpoint of the run'
      assert.is(refusal.message, `${text}${step}${last}`)
      if (every === '1') assert.match(dirname(path), /checkpoints$/)
      assert.equal(
        later.map(({ code }) => code),
        Array(3).fill('GRADUS_DEVICE_LOST'),
      )
      for (const { message } of later) assert.match(message, /restart the process to use the GPU again/)
      assert.is(here, null)
    }
  })
}

test.run()
