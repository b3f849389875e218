// What a step of training takes for images that are bytes, moved and mirrored on their way into batches, by a clock around each
// call of the device; and one step of the first network of bench/convnet in tfjs, on each of its backends.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import nets from '../convnet/nets.json' with { type: 'json' }
import { answering } from '../lib/answering.js'
import { median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const rounded = (value) => Number(value.toPrecision(3))
const phases = path('../../build/Release/gradus_bench_phases')
const [batch, threads] = [128, 2]

/** A step in microseconds: all of it, what images and draws take of it. */
async function stepOf({ input, layers }, time, isAugmented) {
  const text = `${input.join('x')}: ${layers}`
  const words = [text, batch, 'nesterov', threads, time, ...(isAugmented ? ['augmented'] : [])]
  const { step, engine, kinds } = JSON.parse(await runProcess(phases, words.map(String)))
  const kind = kinds.find(({ name }) => name === (isAugmented ? 'convert_images' : 'gather_examples'))
  return { step, engine, images: kind.kernels + kind.waiting }
}

async function augmentation({ rounds, time }) {
  const rows = []
  for (const net of nets.filter(({ input }) => input[2] === 3)) {
    const turns = []
    for (let round = 0; round < rounds; round++) {
      const plain = await stepOf(net, time, false)
      const changed = await stepOf(net, time, true)
      // Draws are the engine's; what it does for every step is in both.
      turns.push({ plain, changed, draws: changed.engine - plain.engine })
    }
    const of = (which) => median(turns.map(which))
    const share = of(({ changed, draws }) => (changed.images + Math.max(0, draws)) / changed.step)
    rows.push([
      ...[net.name, rounded(of(({ changed }) => changed.step) / 1000)],
      ...[of(({ plain }) => plain.images), of(({ changed }) => changed.images), of(({ draws }) => draws)].map(
        Math.round,
      ),
      rounded(100 * share),
    ])
  }
  return {
    title: 'Crop, flip and bytes to numbers',
    columns: [
      'net',
      'step, ms',
      'numbers as they are, µs',
      'from bytes, moved, mirrored, µs',
      'draws, µs',
      '% of the step',
    ],
    rows,
    notes: [
      `Training, Nesterov, batches of ${batch}, ${threads} threads, randomCrop({ padding: 4 }) and alternatingFlip(). Rounds: ${rounds}; draws are the difference of two measurements.`,
    ],
  }
}

/** Seconds of our step, without statistics of tensors as tfjs has none. */
async function gradusStep(time) {
  const ours = answering(process.execPath, ['--no-warnings', path('../convnet/ours.js'), 0, threads, path('../..')])
  await ours.greeting
  const { withoutStatistics } = JSON.parse(await ours.ask(time))
  ours.end()
  return withoutStatistics / 1e6
}

async function besideTfjs(time) {
  const seconds = await gradusStep(time)
  const rows = [[`Gradus, ${threads} threads`, Number(seconds.toPrecision(3)), 1]]
  const notes = []
  for (const backend of ['cpu', 'wasm']) {
    const told = JSON.parse(await runProcess(process.execPath, ['--no-warnings', path('tfjs.js'), backend]))
    if (told.refused) notes.push(`${told.version}, ${backend}: “${told.refused.trim().split('\n')[0]}”`)
    else rows.push([`${told.version}, ${backend}`, rounded(told.seconds), rounded(told.seconds / seconds)])
  }
  return {
    title: `One step of ${nets[0].name}, batch ${batch}`,
    columns: ['who', 'seconds', 'times as long'],
    rows,
    notes: [...notes, 'One step of tfjs, the first.'],
  }
}

export async function run({ quick = false, rounds = quick ? 1 : 3 } = {}) {
  if (!existsSync(phases)) throw new Error('gradus_bench_phases is not built: run `npm run build:bench` first')
  const time = quick ? 300 : 1000
  const hasTfjs = !quick && existsSync(path('../node_modules/@tensorflow/tfjs'))
  const tables = [await augmentation({ rounds, time }), ...(hasTfjs ? [await besideTfjs(time)] : [])]
  return { title: 'Images in training', tables }
}
