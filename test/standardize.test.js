// Standardising: against sums in rational arithmetic, on columns where rounding is all there is, and there and back.
import { dense, meanSquaredError, oneHot, sequential, sgd, standardization, standardize } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

/** A float64 as an integer multiple of 2⁻¹⁰⁷⁴. */
function exact(value) {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0]
  const exponent = Number((bits >> 52n) & 2047n)
  const fraction = (bits & ((1n << 52n) - 1n)) | (exponent ? 1n << 52n : 0n)
  return (bits >> 63n ? -fraction : fraction) << BigInt(Math.max(exponent, 1) - 1)
}

/** Mean and deviation in exact arithmetic, rounded once: (Σx)/n and √(nΣx² − (Σx)²)/n. */
function statistics(values) {
  const [n, numbers] = [BigInt(values.length), values.map(exact)]
  const sum = numbers.reduce((total, value) => total + value, 0n)
  const squares = numbers.reduce((total, value) => total + value * value, 0n)
  const shrunk = (value, bits) => Number(value >> BigInt(bits)) * 2 ** (bits - 1074)
  const ratio = (value) => shrunk(value / n, 1000)
  return [ratio(sum), Math.sqrt(Number((n * squares - sum * sum) >> 1960n) * 2 ** (1960 - 2148)) / values.length]
}

test('a column that never changes has the deviation 1, whatever its number', () => {
  const values = [0.1, 0.2, 0.3, 0.7, 1 / 3, -0.6, 1e-5, 1e5 + 0.1, 1e300, 5e-324, 0, 123456.789]
  for (const value of values) {
    for (const count of [1, 3, 10, 1000]) {
      for (const x of [Array.from({ length: count }, () => [value]), new Float64Array(count).fill(value)]) {
        const { mean, deviation } = standardize(x)
        assert.equal([[...mean], [...deviation]], [[value], [1]], `${count} times ${value}`)
      }
    }
  }
  const scale = standardize(Array.from({ length: 10 }, () => [0.1]))
  assert.is(scale.apply([[0.6]]).data[0], 0.6 - 0.1)
})

test('how numbers were rounded is no deviation; the least that is more is one', () => {
  const sum = 0.1 + 0.2
  assert.equal([...standardize([[0.3], [sum], [0.3], [sum]]).deviation], [1])
  const next = 0.3 * (1 + 100 * Number.EPSILON)
  assert.ok(standardize([[0.3], [next]]).deviation[0] < 1e-10)
  // Seconds since 1970 that differ by microseconds.
  const seconds = Array.from({ length: 1000 }, (_, i) => [1.6e9 + i * 1e-4])
  const [, expected] = statistics(seconds.flat())
  assert.ok(Math.abs(standardize(seconds).deviation[0] / expected - 1) < 1e-9)
})

test('mean and deviation are those of exact arithmetic, also far from 0', () => {
  for (const offset of [0, 1, 1e3, 1e9, -1e12]) {
    const values = Array.from({ length: 999 }, (_, i) => offset + Math.sin(i) * (1 + (i % 7)))
    const { mean, deviation } = standardize(values.map((value) => [value]))
    const expected = statistics(values)
    assert.ok(
      Math.abs(mean[0] - expected[0]) <= 4 * Number.EPSILON * Math.max(1, Math.abs(offset)),
      `mean at ${offset}`,
    )
    assert.ok(
      Math.abs(deviation[0] / expected[1] - 1) < 1e-12,
      `deviation at ${offset}: ${deviation[0]} ${expected[1]}`,
    )
  }
})

test('JSON keeps it', () => {
  const x = [
    [1, 20],
    [3, 60],
    [5, 10],
  ]
  const scale = standardize(x)
  const kept = standardization(JSON.parse(JSON.stringify(scale)))
  assert.equal(kept.apply(x), scale.apply(x))
  assert.equal(JSON.parse(JSON.stringify({ scale })), {
    scale: { mean: [...scale.mean], deviation: [...scale.deviation] },
  })
})

test('invert gives back what apply was given, of inputs and of flat targets', () => {
  const x = { data: Float64Array.of(1, 200, 3, 600, 8, 100), shape: [3, 2] }
  const scale = standardize(x)
  const back = scale.invert(scale.apply(x))
  assert.equal(back.shape, [3, 2])
  for (const [i, value] of back.data.entries()) assert.ok(Math.abs(value - x.data[i]) < 1e-12 * Math.abs(value))
  const prices = Float32Array.of(125_000, 250_000, 500_000)
  const price = standardize(prices)
  assert.equal([...price.mean].map(Math.round), [291_667])
  const targets = price.apply(prices)
  assert.instance(targets.data, Float32Array)
  assert.is(targets.shape, undefined)
  const dollars = price.invert(targets).data
  for (const [i, value] of dollars.entries()) assert.ok(Math.abs(value - prices[i]) < 0.1)
  assert.equal([...price.apply([125_000, 250_000]).shape], [2, 1])
})

test('predictions turn back into units of the targets', async () => {
  const x = Array.from({ length: 20 }, (_, i) => [i / 10])
  const y = x.map(([value]) => 50_000 + 10_000 * value)
  const price = standardize(y)
  const model = sequential({ input: [1], seed: 1 }, [dense(1)])
  model.compile({ loss: meanSquaredError(), optimizer: sgd({ learningRate: 0.1 }) })
  await model.fit({ x, y: price.apply(y) }, { epochs: 200, quiet: true }).done
  const [dollars] = price.invert(await model.predict([[1]])).data
  assert.ok(Math.abs(dollars - 60_000) < 50, `${dollars}`)
})

test('no rows give no rows', () => {
  const scale = standardize([
    [1, 2],
    [3, 5],
  ])
  assert.equal(scale.apply([]), { data: new Float64Array(0), shape: [0, 2] })
  assert.equal(scale.apply(new Float32Array(0)), { data: new Float32Array(0) })
  assert.equal(scale.apply({ data: new Float64Array(0), shape: [0, 2] }), { data: new Float64Array(0), shape: [0, 2] })
  assert.equal(standardize([1, 2]).invert([]), { data: new Float64Array(0), shape: [0, 1] })
})

function refusal(act) {
  try {
    act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

test('what cannot be standardised is refused', () => {
  const scale = standardize([[1, 2]])
  const circle = [1]
  circle.push(circle)
  const cases = [
    [() => standardize([]), 'GRADUS_INVALID_ARGUMENT x: expected at least one row, received an array of length 0'],
    [() => standardize(null), /^GRADUS_INVALID_ARGUMENT x: expected a typed array, nested arrays of numbers or/],
    [() => standardize(Symbol('x')), /^GRADUS_INVALID_ARGUMENT x: .*received symbol/],
    [() => standardize([circle]), /^GRADUS_INVALID_ARGUMENT x\[0\]: expected arrays at most 64 deep/],
    [() => standardize([[1], [1, 2]]), 'GRADUS_INVALID_ARGUMENT x[1]: expected 1 number, received 2'],
    [
      () => standardize([[1], [Number.NaN]]),
      'GRADUS_INVALID_DATA x, row 1, column 0: expected a finite number, received NaN',
    ],
    [
      () => standardize([[1e200], [-1e200]]),
      /^GRADUS_INVALID_DATA x, column 0: expected numbers whose squares are finite/,
    ],
    [
      () => standardize([[1]], { per: 'row' }),
      "GRADUS_INVALID_ARGUMENT per: expected one of 'feature', 'channel', 'all', received \"row\"",
    ],
    [
      () => standardize([[1]], { features: Symbol('f') }),
      'GRADUS_INVALID_ARGUMENT features: expected a positive integer, received symbol',
    ],
    [() => standardize([[1]], { features: 2 }), 'GRADUS_INVALID_ARGUMENT x: expected 2 numbers a row, received 1'],
    [() => standardize([[1]], 3), /^GRADUS_INVALID_ARGUMENT standardize: expected an options object/],
    [() => scale.apply([[1, 2, 3]]), 'GRADUS_INVALID_ARGUMENT x: expected 2 numbers a row, received 3'],
    [() => scale.invert([[1]]), 'GRADUS_INVALID_ARGUMENT y: expected 2 numbers a row, received 1'],
    [() => scale.apply(), /^GRADUS_INVALID_ARGUMENT x: expected a typed array/],
  ]
  const wrong = /^GRADUS_INVALID_ARGUMENT statistics: expected { mean, deviation }, arrays of as many/
  for (const statistics of [
    ...[
      undefined,
      null,
      3,
      Symbol('s'),
      {},
      { mean: [1] },
      { mean: [1], deviation: [0] },
      { mean: [1, 2], deviation: [1] },
    ],
    ...[
      { mean: { length: 2 ** 40 }, deviation: [1] },
      { mean: [Symbol('m')], deviation: [1] },
      { mean: [1n], deviation: [1] },
    ],
    ...[
      { mean: [Number.NaN], deviation: [1] },
      { mean: [], deviation: [] },
      { mean: ['1'], deviation: ['2'] },
    ],
  ]) {
    cases.push([() => standardization(statistics), wrong])
  }
  for (const labels of [
    null,
    undefined,
    5,
    'abc',
    Symbol('l'),
    { length: 2 ** 40 },
    new DataView(new ArrayBuffer(8)),
  ]) {
    cases.push([() => oneHot(labels), /^GRADUS_INVALID_ARGUMENT labels: expected an array of class numbers/])
  }
  for (const classes of [null, -1, 1.5, Symbol('c'), '3', Number.NaN]) {
    cases.push([() => oneHot([0], classes), /^GRADUS_INVALID_ARGUMENT classes: expected a whole number from 0 up/])
  }
  cases.push(
    [() => oneHot([0, 1], 2 ** 52), /^GRADUS_OUT_OF_MEMORY oneHot: no memory for \d+ bytes/],
    [() => oneHot([2 ** 52]), /^GRADUS_OUT_OF_MEMORY oneHot: no memory/],
    [() => oneHot(['cat']), 'GRADUS_INVALID_DATA labels, row 0: expected a class number from 0 up, received "cat"'],
    [() => oneHot([0, 3], 3), 'GRADUS_INVALID_DATA labels, row 1: expected a class number from 0 to 2, received 3'],
  )
  for (const [act, message] of cases) {
    if (typeof message === 'string') assert.is(refusal(act), message)
    else assert.match(refusal(act), message)
  }
})

test.run()
