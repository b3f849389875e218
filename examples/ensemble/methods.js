// The ways to an ensemble, or to what one gives: each makes something that predicts, from the same small network.
import { join } from 'node:path'
import * as g from 'gradus'
import { epochs, fit, network, searched, trained } from './network.js'

const fromSeeds = (seed, train, width) => {
  const options = { seeds: [1, 2, 3, 4, 5].map((i) => 100 * seed + i), fit, quiet: true }
  return g.ensemble.fromSeeds((one) => network(one, { width }), train, options)
}

const patient = {
  optimizer: { learningRate: 4e-3, average: g.averagedWeights({ decay: 0.999 }) },
  fit: { ...fit, epochs: 3 * epochs, schedule: g.cosine({ length: 3 * epochs }), quiet: true },
}

/** By name: of { seed, train, validation, dir, done }, where `done` holds what the methods before have made. */
export const methods = {
  single: ({ seed, train, dir }) => {
    const callbacks = [g.checkpoint({ every: { epochs: 1 }, keep: 'all' })]
    return trained(network(seed), train, { dir: join(dir, 'single'), callbacks })
  },
  'seeds × 5': ({ seed, train }) => fromSeeds(seed, train),
  'narrower × 5': ({ seed, train }) => fromSeeds(seed, train, 26), // a fifth of the weights each
  'top 10 of 12': async (given) => g.ensemble.fromFiles(await searched(given), { top: 10 }),
  'snapshots × 4': async ({ seed, train, dir }) => {
    const [at, length] = [join(dir, 'cycles'), epochs / 4]
    const callbacks = [g.checkpoint({ every: { epochs: length }, keep: 'all' })]
    const schedule = g.cosine({ length, cycles: 4 })
    await trained(network(seed, { learningRate: 2e-3 }), train, { dir: at, callbacks, schedule })
    return g.ensemble.fromCheckpoints(at, { every: length })
  },
  average: async ({ seed, train }) =>
    (await trained(network(seed, { average: g.averagedWeights({ decay: 0.999 }) }), train)).averaged(),
  SWA: async ({ seed, train }) =>
    (await trained(network(seed, { average: g.equalAverage({ from: epochs / 2 }) }), train)).averaged(),
  'greedy soup': async ({ validation, dir, done }) => {
    const late = await g.ensemble.fromCheckpoints(join(dir, 'single'), { last: epochs / 2 })
    // Refused while training has not settled: then the last epoch alone is best.
    return g.soup(late.members, validation).catch((error) => {
      if (error.code !== 'GRADUS_WORSE_SOUP') throw error
      return done.single
    })
  },
  // A patient one (Beyer et al. 2022): three times the epochs, a cosine from a large rate, and its average.
  student: async ({ seed, train, done }) => {
    const student = network(100 * seed + 50, patient.optimizer)
    await g.distill(done['seeds × 5'], student, train, { temperature: 4, fit: patient.fit })
    return student.averaged()
  },
  // What of that comes of patience alone.
  'patient, no teacher': async ({ seed, train }) =>
    (await trained(network(100 * seed + 50, patient.optimizer), train, patient.fit)).averaged(),
}
