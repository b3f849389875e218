// node mortal-run.js '{ dir, resume, stream, threads, every, killAt }': a run with all that decides how it goes on. It kills
// itself when `killAt.event` has happened `killAt.count` times; one that lives to its end writes what it has come to.
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import {
  adam,
  averagedWeights,
  batchNorm,
  checkpoint,
  dense,
  dropout,
  earlyStopping,
  monitor,
  reduceOnPlateau,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'
import { numbers } from './reference.js'

const [rows, features, pieceRows] = [300, 12, 37]
const seed = 9
const examples = (count, from) => {
  const x = Float32Array.from(numbers(count * features, from))
  const at = (row, feature) => x[row * features + feature]
  const label = (row) => Number(at(row, 0) + at(row, 1) * at(row, 2) > 0) + Number(at(row, 3) > 0.3)
  return { x, y: Int32Array.from({ length: count }, (_, row) => label(row)) }
}
const train = examples(rows, 1)
// The sums of its batch overflow: an update is refused in each epoch.
train.x.fill(3e38, 123 * features, 124 * features)
const held = examples(120, 2)

const pieceOf = ({ x, y }, first, size, change = (value) => value) => ({
  x: x.slice(first * features, (first + size) * features).map((value, i) => change(value, first * features + i)),
  y: y.slice(first, first + size),
})

/** Augmented by seed, epoch and row: the same whenever it is asked for. */
const augmented = (tell) =>
  async function* ({ epoch, skip }) {
    for (let first = skip * pieceRows; first < rows; first += pieceRows) {
      await tell('piece')
      const noise = (value, at) => (value > 1 ? value : value + 0.05 * Math.sin(seed + 1000 * epoch + at))
      yield pieceOf(train, first, Math.min(pieceRows, rows - first), noise)
    }
  }

const heldPieces = (tell) =>
  async function* () {
    for (let first = 0; first < held.y.length; first += 40) {
      await tell('validation')
      yield pieceOf(held, first, 40)
    }
  }

/** Tells of the first and the last callback of all. */
const teller = (tell, name) => ({
  onTrainBegin: () => tell(`${name} begin`),
  onStepsEnd: () => tell(`${name} steps`),
  onCheckpoint: () => tell(`${name} checkpoint`),
  onEpochEnd: () => tell(`${name} epoch`),
})

export async function mortalRun({ dir, resume, stream = false, threads = 1, every, keep, killAt = null, pause = 0 }) {
  const counts = {}
  const tell = async (event) => {
    counts[event] = (counts[event] ?? 0) + 1
    if (killAt?.event === event && killAt.count === counts[event]) process.kill(process.pid, 'SIGKILL')
    // Time for whoever kills this process from outside.
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause))
  }
  const layers = [dense(24), batchNorm(), relu(), dropout(0.2), dense(3)]
  const model = sequential({ input: [features], seed: 4 }, layers).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.02, average: averagedWeights({ decay: 0.99 }), weightDecay: 0.001 }),
    metrics: ['accuracy'],
  })
  const checkpoints = resume ? [checkpoint({ every, keep, monitor: 'valAccuracy' })] : []
  const run = model.fit(stream ? augmented(tell) : train, {
    ...{ dir, resume, threads, epochs: 40, batchSize: 10, accumulate: 2, stepsPerCall: 3, clipNorm: 5 },
    ...{ validation: heldPieces(tell), quiet: true, sanityCheck: false },
    schedule: reduceOnPlateau({ patience: 2 }),
    callbacks: [
      teller(tell, 'first'),
      ...checkpoints,
      monitor({ histograms: 4 }),
      earlyStopping({ patience: 5, restoreBest: true }),
      teller(tell, 'last'),
    ],
  })
  return await resultOf(model, await run, run.best)
}

const exactly = (_, value) =>
  typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)) ? `number ${value + 0}` : value

/** What two runs that are the same have in common, whatever model and history are. */
export async function resultOf(model, { seconds: _, samplesPerSecond: __, ...history }, best) {
  const sha = (bytes) => createHash('sha256').update(bytes).digest('hex')
  return {
    model: sha(await model.toBuffer({ optimizer: true })),
    history: sha(JSON.stringify(history, exactly)),
    epochs: history.epochs,
    best: best.epoch,
    stoppedBy: history.stoppedBy,
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write('begins\n')
  process.stdout.write(`${JSON.stringify(await mortalRun(JSON.parse(process.argv[2])))}\n`)
}
