// Checkpoints that are damaged or malformed: refused with a code, or what they say is what was written. `npm run soak:faults`
// tries every bit and every length, and ten thousand that somebody has made up, with a right hash.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkpoint, checkpoints, GradusError, loadModel } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { changed, mutated } from './support/mutations.js'
import { numbers } from './support/reference.js'
import { parse } from './support/safetensors.js'
import { isSoak, progress, sampled } from './support/sampled.js'
import { digestOf, fitTiny, tinyModel } from './support/tiny-run.js'

// Hundreds of warnings of damage say nothing here.
process.removeAllListeners('warning')
const root = mkdtempSync(join(tmpdir(), 'gradus-damage-'))
test.after(() => rmSync(root, { recursive: true }))
const dir = join(root, 'run')
let run
const stop = { onStepsEnd: ({ steps }) => steps.firstStep >= 8 && run.stop() }
run = fitTiny(tinyModel({ units: 1 }), dir, { callbacks: [stop, checkpoint({ every: 'epoch' })] })
await run
const [{ path: atEnd }, { path: within }] = await checkpoints(dir)
const original = readFileSync(atEnd)
const loaded = await digestOf(await loadModel(atEnd))

const crashes = []
process.on('unhandledRejection', (error) => crashes.push(error))
test.after.each(() => assert.equal(crashes, []))
// Of every file by itself, so that a busy machine makes no difference.
const seconds = (since) => {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1e6
}

/** Puts the bytes into a directory as its only checkpoint. */
const place = join(root, 'damaged', 'checkpoints')
mkdirSync(place, { recursive: true })
async function look(bytes, what) {
  const path = join(place, 'epoch=001.safetensors')
  writeFileSync(path, bytes)
  const [{ sound }] = await checkpoints(join(root, 'damaged'))
  const load = await loadModel(path).then(digestOf, (error) => error)
  if (load instanceof Error) assert.ok(load instanceof GradusError && load.code, `${what}: ${load.stack}`)
  else assert.is(load, loaded, what)
  assert.is(sound, false, what)
}

test('every bit that is flipped is found', async () => {
  const bits = sampled(
    Array.from({ length: 8 * original.length }, (_, i) => i),
    400,
    'bits',
  )
  for (const [i, bit] of bits.entries()) {
    progress(i, bits.length, 'bits')
    const bytes = Buffer.from(original)
    bytes[bit >> 3] ^= 1 << (bit & 7)
    await look(bytes, `bit ${bit}`)
  }
})

test('every length that is too short is found', async () => {
  const lengths = sampled(
    Array.from({ length: original.length }, (_, i) => i),
    100,
    'lengths',
  )
  for (const length of lengths) await look(original.subarray(0, length), `${length} bytes`)
})

const own = join(root, 'made up')
const madeUp = join(own, 'checkpoints', 'a.safetensors')

/** How a model is loaded from a made-up checkpoint, and how a run goes on with it: null, or the error. */
async function outcomesOf(bytes) {
  mkdirSync(join(own, 'checkpoints'), { recursive: true })
  writeFileSync(madeUp, bytes)
  const outcomes = []
  for (const work of [() => loadModel(madeUp), goOn])
    outcomes.push(
      await work().then(
        () => null,
        (error) => error,
      ),
    )
  rmSync(own, { recursive: true })
  return outcomes
}

const goOn = () => fitTiny(tinyModel({ units: 1 }), own, { resume: 'must', sanityCheck: false, epochs: 3 }).done

test('what a run cannot be is refused, whatever its hash', async () => {
  const state = (change) => ({ run: (run) => ({ ...run, state: { ...run.state, ...change } }) })
  for (const [change, problem] of [
    [{ records: () => 7 }, /records are no list/],
    [{ records: () => [null] }, /records\[0\] is no object/],
    [{ records: ([record]) => [{ ...record, epoch: 0 }] }, /records\[0\]\.epoch: expected a positive integer/],
    [{ records: ([{ seconds, ...record }]) => [{ ...record, epochs: 1 }] }, /records\[0\] has no column "epochs"/],
    [{ records: ([{ epoch }]) => [{ epoch, loss: 'low' }] }, /records\[0\] has no column "loss"/],
    [{ records: ([{ epoch }]) => [{ epoch, toString: 1 }] }, /records\[0\] has no column "toString"/],
    [{ run: ({ callbacks, ...run }) => run }, /callbacks is no object/],
    [state({ epoch: -1 }), /epoch: expected a whole number from 0 up/],
    [state({ under: { place: { rows: 0, pieces: 0 }, totals: null } }), /row: expected a whole number from 0 up/],
    [state({ endedBy: 7 }), /endedBy/],
    [state({ further: 7 }), /further/],
    [state({ steps: null }), /the memory of the steps is damaged/],
    [
      { run: (run) => ({ ...run, callbacks: { ...run.callbacks, earlyStopping: 7 } }) },
      /the memory of earlyStopping is/,
    ],
  ]) {
    const [loads, error] = await outcomesOf(changed(original, change))
    assert.is(loads, null)
    assert.is(error?.code, 'GRADUS_BAD_FILE', error?.stack)
    assert.match(error.message, problem)
  }
  assert.equal(await outcomesOf(changed(original, {})), [null, null])
})

const count = isSoak ? 10_000 : 120
test(`of ${count} made up with a right hash each is refused with a code, or gone on with`, async () => {
  const sources = [original, readFileSync(within)]
  const seed = Number(process.env.GRADUS_SEED ?? 1)
  const outcomes = { refused: 0, 'gone on': 0 }
  const most = { seconds: 0, memory: 0 }
  const memory = () => process.resourceUsage().maxRSS / 1024
  for (let i = 0; i < count; i++) {
    progress(i, count, 'made up')
    const drawn = numbers(500, seed * 100_003 + i * 7919 + 1)
    let at = 0
    const bytes = mutated(sources[i % 2], () => (drawn[at++ % drawn.length] + 1) / 2)
    const [since, before] = [process.cpuUsage(), memory()]
    for (const error of await outcomesOf(bytes)) {
      outcomes[error ? 'refused' : 'gone on']++
      if (error) assert.ok(error instanceof GradusError && error.code !== 'GRADUS_INTERNAL', `${i}: ${error.stack}`)
    }
    most.seconds = Math.max(most.seconds, seconds(since))
    most.memory = Math.max(most.memory, memory() - before)
  }
  const { refused, 'gone on': gone } = outcomes
  console.log(
    `${refused} refused, ${gone} not; at most ${most.seconds.toFixed(2)} s of a processor, ${most.memory.toFixed(0)} MB`,
  )
  assert.ok(refused > count / 4 && gone > count / 20)
  assert.ok(most.seconds < 1 && most.memory < 64)
})

test('loadModel gives the weights as they were trained, not their average', async () => {
  const place = join(root, 'raw')
  const model = tinyModel()
  let trained
  const note = { onEpochEnd: async () => (trained = await digestOf(model)) }
  await fitTiny(model, place, { callbacks: [note, checkpoint({ every: 'epoch' })] })
  const [{ path }] = (await checkpoints(place)).slice(-1)
  const other = await loadModel(path)
  assert.is(await digestOf(other), trained)
  const { tensors } = parse(path)
  for (const [name, { data }] of Object.entries(other.getWeights())) {
    assert.equal([...data], tensors[name].values, name)
    assert.not.equal([...data], tensors[`average/${name}`].values, name)
  }
})

test.run()
