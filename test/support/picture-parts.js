// What the pictures of runs are drawn from: layers, their weights and counts of classes.

export const weights = (ratio) => ({
  'dense1.weight': { shape: [20, 30], ratio },
  'dense1.bias': { shape: [30], ratio: 0.5 },
  'dense2.weight': { shape: [30, 10], ratio },
})
export const stack = (op, count, of) =>
  Object.fromEntries([
    ...Array.from({ length: count }, (_, i) => [`${op}${i + 1}`, { op, ...of(i) }]),
    ['scores', { op: 'dense' }],
  ])
export const counts = (favourite, share, total = 500) =>
  Array.from({ length: 10 }, (_, i) => (i === favourite ? Math.round(share * total) : ((1 - share) * total) / 9))
export const even = counts(0, 0.1)
/** What learns nothing but runs at a healthy ratio. */
export const stuck = 2.3
