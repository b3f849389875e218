// Checkpoints that are damaged or malformed: refused with a code, or what they say is what was written. `npm run soak:faults`
// tries every bit and every length, and ten thousand that somebody has made up, with a right hash.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkpoint, checkpoints, GradusError, loadModel } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mutated } from './support/mutations.js'
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

const count = isSoak ? 10_000 : 120
test(`of ${count} made up with a right hash each is refused with a code, or gone on with`, async () => {
  const sources = [original, readFileSync(within)]
  const begin = process.resourceUsage().maxRSS
  const seed = Number(process.env.GRADUS_SEED ?? 1)
  const outcomes = { refused: 0, 'gone on': 0 }
  let longest = 0
  for (let i = 0; i < count; i++) {
    progress(i, count, 'made up')
    const drawn = numbers(500, seed * 100_003 + i * 7919 + 1)
    let at = 0
    const bytes = mutated(sources[i % 2], () => (drawn[at++ % drawn.length] + 1) / 2)
    const own = join(root, 'made up')
    mkdirSync(join(own, 'checkpoints'), { recursive: true })
    const path = join(own, 'checkpoints', 'a.safetensors')
    writeFileSync(path, bytes)
    const since = process.cpuUsage()
    for (const work of [() => loadModel(path), () => goOn(own)]) {
      const error = await work().then(
        () => null,
        (error) => error,
      )
      outcomes[error ? 'refused' : 'gone on']++
      if (error) assert.ok(error instanceof GradusError && error.code !== 'GRADUS_INTERNAL', `${i}: ${error.stack}`)
    }
    longest = Math.max(longest, seconds(since))
    rmSync(own, { recursive: true })
  }
  const grown = (process.resourceUsage().maxRSS - begin) / 1024
  console.log(
    `${JSON.stringify(outcomes)}, at most ${longest.toFixed(2)} s of processor time, ${grown.toFixed(0)} MB more`,
  )
  assert.ok(outcomes.refused > count / 4 && outcomes['gone on'] > count / 20)
  assert.ok(longest < 1, `${longest} s`)
  if (isSoak) assert.ok(grown < 64, `${grown} MB`)
})

const goOn = (own) => fitTiny(tinyModel({ units: 1 }), own, { resume: 'must', sanityCheck: false, epochs: 3 }).done

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
