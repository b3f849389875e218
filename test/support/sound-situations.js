// Runs that go as they should, on data as they are: no check may fail and no finding may be severe.
import { batchNorm, dense, dropout, huber, relu } from 'gradus'
import {
  asNumbers,
  bce,
  clusters,
  epochs,
  features,
  mse,
  net,
  oneHot,
  parts,
  regression,
  sorted,
  table,
  yesNo,
} from './situation-data.js'

export const sound = {
  'two classes': (seed) => ({ model: net(seed, 2), ...parts((s) => yesNo(1500, s), seed), ...epochs(10) }),
  'a class of 5 %': (seed) => ({ model: net(seed, 2), ...parts((s) => yesNo(3000, s, 0.05), seed), ...epochs(8) }),
  'a class of 1 %': (seed) => ({ model: net(seed, 2), ...parts((s) => yesNo(5000, s, 0.01), seed), ...epochs(6) }),
  'a class of 0.1 %': (seed) => ({ model: net(seed, 2), ...parts((s) => yesNo(10000, s, 0.001), seed), ...epochs(5) }),
  'a rare answer': (seed) => ({
    model: net(seed, 1, bce),
    ...parts((s) => asNumbers(yesNo(5000, s, 0.01)), seed),
    ...epochs(6),
  }),
  'three answers, each rarely yes': (seed) => ({
    model: net(seed, 3, bce),
    ...parts((s) => {
      const { x, scores } = table(4000, s)
      return { x, y: Float32Array.from([...scores].flatMap((v) => [v > 3.6, v > 3.9, v < -3.6].map(Number))) }
    }, seed),
    ...epochs(6),
  }),
  'ten classes': (seed) => ({ model: net(seed, 10), ...parts((s) => clusters(2000, s, 10), seed), ...epochs(8) }),
  'a hundred classes': (seed) => ({
    model: net(seed, 100, { hidden: 64 }),
    ...parts((s) => clusters(3000, s, 100), seed),
    ...epochs(8),
  }),
  'a thousand classes': (seed) => ({
    model: net(seed, 1000, { hidden: 64 }),
    data: clusters(8000, 2 * seed + 1, 1000),
    validation: clusters(1000, 2 * seed + 2, 1000),
    ...epochs(4),
  }),
  'ten classes, one-hot': (seed) => ({
    model: net(seed, 10),
    ...parts((s) => oneHot(clusters(2000, s, 10), 10), seed),
    ...epochs(6),
  }),
  'ten classes of very unequal size': (seed) => ({
    model: net(seed, 10),
    ...parts((s) => clusters(3000, s, 10, (i) => Math.min(9, Math.floor(Math.log2(1 + (i % 1000))))), seed),
    ...epochs(8),
  }),
  regression: (seed) => ({ model: net(seed, 1, mse), ...parts((s) => regression(2000, s), seed), ...epochs(15) }),
  'regression with much noise': (seed) => ({
    model: net(seed, 1, mse),
    ...parts((s) => regression(3000, s, { noise: 2 }), seed),
    ...epochs(8),
  }),
  'regression with Huber’s loss': (seed) => ({
    model: net(seed, 1, { loss: huber() }),
    ...parts((s) => regression(2000, s), seed),
    ...epochs(10),
  }),
  'regression of two numbers': (seed) => ({
    model: net(seed, 2, mse),
    ...parts((s) => {
      const { x, scores } = table(2000, s)
      return { x, y: Float32Array.from([...scores].flatMap((v, i) => [v, x[i * features] ** 2])) }
    }, seed),
    ...epochs(15),
  }),
  'class weights': (seed) => ({
    model: net(seed, 2),
    ...parts((s) => yesNo(3000, s, 0.03), seed),
    ...epochs(8, { classWeights: [1, 30] }),
  }),
  'class weights, ten classes': (seed) => ({
    model: net(seed, 10),
    ...parts((s) => clusters(2000, s, 10), seed),
    ...epochs(8, { classWeights: { 0: 5, 3: 0.2 } }),
  }),
  'weights of the examples': (seed) => {
    const { data, validation } = parts((s) => yesNo(2000, s, 0.1), seed)
    return {
      model: net(seed, 2),
      data: { ...data, sampleWeights: Float32Array.from(data.y, (label) => (label ? 9 : 1)) },
      validation,
      ...epochs(8),
    }
  },
  'sorted data, which fit() shuffles': (seed) => ({
    model: net(seed, 4),
    data: sorted(clusters(1500, 2 * seed + 1, 4)),
    validation: clusters(500, 2 * seed + 2, 4),
    ...epochs(6),
  }),
  'few distinct rows': (seed) => ({
    model: net(seed, 2),
    ...parts((s) => {
      const { x } = table(800, s)
      const bits = x.map((v, i) => (i % features < 3 ? Math.sign(v) : 1))
      const y = Int32Array.from({ length: 800 }, (_, i) => (bits[i * features] * bits[i * features + 1] > 0 ? 1 : 0))
      return { x: bits, y }
    }, seed),
    ...epochs(8),
  }),
  'thirty rows': (seed) => ({
    model: net(seed, 2),
    data: yesNo(30, 2 * seed + 1),
    validation: yesNo(6, 2 * seed + 2),
    ...epochs(10, { batchSize: 8 }),
  }),
  'many rows': (seed) => ({
    model: net(seed, 4),
    data: clusters(50000, 2 * seed + 1, 4),
    validation: clusters(2000, 2 * seed + 2, 4),
    ...epochs(1, { batchSize: 128 }),
  }),
  'a stream': (seed) => {
    const pieces = Array.from({ length: 20 }, (_, i) => clusters(64, 100 * seed + i, 4))
    return {
      model: net(seed, 4),
      data: async function* () {
        yield* pieces
      },
      validation: clusters(500, 100 * seed + 50, 4),
      ...epochs(10, { batchSize: undefined }),
      isStream: true,
    }
  },
  'a bias before batch norm, and a last batch of one': (seed) => ({
    model: net(seed, 4, { layers: () => [dense(32), batchNorm(), relu(), dense(4)] }),
    data: clusters(1025, 2 * seed + 1, 4),
    validation: clusters(500, 2 * seed + 2, 4),
    ...epochs(6),
  }),
  dropout: (seed) => ({
    model: net(seed, 2, { layers: () => [dense(64), relu(), dropout(0.5), dense(2)] }),
    ...parts((s) => yesNo(1500, s), seed),
    ...epochs(8),
  }),
}
