// Which members are picked and how much each counts, on columns of numbers, against plain implementations.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { permutation } from '../dist/data/random.js'
import { baggedCounts, greedyPicks, mostPicked } from '../dist/ensemble/greedy.js'
import { likeliestWeights, nearestWeights } from '../dist/ensemble/mixture.js'
import { numbers } from './support/reference.js'

const test = suite('ensemble weights')

/** Of each member its probabilities of what came. */
function randomLibrary(seed, members = 12, rows = 40) {
  const all = numbers(members * rows, seed)
  return Array.from({ length: members }, (_, m) =>
    Float64Array.from({ length: rows }, (_, i) => 0.51 + 0.49 * all[m * rows + i]),
  )
}
const logOfMean = (sum, count) => sum.reduce((total, value) => total + Math.log(value / count), 0) / sum.length
const library = (contributions) => ({ contributions, worth: logOfMean })

/** Caruana's selection in words of its own: picks as a list, each time all sums anew. */
function plainPicks(columns, from, picks, start) {
  const meanLog = (list) => {
    let total = 0
    for (let i = 0; i < columns[0].length; i++) {
      let sum = 0
      for (const member of list) sum += columns[member][i]
      total += Math.log(sum / list.length)
    }
    return total / columns[0].length
  }
  const ranked = [...from].sort((a, b) => meanLog([b]) - meanLog([a]))
  let current = [ranked[0]]
  for (let k = 2; k <= start; k++) if (meanLog(ranked.slice(0, k)) > meanLog(current)) current = ranked.slice(0, k)
  let best = current
  while (current.length < picks) {
    const next = from.map((member) => [...current, member])
    current = next.reduce((a, b) => (meanLog(b) > meanLog(a) ? b : a))
    if (meanLog(current) > meanLog(best)) best = current
  }
  return best
}

test('on 20 random libraries the same members are picked as by a plain implementation, in the same order', async () => {
  let again = 0
  for (let seed = 1; seed <= 20; seed++) {
    const columns = randomLibrary(seed)
    const from = columns.map((_, m) => m)
    const found = await greedyPicks(library(columns), from, { picks: 15, start: 4 })
    assert.equal(found, plainPicks(columns, from, 15, 4), `library ${seed}`)
    if (new Set(found).size < found.length) again++
  }
  assert.ok(again > 10, 'members are picked more than once')
})

test('the counts of bags are those of the members that each draws', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const columns = randomLibrary(seed)
    const options = { bags: 7, fraction: 0.5, seed: 100 * seed, picks: 8, start: 3 }
    const counts = new Array(12).fill(0)
    for (let bag = 0; bag < 7; bag++) {
      const from = [...permutation(12, 100 * seed + bag)].slice(0, 6).sort((a, b) => a - b)
      for (const member of plainPicks(columns, from, 8, 3)) counts[member]++
    }
    assert.equal(await baggedCounts(library(columns), options), counts)
    const most = mostPicked(counts, 4)
    assert.is(most.length, 4)
    const rest = counts.filter((_, m) => !most.some(({ index }) => index === m))
    assert.ok(Math.min(...most.map(({ count }) => count)) >= Math.max(...rest))
  }
})

test('of equal members the first is picked, and one of which nothing is known last', async () => {
  const [a, b] = randomLibrary(3, 2)
  const nothing = new Float64Array(a.length).fill(Number.NaN)
  assert.equal(new Set(await greedyPicks(library([nothing, a, a]), [0, 1, 2], { picks: 3, start: 2 })), new Set([1]))
  assert.equal(await greedyPicks(library([nothing]), [0], { picks: 2, start: 1 }), [0])
  const worst = await greedyPicks(library([nothing, b]), [0, 1], { picks: 3, start: 2 })
  assert.ok(!worst.includes(0))
})

const likelihood = (weights, columns, counts) => {
  let total = 0
  for (let i = 0; i < counts.length; i++) {
    total += counts[i] * Math.log(columns.reduce((sum, column, m) => sum + weights[m] * column[i], 0))
  }
  return total / counts.reduce((a, b) => a + b)
}
const observed = (columns, counts) => ({ logs: columns.map((column) => column.map(Math.log)), counts })

/** The point of the simplex that is nearest (Duchi et al. 2008). */
function onSimplex(values) {
  const sorted = [...values].sort((a, b) => b - a)
  let [sum, shift] = [0, 0]
  for (const [k, value] of sorted.entries()) {
    sum += value
    if (value - (sum - 1) / (k + 1) > 0) shift = (sum - 1) / (k + 1)
  }
  return values.map((value) => Math.max(0, value - shift))
}

/** The greatest of a function over weights, by its slopes and steps that shrink until they rise. */
function climb(value, slopes, members) {
  let weights = new Array(members).fill(1 / members)
  let step = 1
  for (let i = 0; i < 20_000 && step > 1e-14; i++) {
    const slope = slopes(weights)
    const next = onSimplex(weights.map((weight, m) => weight + step * slope[m]))
    if (value(next) > value(weights)) {
      weights = next
      step *= 1.5
    } else step /= 2
  }
  return weights
}

test('of two members the likeliest weights are those of a fine grid', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const columns = randomLibrary(seed, 2, 60)
    const counts = Float64Array.from(numbers(60, seed + 50), (value) => 1 + value / 2)
    const weights = likeliestWeights(observed(columns, counts), { tolerance: 1e-12, iterations: 100_000 })
    const grid = Array.from({ length: 2001 }, (_, i) => i / 2000)
    const best = grid.reduce((a, b) =>
      likelihood([b, 1 - b], columns, counts) > likelihood([a, 1 - a], columns, counts) ? b : a,
    )
    assert.ok(Math.abs(weights[0] - best) <= 1 / 2000, `${weights[0]} and ${best}`)
  }
})

test('of eight members they are no less likely than what projected slopes find, and each step makes them likelier', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const columns = randomLibrary(seed, 8, 60)
    const counts = Float64Array.from(numbers(60, seed + 50), (value) => 1 + value / 2)
    const total = counts.reduce((a, b) => a + b)
    const slopes = (weights) => {
      const mixed = counts.map((_, i) => columns.reduce((sum, column, m) => sum + weights[m] * column[i], 0))
      return columns.map((column) => column.reduce((sum, value, i) => sum + (counts[i] * value) / mixed[i], 0) / total)
    }
    const oracle = climb((weights) => likelihood(weights, columns, counts), slopes, 8)
    const weights = likeliestWeights(observed(columns, counts), { tolerance: 1e-10, iterations: 1_000_000 })
    const gain = likelihood(oracle, columns, counts) - likelihood(weights, columns, counts)
    assert.ok(Math.abs(gain) < 1e-9, `${gain}`)
    assert.ok(Math.abs(weights.reduce((a, b) => a + b) - 1) < 1e-12)
    let before = Number.NEGATIVE_INFINITY
    for (let iterations = 0; iterations < 60; iterations++) {
      const now = likelihood(likeliestWeights(observed(columns, counts), { tolerance: 0, iterations }), columns, counts)
      assert.ok(now >= before - 1e-15, `step ${iterations}: ${before} → ${now}`)
      before = now
    }
  }
})

test('probabilities below what a number can hold count as they are', () => {
  const logs = [Float64Array.of(-2000, -1000), Float64Array.of(-2001, -3000)]
  const weights = likeliestWeights({ logs, counts: Float64Array.of(1, 1) }, { tolerance: 1e-12, iterations: 100_000 })
  // log(w + (1 − w)/e) + log w is greatest at w = 1.
  assert.ok(weights[0] > 1 - 1e-6, String(weights))
})

test('the weights nearest to targets are those of projected slopes, and of a member that is all right all', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const errors = Array.from({ length: 6 }, (_, m) =>
      Float64Array.from(numbers(50, 10 * seed + m), (value) => value + 0.3 * m - 0.5),
    )
    const counts = Float64Array.from(numbers(50, seed + 50), (value) => 1 + value / 2)
    const total = counts.reduce((a, b) => a + b)
    const mixedBy = (weights) =>
      counts.map((_, i) => errors.reduce((sum, column, m) => sum + weights[m] * column[i], 0))
    const value = (weights) => -mixedBy(weights).reduce((sum, error, i) => sum + counts[i] * error ** 2, 0) / total
    const slopes = (weights) => {
      const mixed = mixedBy(weights)
      return errors.map(
        (column) => -2 * column.reduce((sum, error, i) => sum + (counts[i] * error * mixed[i]) / total, 0),
      )
    }
    const oracle = climb(value, slopes, 6)
    const weights = [...nearestWeights(errors, counts, { tolerance: 1e-12, iterations: 100_000 })]
    assert.ok(Math.abs(value(weights) - value(oracle)) < 1e-9, `${value(weights)} and ${value(oracle)}`)
    const exact = [...errors.slice(0, 5), new Float64Array(50)]
    assert.ok(nearestWeights(exact, counts, { tolerance: 1e-12, iterations: 100_000 })[5] > 1 - 1e-9)
  }
})

test.run()
