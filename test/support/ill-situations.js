// Runs that are ill, on data as they are: what must be found.
import { dense, relu } from 'gradus'
import {
  clusters,
  column,
  epochs,
  features,
  mse,
  net,
  parts,
  regression,
  shuffled,
  sorted,
  yesNo,
} from './situation-data.js'

/** `fails`: the checks that must; `finds`: of these rules one must be told first. */
export const ill = {
  'sorted by class, the last fifth for validation': {
    fails: ['classes'],
    finds: ['badSplit'],
    make: (seed) => ({
      model: net(seed, 5),
      data: sorted(clusters(2000, seed, 5)),
      ...epochs(6, { validationSplit: 0.2 }),
    }),
  },
  'a series whose last fifth is another time': {
    fails: [],
    finds: ['badSplit'],
    make: (seed) => {
      const { x, y } = regression(2000, seed)
      return {
        model: net(seed, 1, mse),
        data: { x, y: y.map((v, i) => 0.5 * v + (i < 1600 ? 0 : 4)) },
        ...epochs(15, { validationSplit: 0.2 }),
      }
    },
  },
  'the same rows on both sides': {
    fails: ['validationOverlap'],
    finds: null,
    make: (seed) => {
      const { x, y } = clusters(1000, seed, 4)
      x.copyWithin(800 * features, 0, 200 * features)
      y.copyWithin(800, 0, 200)
      return { model: net(seed, 4), data: { x, y }, ...epochs(3, { validationSplit: 0.2 }) }
    },
  },
  'a third of few distinct rows copied into validation': {
    fails: ['validationOverlap'],
    finds: null,
    make: (seed) => {
      const data = clusters(900, 2 * seed + 1, 4)
      const validation = clusters(300, 2 * seed + 2, 4)
      // Fifty rows occur twice by themselves.
      data.x.copyWithin(0, 850 * features)
      data.y.copyWithin(0, 850)
      validation.x.set(data.x.subarray(200 * features, 300 * features))
      validation.y.set(data.y.subarray(200, 300))
      return { model: net(seed, 4), data, validation, ...epochs(3) }
    },
  },
  'labels of a class of 5 % shuffled': {
    fails: ['shuffledLabels'],
    finds: ['classCollapse', 'underfitting', 'overfitting'],
    make: (seed) => {
      const mixed = (s) => {
        const { x, y } = yesNo(3000, s, 0.05)
        return { x, y: shuffled(y, s + 500) }
      }
      return { model: net(seed, 2), ...parts(mixed, seed), ...epochs(10) }
    },
  },
  'labels of a hundred classes shuffled': {
    fails: ['shuffledLabels'],
    finds: ['underfitting', 'overfitting'],
    make: (seed) => {
      const mixed = (s) => {
        const { x, y } = clusters(3000, s, 100)
        return { x, y: shuffled(y, s + 500) }
      }
      return { model: net(seed, 100), ...parts(mixed, seed), ...epochs(10) }
    },
  },
  'targets of a regression shuffled': {
    fails: ['shuffledLabels'],
    finds: ['underfitting', 'overfitting'],
    make: (seed) => {
      const mixed = (s) => {
        const { x, y } = regression(2000, s)
        return { x, y: shuffled(y, s + 500) }
      }
      return { model: net(seed, 1, mse), ...parts(mixed, seed), ...epochs(10) }
    },
  },
  'targets in dollars': {
    fails: ['targetScale'],
    finds: ['unscaledTargets'],
    make: (seed) => ({
      model: net(seed, 1, { ...mse, rate: 0.01 }),
      ...parts((s) => regression(2000, s, { change: (v) => 2e5 + 5e4 * v }), seed),
      ...epochs(15),
    }),
  },
  'targets far from 0': {
    fails: ['targetScale'],
    finds: null,
    make: (seed) => ({
      model: net(seed, 1, mse),
      ...parts((s) => regression(1000, s, { change: (v) => 20 + 0.05 * v }), seed),
      ...epochs(5),
    }),
  },
  'a last relu where targets are negative': {
    fails: ['overfit'],
    finds: ['underfitting', 'deadRelus'],
    make: (seed) => ({
      model: net(seed, 1, { ...mse, layers: () => [dense(32), relu(), dense(1), relu()] }),
      ...parts((s) => regression(2000, s, { change: (v) => v - 8 }), seed),
      ...epochs(10),
    }),
  },
  'one column in thousands': {
    fails: ['dataScale'],
    finds: null,
    make: (seed) => ({
      model: net(seed, 2),
      ...parts((s) => column(yesNo(1500, s), 5, (v) => 3000 * v), seed),
      ...epochs(5),
    }),
  },
  'one column in hundred-thousandths': {
    fails: ['dataScale'],
    finds: null,
    make: (seed) => ({
      model: net(seed, 2),
      ...parts((s) => column(yesNo(1500, s), 0, (v) => 1e-5 * v), seed),
      ...epochs(5),
    }),
  },
  'a large network on few rows': {
    fails: [],
    finds: ['overfitting'],
    make: (seed) => ({
      model: net(seed, 2, { hidden: 128, rate: 0.01 }),
      data: yesNo(100, 2 * seed + 1),
      validation: yesNo(500, 2 * seed + 2),
      ...epochs(80),
    }),
  },
  'the same, with class weights': {
    fails: [],
    finds: ['overfitting'],
    make: (seed) => ({
      model: net(seed, 2, { hidden: 128, rate: 0.01 }),
      data: yesNo(100, 2 * seed + 1),
      validation: yesNo(500, 2 * seed + 2),
      ...epochs(80, { classWeights: [1, 3] }),
    }),
  },
  'a class of 1 %, about which the inputs tell nothing': {
    fails: ['shuffledLabels'],
    finds: ['classCollapse', 'underfitting', 'overfitting'],
    make: (seed) => {
      const mixed = (s) => {
        const { x, y } = yesNo(6000, s, 0.01)
        return { x, y: shuffled(y, s + 500) }
      }
      return { model: net(seed, 2), ...parts(mixed, seed), ...epochs(6) }
    },
  },
  'a class of 5 % at a rate that is too low': {
    fails: ['overfit'],
    finds: ['learningRateTooLow', 'classCollapse'],
    make: (seed) => ({
      model: net(seed, 2, { rate: 1e-6 }),
      ...parts((s) => yesNo(3000, s, 0.05), seed),
      ...epochs(6),
    }),
  },
  'validation that lacks classes': {
    fails: [],
    finds: ['validationEasier'],
    make: (seed) => {
      const apart = ({ x, y }) => ({ x: x.map((v, i) => (y[Math.floor(i / features)] === 0 ? v + 2 : v)), y })
      return {
        model: net(seed, 10, { rate: 1e-3 }),
        data: apart(clusters(2000, 2 * seed + 1, 10)),
        validation: apart(clusters(500, 2 * seed + 2, 10, () => 0)),
        ...epochs(6),
      }
    },
  },
  'a rate that is a thousand times too high, from a stream': {
    fails: null,
    finds: ['learningRateMuchTooHigh', 'learningRateTooHigh'],
    make: (seed) => {
      const pieces = Array.from({ length: 20 }, (_, i) => clusters(64, 100 * seed + i, 4))
      return {
        model: net(seed, 4, { rate: 3 }),
        data: async function* () {
          yield* pieces
        },
        validation: clusters(500, 100 * seed + 50, 4),
        ...epochs(10, { batchSize: undefined }),
      }
    },
  },
}
