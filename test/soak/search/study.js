// The study of the soak of searches. What it does stands in GRADUS_SOAK_STUDY, as JSON: how a trial spends its time, how many
// there are, of which sampler.
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { adam, dense, sequential, softmaxCrossEntropy, tanh } from '../../../dist/index.js'
import { defineStudy, grid, integer, random, tpe, uniform } from '../../../dist/search/index.js'

const given = JSON.parse(process.env.GRADUS_SOAK_STUDY)
const { kind, side = 10, trials = side * side, pause = 0, epochs = 5, seed = 0, go, slowFrom = 1, log, ...more } = given

const rows = 64
const x = Float32Array.from({ length: rows * 4 }, (_, i) => Math.sin(1.7 * i))
const y = Int32Array.from({ length: rows }, (_, i) => (x[4 * i] + x[4 * i + 1] > 0 ? 1 : 0))
const build = ({ a, b }) =>
  sequential({ input: [4], seed: a }, [dense(4 + b), tanh(), dense(2)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.01 }),
  })

/** From that epoch on each takes its time. */
const slowly = ({ epoch }) => (epoch < slowFrom ? undefined : setTimeout(pause))

/** Blocks the thread, as a native call does that takes long. */
const block = (milliseconds) => {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

const training = {
  metric: 'loss',
  direction: 'minimize',
  epochs,
  sampler: grid(),
  space: { a: integer(1, side), b: integer(1, side) },
}
const kinds = {
  /** Trains with a checkpoint after each epoch, and takes its time for it. */
  training: {
    ...training,
    trial: ({ params, fit }) => fit(build(params), { x, y }, { batchSize: 16, callbacks: [{ onEpochEnd: slowly }] }),
  },
  /** Waits, and gives a value; also when it was told to end, as who does not listen. */
  waiting: {
    ...training,
    epochs: undefined,
    trial: async ({ params: { a, b } }) => {
      await setTimeout(pause)
      return a + b / 100
    },
  },
  blocking: {
    ...training,
    epochs: undefined,
    trial: ({ params: { a, b } }) => {
      block(pause)
      return a + b / 100
    },
  },
  /** Blocks its thread until the file is there. */
  spinning: {
    ...training,
    epochs: undefined,
    trial: ({ params: { a, b } }) => {
      const word = new Int32Array(new SharedArrayBuffer(4))
      while (!existsSync(go)) Atomics.wait(word, 0, 0, 5)
      return a + b / 100
    },
  },
  /** Takes a time of its own, which is another one each time. */
  reproducible: {
    metric: 'value',
    direction: 'minimize',
    sampler: tpe(),
    reproducible: true,
    space: { u: uniform(-1, 1), v: uniform(-1, 1) },
    trial: async ({ params: { u, v } }) => {
      await setTimeout(pause * Math.random())
      return u ** 2 + (v - 0.3) ** 2
    },
  },
  /** Runs until its signal fires, and writes down when it did, by the clock that all processes of a machine have. */
  until: {
    metric: 'value',
    direction: 'minimize',
    sampler: random(),
    space: { u: uniform(-1, 1) },
    trial: async ({ params, signal, dir, report }) => {
      // Also while it reports.
      signal.addEventListener('abort', () => writeFileSync(`${dir}/heard`, `${process.hrtime.bigint()}`))
      await report(params.u)
      await setTimeout(2 ** 30, undefined, { signal })
    },
  },
}

/** Writes down each call, so that they can be counted. */
const logged = (trial) => (context) => {
  appendFileSync(log, `${context.number}\n`)
  return trial(context)
}

const study = kinds[kind]
const counted = log === undefined ? study : { ...study, trial: logged(study.trial) }
// Stages have numbers of trials and epochs of their own.
const amount = more.stages ? { epochs: undefined } : { trials }
export default defineStudy({ ...counted, ...amount, seed, retries: 1000, ...more })
