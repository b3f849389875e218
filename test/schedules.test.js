import { constant, exponentialDecay, inverseDecay, stepDecay } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

test('schedules are their formulas', () => {
  const times = [0, 1, 2, 5, 10]
  const of = (schedule) => times.map((t) => schedule(t, 0.8))
  assert.equal(of(constant()), [0.8, 0.8, 0.8, 0.8, 0.8])
  assert.equal(of(constant(0.1)), [0.1, 0.1, 0.1, 0.1, 0.1])
  assert.equal(of(stepDecay({ every: 5, factor: 0.5 })), [0.8, 0.8, 0.8, 0.4, 0.2])
  assert.equal(
    of(exponentialDecay({ rate: 0.5 })),
    times.map((t) => 0.8 * Math.exp(-0.5 * t)),
  )
  assert.equal(of(inverseDecay({ rate: 2 })), [0.8, 0.8 / 3, 0.8 / 5, 0.8 / 11, 0.8 / 21])
  assert.equal([constant().unit, stepDecay({ every: 9, unit: 'step' }).unit], ['epoch', 'step'])
  assert.throws(() => stepDecay({ every: 1, factors: 2 }), /unknown option "factors"/)
  assert.throws(() => stepDecay({ every: 0 }), /every: expected a positive number, received 0/)
  assert.throws(() => inverseDecay({ rate: 1, unit: 'batch' }), /unit: expected 'step' or 'epoch'/)
})

test.run()
