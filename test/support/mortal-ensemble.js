// node mortal-ensemble.js '{ dir, parallel, threads, killAt, pause }': members from several seeds, with all that decides how they go
// on. The process kills itself when `killAt.event` has happened `killAt.count` times, whichever member it happened to; one that
// lives to its end writes what the members have come to.
import { fileURLToPath } from 'node:url'
import {
  adam,
  batchNorm,
  checkpoint,
  cosine,
  dense,
  dropout,
  earlyStopping,
  ensemble,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'
import { resultOf } from './mortal-run.js'
import { numbers } from './reference.js'

const [rows, features] = [200, 6]
const examples = (seed) => {
  const x = Float32Array.from(numbers(rows * features, seed))
  const at = (row, feature) => x[row * features + feature]
  return {
    x,
    y: Int32Array.from({ length: rows }, (_, row) => Number(at(row, 0) * at(row, 1) > 0) + Number(at(row, 2) > 0.3)),
  }
}

export async function mortalEnsemble({ dir, parallel, threads, killAt = null, pause = 0 }) {
  const counts = {}
  const tell = async (event) => {
    counts[event] = (counts[event] ?? 0) + 1
    if (killAt?.event === event && killAt.count === counts[event]) process.kill(process.pid, 'SIGKILL')
    // Time for whoever kills this process from outside.
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause))
  }
  const make = async (seed) => {
    await tell('make')
    const layers = [dense(12), batchNorm(), relu(), dropout(0.2), dense(3)]
    return sequential({ input: [features], seed }, layers).compile({
      loss: softmaxCrossEntropy(),
      optimizer: adam({ learningRate: 0.05, weightDecay: 0.001 }),
      metrics: ['accuracy'],
    })
  }
  const teller = {
    onTrainBegin: () => tell('begin'),
    onStepsEnd: () => tell('steps'),
    onCheckpoint: () => tell('checkpoint'),
    onEpochEnd: () => tell('epoch'),
    onTrainEnd: () => tell('end'),
  }
  const fit = (seed) => ({
    ...{ epochs: 5 + seed, batchSize: 16, stepsPerCall: 3, validation, schedule: cosine({ length: 5 + seed }) },
    callbacks: [
      ...(dir ? [checkpoint({ every: { steps: 5 } })] : []),
      earlyStopping({ patience: 1, restoreBest: true }),
      { ...teller },
    ],
  })
  const validation = examples(2)
  const members = {}
  const together = await ensemble.fromSeeds(make, examples(1), {
    ...{ seeds: [3, 1, 4, 2], dir, parallel, threads, fit, quiet: true },
    onMember: ({ seed, history }) => {
      members[seed] = history
    },
  })
  const results = []
  for (const [i, seed] of [3, 1, 4, 2].entries()) {
    const { valLoss } = members[seed]
    const best = { epoch: valLoss.indexOf(Math.min(...valLoss)) + 1 }
    results.push({ seed, ...(await resultOf(together.members[i], members[seed], best)) })
  }
  return { results, ...(await together.evaluate(validation)) }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write('begins\n')
  process.stdout.write(`${JSON.stringify(await mortalEnsemble(JSON.parse(process.argv[2])))}\n`)
}
