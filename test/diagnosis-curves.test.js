// The arithmetic on curves, against closed forms.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as curve from '../dist/watch/diagnosis/curve.js'
import { numbers } from './support/reference.js'

const test = suite('diagnosis: curves')
const make = (length, of) => Float64Array.from({ length }, (_, i) => of(i / (length - 1), i))
const near = (actual, expected, tolerance = 1e-12) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `expected ${expected}, received ${actual}`)

test('the median is the middle, and what is not finite is missing', () => {
  assert.is(curve.median([3, 1, 2]), 2)
  assert.is(curve.median([4, 1, 2, 3]), 2.5)
  assert.is(curve.median([Number.NaN, 5, Number.POSITIVE_INFINITY]), 5)
  assert.ok(Number.isNaN(curve.median([])))
  assert.is(curve.largest([1, Number.NaN, 3, Number.POSITIVE_INFINITY]), 3)
  assert.is(curve.smallest([2, Number.NaN, 1]), 1)
})

test('parts join without gap or overlap and are never empty', () => {
  for (const length of [1, 2, 3, 7, 30]) {
    const values = make(length, (_, i) => i)
    assert.equal([...new Set([...curve.part(values, 0, 0.5), ...curve.part(values, 0.5, 1)])].length, length)
    assert.ok(curve.part(values, 0.95, 1).length > 0)
  }
  assert.equal(curve.part([0, 1, 2, 3, 4, 5], 2 / 3, 1), [4, 5])
  assert.equal(curve.part([], 0, 1), [])
})

test('smoothing drops an outlier and keeps a step', () => {
  assert.equal(curve.smooth([1, 1, 9, 1, 1], 3), [1, 1, 1, 1, 1])
  assert.equal(curve.smooth([0, 0, 0, 5, 5, 5], 3), [0, 0, 0, 5, 5, 5])
})

test('a line has its own slope and rise, and a fifth of outliers does not change them', () => {
  const line = make(101, (t) => 3 - 2 * t)
  near(curve.slope(line), -0.02)
  near(curve.rise(line), -2, 0.05)
  const spoilt = line.map((value, i) => (i % 5 === 0 ? value + 100 : value))
  near(curve.slope(spoilt), -0.02, 1e-3)
})

test('long curves are condensed, and rise as before', () => {
  const line = make(2048, (t) => 1 + 4 * t)
  assert.is(curve.condense(line, 64).length, 64)
  near(curve.rise(line), 4, 0.1)
})

test('scatter is that of the noise, whatever the trend', () => {
  const uniform = numbers(4000, 7)
  const deviation = 1 / Math.sqrt(3)
  for (const trend of [0, 3]) {
    near(curve.scatter(make(200, (t, i) => trend * t + uniform[i])) / deviation, 1, 0.1)
  }
  near(curve.scatter(make(50, (t) => 5 * t)), 0)
})

test('a curve is flat when it falls by less than the share, or than noise would', () => {
  assert.ok(
    curve.isFlat(
      make(20, (t) => 1 - 0.02 * t),
      0.05,
    ),
  )
  assert.not(
    curve.isFlat(
      make(20, (t) => 1 - 0.2 * t),
      0.05,
    ),
  )
  assert.ok(
    curve.isFlat(
      make(20, (t) => 1 + t),
      0.05,
    ),
    'rising',
  )
  const noise = numbers(20, 3)
  assert.ok(
    curve.isFlat(
      make(20, (t, i) => 1 - 0.1 * t + 0.3 * noise[i]),
      0.05,
    ),
  )
})

test('straightness is 1 of a line, and of an exponential its decay over half the time', () => {
  near(curve.straightness(make(101, (t) => 2 - t)), 1, 0.03)
  const [early, late] = [0.25, 0.75].map((t) => Math.exp(-6 * t))
  near(curve.straightness(make(1001, (t) => Math.exp(-6 * t))), late / early, 0.02)
})

test('where something begins to last', () => {
  const isHigh = (value) => value > 1
  assert.is(curve.lastingFrom([2, 0, 2, 2], isHigh), 2)
  assert.is(curve.lastingFrom([2, 2], isHigh), 0)
  assert.is(curve.lastingFrom([2, 0], isHigh), -1)
  assert.is(curve.lastingFrom([], isHigh), -1)
})

test.run()
