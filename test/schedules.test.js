import {
  constant,
  cosine,
  exponentialDecay,
  inverseDecay,
  linearRamp,
  oneCycle,
  piecewise,
  polynomial,
  reduceOnPlateau,
  stepDecay,
  warmup,
} from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

/** Whole and broken times, boundaries among them. */
const times = Array.from({ length: 500 }, (_, i) => i / 4)

function isFormula(schedule, formula, name) {
  for (const initial of [0.8, 3e-4]) {
    for (const t of times) {
      const [value, expected] = [schedule(t, initial), formula(t, initial)]
      assert.ok(
        Math.abs(value - expected) <= 1e-14 * Math.max(initial, expected),
        `${name} at ${t}: ${value}, expected ${expected}`,
      )
    }
  }
}

/** The value at t of straight lines through values at some times, level outside. */
function through(at, values, t) {
  const next = at.findIndex((time) => time > t)
  if (next === 0) return values[0]
  if (next < 0) return values.at(-1)
  return values[next - 1] + ((values[next] - values[next - 1]) * (t - at[next - 1])) / (at[next] - at[next - 1])
}

/** Cosine with restarts by walking through the cycles. */
function restarts(t, initial, { length, cycles, cycleFactor, minimum }) {
  for (let cycle = 0; cycle < cycles; cycle++) {
    if (t < length) return minimum + (initial - minimum) * Math.cos((Math.PI * t) / length / 2) ** 2
    t -= length
    length *= cycleFactor
  }
  return minimum
}

test('schedules are their formulas', () => {
  isFormula(constant(), (_, a) => a, 'constant')
  isFormula(constant(0.1), () => 0.1, 'constant of a value')
  isFormula(stepDecay({ every: 5 }), (t, a) => a / 2 ** Math.trunc(t / 5), 'stepDecay')
  isFormula(stepDecay({ every: 20, factor: 0.1 }), (t, a) => a * 0.1 ** ((t - (t % 20)) / 20), 'stepDecay of a factor')
  isFormula(exponentialDecay({ rate: 0.5 }), (t, a) => a * Math.exp(-t / 2), 'exponentialDecay')
  isFormula(inverseDecay({ rate: 2 }), (t, a) => a / (1 + t + t), 'inverseDecay')
  isFormula(polynomial({ length: 50 }), (t, a) => (t < 50 ? (a * (50 - t)) / 50 : 0), 'polynomial')
  const square = (t, a) => (t < 37 ? 1e-5 + ((a - 1e-5) * (37 - t) * (37 - t)) / 37 / 37 : 1e-5)
  isFormula(polynomial({ length: 37, power: 2, minimum: 1e-5 }), square, 'polynomial of a power')
  const stairs = (t) => (t < 10 ? 0.3 : t < 30.5 ? 0.2 : 0.1)
  isFormula(piecewise({ boundaries: [10, 30.5], values: [0.3, 0.2, 0.1] }), stairs, 'piecewise')
  const multiples = piecewise({ boundaries: [10, 30.5], factors: [0.3, 0.2, 0.1] })
  isFormula(multiples, (t, a) => a * stairs(t), 'piecewise by factors')
  isFormula(linearRamp({ from: 0.5, to: 0.9, length: 13 }), (t) => through([0, 13], [0.5, 0.9], t), 'linear')
  isFormula(linearRamp({ to: 0, length: 13 }), (t, a) => through([0, 13], [a, 0], t), 'linear from initial')
})

test('warm-up, one cycle and cosine are their formulas', () => {
  isFormula(warmup({ length: 8 }), (t, a) => through([-1, 7], [0, a], t), 'warmup')
  const third = warmup({ length: 9, startFactor: 1 / 3 })
  isFormula(third, (t, a) => through([-1, 8], [a / 3, a], t), 'warmup from a third')
  isFormula(oneCycle({ length: 100 }), (t, a) => a * through([0, 45, 90, 100], [0.1, 1, 0.1, 1e-3], t), 'oneCycle')
  const whole = oneCycle({ length: 60, cycle: 1, startFactor: 0.25, endFactor: 0.25 })
  isFormula(whole, (t, a) => through([0, 30, 60], [a / 4, a, a / 4], t), 'oneCycle without a last phase')
  const cases = [
    { length: 50, cycles: 1, cycleFactor: 1, minimum: 0 },
    { length: 10, cycles: 3, cycleFactor: 2, minimum: 1e-5 },
    { length: 7, cycles: 5, cycleFactor: 1, minimum: 0 },
    { length: 3, cycles: Number.POSITIVE_INFINITY, cycleFactor: 1.5, minimum: 0 },
    { length: 4, cycles: Number.POSITIVE_INFINITY, cycleFactor: 1, minimum: 1e-4 },
  ]
  for (const options of cases) {
    isFormula(cosine(options), (t, a) => restarts(t, a, options), `cosine ${JSON.stringify(options)}`)
  }
  // At the boundaries of cycles, where a logarithm could be a rounding off.
  for (const cycleFactor of [2, 3, 5, 10]) {
    for (const length of [1, 3, 7, 100]) {
      const schedule = cosine({ length, cycles: Number.POSITIVE_INFINITY, cycleFactor })
      for (let cycle = 0; cycle < 15; cycle++) {
        const start = (length * (cycleFactor ** cycle - 1)) / (cycleFactor - 1)
        assert.is(schedule(start, 0.7), 0.7, `cycle ${cycle}`)
        if (start > 0) assert.ok(schedule(start * (1 - 2 ** -52), 0.7) < 0.1, `before cycle ${cycle}`)
      }
    }
  }
})

test('a schedule has a unit, and a duration if it comes to an end', () => {
  assert.equal([constant().unit, stepDecay({ every: 9, unit: 'step' }).unit], [undefined, 'step'])
  const ended = [
    [warmup({ length: 5 }), 5],
    [linearRamp({ to: 0.9, length: 6 }), 6],
    [oneCycle({ length: 7 }), 7],
    [polynomial({ length: 8 }), 8],
    [constant(0.1, { length: 9 }), 9],
    [cosine({ length: 10, cycles: 3, cycleFactor: 2 }), 70],
  ]
  for (const [schedule, duration] of ended) assert.equal([schedule.unit, schedule.duration], ['epoch', duration])
  const endless = [constant(), stepDecay({ every: 2 }), piecewise({ boundaries: [2], values: [1, 2] })]
  for (const schedule of [...endless, reduceOnPlateau(), cosine({ length: 2, cycles: Number.POSITIVE_INFINITY })]) {
    assert.is(schedule.duration, undefined)
  }
})

test('followedBy: the second begins where the first ends, at its own 0', () => {
  const [first, second] = [warmup({ length: 8 }), cosine({ length: 40 })]
  const both = first.followedBy(second)
  isFormula(both, (t, a) => (t < 8 ? first(t, a) : second(t - 8, a)), 'warmup then cosine')
  assert.equal([both.unit, both.duration], ['epoch', 48])
  const three = both.followedBy(exponentialDecay({ rate: 0.1 }))
  isFormula(three, (t, a) => (t < 48 ? both(t, a) : a * Math.exp(-0.1 * (t - 48))), 'three in a row')
  assert.is(three.duration, undefined)
  // What has no unit of its own counts what comes before.
  const bySteps = warmup({ length: 3, unit: 'step' }).followedBy((t, a) => a / (1 + t))
  assert.equal([bySteps.unit, bySteps(2, 6), bySteps(3, 6), bySteps(5, 6)], ['step', 6, 6, 2])
  assert.is(warmup({ length: 3, unit: 'step' }).followedBy(constant(0.5)).unit, 'step')
})

test('followedBy refuses what cannot follow', async () => {
  const first = warmup({ length: 3, unit: 'step' })
  const code = (error) => error.code === 'GRADUS_INVALID_ARGUMENT'
  assert.throws(
    () => stepDecay({ every: 2 }).followedBy(cosine({ length: 3 })),
    /followedBy: expected a schedule that comes to an end/,
  )
  assert.throws(() => reduceOnPlateau().followedBy(first), code)
  assert.throws(
    () => first.followedBy(cosine({ length: 3 })),
    /followedBy: expected a schedule by 'step', .* received "epoch"/,
  )
  assert.throws(() => first.followedBy(0.1), /followedBy: expected a function, received 0.1/)
  // Nothing takes a schedule for a promise: await gives it back.
  assert.is(await first, first)
})

test('bad options are refused, by name', () => {
  const cases = [
    [() => constant(-1), /value: expected a number of at least 0, received -1/],
    [() => constant(1, { length: 0 }), /length: /],
    [() => stepDecay({ every: 1, factors: 2 }), /there is no option "factors"/],
    [() => stepDecay({ every: 0 }), /every: expected a positive number, received 0/],
    [() => stepDecay(), /every: expected a positive number, received undefined/],
    [() => exponentialDecay({ rate: Number.NaN }), /rate: /],
    [() => inverseDecay({ rate: 1, unit: 'batch' }), /unit: expected one of 'step', 'epoch', received "batch"/],
    [() => polynomial({ length: 5, power: 0 }), /power: /],
    [() => polynomial({ power: 2 }), /length: expected a positive number, received undefined/],
    [() => cosine({ length: 5, cycles: 1.5 }), /cycles: /],
    [() => cosine({ length: 5, cycleFactor: 0.5 }), /cycleFactor: expected a number from 1 up/],
    [() => cosine({ length: 5, minimum: -1 }), /minimum: /],
    [() => oneCycle({ length: 5, cycle: 1.1 }), /cycle: /],
    [() => oneCycle({ length: 5, startFactor: 0 }), /startFactor: /],
    [() => piecewise({ boundaries: [1], values: [1, 2], factors: [1, 2] }), /values: expected either/],
    [() => piecewise({ boundaries: [1] }), /values: expected either/],
    [() => piecewise({ boundaries: [2, 1], values: [1, 2, 3] }), /boundaries: expected times in rising order/],
    [() => piecewise({ boundaries: [2], factors: [1] }), /factors: expected 2 of them.* received 1/],
    [() => piecewise({ boundaries: 2, factors: [1] }), /boundaries: expected an array/],
    [() => piecewise({ boundaries: [2], values: [1, Number.NaN] }), /values\[1\]: /],
    [() => warmup({ length: -5 }), /length: /],
    [() => warmup({ steps: 5 }), /there is no option "steps"/],
    [() => linearRamp({ length: 5 }), /to: /],
    [() => linearRamp({ length: 5, from: -1, to: 1 }), /from: /],
    [() => reduceOnPlateau({ factor: 1 }), /factor: expected a number between 0 and 1/],
    [() => reduceOnPlateau({ patience: 0 }), /patience: /],
    [() => reduceOnPlateau({ threshold: -1 }), /threshold: /],
    [() => reduceOnPlateau({ cooldown: 0.5 }), /cooldown: /],
    [() => reduceOnPlateau({ minimum: -1 }), /minimum: /],
    [() => reduceOnPlateau({ mode: 'least' }), /mode: /],
    [() => reduceOnPlateau({ monitor: 3 }), /monitor: /],
    [() => constant().plot({ width: 0 }), /width: /],
    [() => constant().plot({ size: 9 }), /there is no option "size"/],
    [() => constant().plot({ length: 0 }), /length: /],
  ]
  for (const [make, message] of cases) {
    assert.throws(
      make,
      (error) => error.code === 'GRADUS_INVALID_ARGUMENT' && message.test(error.message),
      String(make),
    )
  }
})

/** The multiples of the initial rate after each epoch of a trace. */
function reduced(schedule, trace, mode = 'min') {
  const running = schedule.begin()
  return trace.map((value, i) => {
    running.observe({ t: i + 1, watch: () => ({ value, mode }) })
    return running(i + 1, 1)
  })
}

test('reduce on plateau follows a written trace', () => {
  const trace = [1, 0.9, 0.9, 0.8999, 0.9, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.4, Number.NaN, 0.4, 0.4]
  //               best 0.9, three epochs no better: half; best 0.5, twice three: half each; best 0.4, NaN is no better
  const plain = [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125, 0.0625]
  const options = { patience: 3, threshold: 1e-3 }
  const schedule = reduceOnPlateau(options)
  assert.equal(reduced(schedule, trace), plain)
  assert.equal(reduced(schedule, trace), plain, 'a second run begins afresh')
  assert.equal(schedule(3, 0.2), 0.2)
  // Two epochs after each reduction do not count, though an improvement in them does.
  const cooled = [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.125]
  assert.equal(reduced(reduceOnPlateau({ ...options, cooldown: 2 }), trace), cooled)
  const long = [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25]
  assert.equal(reduced(reduceOnPlateau({ ...options, cooldown: 5 }), trace), long)
  const floored = plain.map((value) => Math.max(0.2, value))
  assert.equal(reduced(reduceOnPlateau({ ...options, minimum: 0.2 }), trace), floored)
  // By a smaller threshold the 0.8999 counts; by a large one 0.4 after 0.5 does not.
  assert.equal(reduced(reduceOnPlateau({ patience: 3, threshold: 0 }), trace.slice(0, 5)), [1, 1, 1, 1, 1])
  const strict = [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.0625, 0.0625]
  assert.equal(reduced(reduceOnPlateau({ patience: 3, threshold: 0.3 }), trace), strict)
})

test('reduce on plateau: whatever is finite is better than an infinite loss, and nothing better than the other infinity', () => {
  const { POSITIVE_INFINITY: most, NEGATIVE_INFINITY: least } = Number
  const once = reduceOnPlateau({ patience: 1 })
  assert.equal(reduced(once, [most, 5, 4, 3, 2, 1]), [1, 1, 1, 1, 1, 1])
  assert.equal(reduced(once, [least, 3, 4, 5], 'max'), [1, 1, 1, 1])
  assert.equal(reduced(once, [most, most, 5]), [1, 0.5, 0.5])
  assert.equal(reduced(once, [3, least, 2, most]), [1, 1, 0.5, 0.25])
})

test('reduce on plateau: modes, factors, and after a warm-up', () => {
  const rising = [0.1, 0.5, 0.5, 0.5]
  assert.equal(reduced(reduceOnPlateau({ patience: 2, factor: 0.1 }), rising, 'max'), [1, 1, 1, 0.1])
  assert.equal(reduced(reduceOnPlateau({ patience: 2, mode: 'max' }), rising), [1, 1, 1, 0.5])
  assert.equal(reduced(reduceOnPlateau({ patience: 2 }), rising), [1, 1, 0.5, 0.5])
  // The epochs of the warm-up are not looked at.
  const after = warmup({ length: 2 }).followedBy(reduceOnPlateau({ patience: 2 }))
  assert.equal([after(0, 1), after(1, 1)], [0.5, 1])
  assert.equal(reduced(after, [0, 0, 3, 3, 3, 3]), [1, 1, 1, 1, 0.5, 0.5])
})

test('a plot shows the course of a schedule', () => {
  const plot = warmup({ length: 4 })
    .followedBy(cosine({ length: 12 }))
    .plot({ width: 16, height: 4, initial: 0.2, quiet: true })
  const lines = plot.split('\n')
  assert.equal(lines.length, 6)
  assert.match(lines[0], /^ {4}0\.2 ┤/)
  assert.match(lines[3], /^0\.00341 ┤/)
  assert.match(lines[5], /^ +0 +16 epochs$/)
  // Where the dots of each column lie: up in three stairs, then down to the right.
  const highest = Array.from({ length: 16 }, (_, x) => lines.slice(0, 4).findIndex((line) => line.charAt(9 + x).trim()))
  assert.equal(highest, [2, 2, 1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 3])
  const level = constant(0.1).plot({ quiet: true })
  assert.match(level, /\n0\.1 ┤⣀{60}\n/)
  const written = []
  const { write } = process.stdout
  process.stdout.write = (text) => written.push(text)
  let returned
  try {
    returned = constant().plot({ width: 5, height: 2 })
  } finally {
    process.stdout.write = write
  }
  assert.equal(written, [`${returned}\n`])
})

test.run()
