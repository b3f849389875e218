// A study whose members go on from each other's weights, a small model each; and, run as a program with its folder and a file for
// what its trials tell, a worker of it that others find gone after a second.
import { createHash } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dense, meanSquaredError, sequential, sgd } from '../../dist/index.js'
import { defineStudy } from '../../dist/search/definition/define-study.js'
import { population } from '../../dist/search/samplers/population.js'
import { logUniform } from '../../dist/search/space/parameters.js'
import { runWorker } from '../../dist/search/worker/worker.js'

const data = { x: [[0], [1], [2], [3]], y: [[1], [3], [5], [7]] }
const hashOf = (path) => createHash('sha256').update(readFileSync(path)).digest('hex')
/** Checkpoints of a run, by their bytes. */
const hashesIn = (dir) => readdirSync(join(dir, 'checkpoints')).map((name) => hashOf(join(dir, 'checkpoints', name)))

/** `tell` is given { number, before, after }: the bytes that each trial began with, and those of its checkpoints at its end. */
export const populationStudy = ({ trials, tell, ...options }) =>
  defineStudy({
    ...{ metric: 'loss', direction: 'minimize', epochs: 1, trials, seed: 3 },
    space: { learningRate: logUniform(1e-4, 0.1) },
    sampler: population(options),
    trial: async ({ number, params, initial, dir, fit }) => {
      const before = initial && hashOf(initial)
      const model = sequential({ input: [1], seed: number }, [dense(1)])
      await fit(model.compile({ loss: meanSquaredError(), optimizer: sgd(params) }), data, { batchSize: 4 })
      tell({ number, before, after: hashesIn(dir) })
    },
  })

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [dir, file, trials, name] = process.argv.slice(2)
  const tell = (what) => appendFileSync(file, `${JSON.stringify(what)}\n`)
  const definition = populationStudy({ trials: Number(trials), tell, size: 4, exploit: 0.5 })
  const signal = new AbortController().signal
  await runWorker({ dir, definition, name, threads: 1, signal, lease: 1000, beatEvery: 100 })
}
