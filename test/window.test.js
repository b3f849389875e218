// Windows over series, against plain loops over nested arrays.
import { runInNewContext } from 'node:vm'
import { adam, dense, flatten, meanSquaredError, sequential, window } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

/** Rows [time][feature] → windows as nested arrays. */
function expected(rows, { length, horizon = 1, stride = 1 }) {
  const [x, y] = [[], []]
  for (let at = 0; at + length + horizon <= rows.length; at += stride) {
    x.push(rows.slice(at, at + length))
    y.push(rows.slice(at + length, at + length + horizon))
  }
  return { x, y }
}

test('windows of one feature', () => {
  for (const time of [4, 5, 17]) {
    for (const options of [{ length: 3 }, { length: 2, horizon: 2 }, { length: 1, horizon: 2, stride: 3 }]) {
      const series = Float32Array.from({ length: time }, (_, i) => i * i)
      const wanted = expected([...series], options)
      const { x, y } = window(series, options)
      assert.equal([[...x.data], x.shape], [wanted.x.flat(), [wanted.x.length, options.length]])
      assert.equal([[...y.data], y.shape], [wanted.y.flat(), [wanted.y.length, options.horizon ?? 1]])
      assert.instance(x.data, Float32Array)
      const nested = window([...series], options)
      assert.equal([[...nested.x.data], nested.x.shape], [[...x.data], x.shape])
      assert.instance(nested.y.data, Float64Array)
    }
  }
})

test('windows of several features, with all or one of them as target', () => {
  const rows = Array.from({ length: 11 }, (_, i) => [i, 100 + i, -i])
  const table = { data: Float64Array.from(rows.flat()), shape: [11, 3] }
  const options = { length: 4, horizon: 2, stride: 2 }
  const wanted = expected(rows, options)
  for (const series of [rows, table]) {
    const { x, y } = window(series, options)
    assert.equal([[...x.data], x.shape], [wanted.x.flat(2), [3, 4, 3]])
    assert.equal([[...y.data], y.shape], [wanted.y.flat(2), [3, 2, 3]])
    for (const target of [1, -2]) {
      const one = window(series, { ...options, target })
      const second = wanted.y.map((steps) => steps.map((row) => row[1]))
      assert.equal([[...one.y.data], one.y.shape, one.x], [second.flat(), [3, 2], x])
    }
  }
})

test('integers become floats that hold them, bytes by their scale', () => {
  const big = window(Int32Array.of(2 ** 30 + 1, 2, 3), { length: 1, stride: 5 })
  assert.equal([big.x.data, big.y.data], [Float64Array.of(2 ** 30 + 1), Float64Array.of(2)])
  const bytes = window({ data: Uint8Array.of(1, 2, 3), scale: 0.5, offset: 1 }, { length: 2 })
  assert.equal([bytes.x.data, bytes.y.data], [Float32Array.of(1.5, 2), Float32Array.of(2.5)])
  const foreign = window(runInNewContext('Float32Array.of(1, 2, 3)'), { length: 2 })
  assert.equal([...foreign.x.data, ...foreign.y.data], [1, 2, 3])
})

test('a model learns to continue a sine', async () => {
  const series = Float32Array.from({ length: 400 }, (_, i) => Math.sin(i / 5))
  const [train, held] = [series.subarray(0, 300), series.subarray(300)].map((part) =>
    window(part, { length: 16, horizon: 4 }),
  )
  const model = sequential({ input: [16], seed: 1 }, [dense(4)])
  model.compile({ loss: meanSquaredError(), optimizer: adam({ learningRate: 0.02 }) })
  await model.fit(train, { epochs: 40, quiet: true }).done
  assert.ok((await model.evaluate(held)).loss < 1e-3)
  const rows = Array.from(series, (value, i) => [value, i / 400])
  const wide = sequential({ input: [16, 2], seed: 1 }, [flatten(), dense(4)])
  wide.compile({ loss: meanSquaredError(), optimizer: adam() })
  await wide.fit(window(rows, { length: 16, horizon: 4, target: 0 }), { epochs: 1, quiet: true }).done
})

test('what has no windows is refused', () => {
  const series = [1, 2, 3, 4]
  const circle = [1]
  circle.push(circle)
  const argument = 'GRADUS_INVALID_ARGUMENT'
  const cases = [
    [[series, { length: 4 }], `${argument} series: expected at least length + horizon = 5 points in time, received 4`],
    [[series, {}], `${argument} length: expected a positive integer, received undefined`],
    [[series], `${argument} length: expected a positive integer, received undefined`],
    [[series, { length: 0 }], `${argument} length: expected a positive integer, received 0`],
    [[series, { length: 1, horizon: 0 }], `${argument} horizon: expected a positive integer, received 0`],
    [[series, { length: 1, stride: 1.5 }], `${argument} stride: expected a positive integer, received 1.5`],
    [
      [series, { length: 1, target: 1 }],
      `${argument} target: expected the number of a feature from 0 to 0, received 1`,
    ],
    [[series, { length: 1, target: 'x' }], `${argument} target: expected the number of a feature, received "x"`],
    [[[[1, 2], [3]], { length: 1 }], `${argument} series[1]: expected 2 numbers, received 1`],
    [
      [{ data: new Float32Array(8), shape: [2, 2, 2] }, { length: 1 }],
      `${argument} series: expected numbers of shape [time] or [time, features], received [2,2,2]`,
    ],
    [
      [new Float32Array(0), { length: 1 }],
      `${argument} series: expected numbers of shape [time] or [time, features], received [0]`,
    ],
    [[[circle], { length: 1 }], /series\[0\]: expected arrays at most 64 deep/],
    [[series, { windowSize: 3 }], /window: there is no option "windowSize"; did you mean length\?/],
    [
      [new Uint8Array(2 ** 27), { length: 2 ** 26 }],
      /^GRADUS_OUT_OF_MEMORY window: no memory for \d+ bytes; a larger stride needs less/,
    ],
  ]
  for (const hostile of [null, undefined, 5, 'abc', Symbol('s'), {}, []])
    cases.push([[hostile, { length: 1 }], /^GRADUS_INVALID_ARGUMENT series: /])
  for (const [given, message] of cases) {
    let said = 'nothing was thrown'
    try {
      window(...given)
    } catch (error) {
      said = `${error.code} ${error.message}`
    }
    if (typeof message === 'string') assert.is(said, message)
    else assert.match(said, message)
  }
})

test.run()
