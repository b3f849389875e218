// Two parts of the examples: shares, groups, order, and what cannot be split.
import { createContext, runInContext } from 'node:vm'
import { dataset, dense, sequential, sgd, shuffle, softmaxCrossEntropy, split, window } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

/** `each` rows of each class, mixed. */
function balanced(classes, each) {
  const y = Int32Array.from({ length: classes * each }, (_, i) => i % classes)
  return { x: Array.from(y, (_, i) => [i]), y }
}

const countsOf = (y) => {
  const counts = new Map()
  for (const value of y) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

/** Each row is in one part, with its own target. */
function checkParts(whole, { train, test: held }) {
  const rows = [...train.x, ...held.x].map(([row]) => row)
  assert.equal(
    rows.toSorted((a, b) => a - b),
    whole.x.map(([row]) => row),
  )
  for (const part of [train, held]) {
    for (const [i, [row]] of part.x.entries()) assert.is(part.y[i], whole.y[row])
  }
}

test('stratified parts have the size that the fraction says, and each class its share to within one row', () => {
  for (const [classes, each, fraction, expected] of [
    [100, 2, 0.2, 40],
    [100, 3, 0.5, 150],
    [100, 1, 0.5, 50],
    [3, 50, 0.2, 30],
    [7, 11, 0.3, 23],
    [2, 999, 0.001, 2],
  ]) {
    for (const seed of [0, 1, 2]) {
      const whole = balanced(classes, each)
      const parts = split(whole, { fraction, seed, stratify: true })
      checkParts(whole, parts)
      assert.is(parts.test.y.length, expected)
      for (const count of countsOf(parts.test.y).values()) assert.ok(Math.abs(count - each * fraction) < 1)
    }
  }
})

test('unequal classes get the largest remainders', () => {
  // Shares of 10 rows: 6.5, 2.3 and 1.2 → 6, 2 and 1, and one more for the first.
  const y = [...Array(65).fill('a'), ...Array(23).fill('b'), ...Array(12).fill('c')]
  const { test: held } = split({ x: y.map((_, i) => [i]), y }, { fraction: 0.1, stratify: true })
  assert.equal(Object.fromEntries(countsOf(held.y)), { a: 7, b: 2, c: 1 })
})

test('which of equal classes get one row more is up to the seed', () => {
  const chosen = new Set()
  for (let seed = 0; seed < 40; seed++) {
    for (const value of split(balanced(10, 2), { fraction: 0.2, seed, stratify: true }).test.y) chosen.add(value)
  }
  assert.is(chosen.size, 10)
})

test('groups never straddle', () => {
  for (let seed = 0; seed < 50; seed++) {
    const groups = Array.from({ length: 200 }, (_, i) => `patient ${(i * i + seed) % 37}`)
    const whole = { x: groups.map((_, i) => [i]), y: groups }
    const parts = split(whole, { fraction: 0.3, seed, groupBy: groups })
    checkParts(whole, parts)
    const held = new Set(parts.test.y)
    assert.not.ok(parts.train.y.some((group) => held.has(group)))
    const largest = Math.max(...countsOf(groups).values())
    assert.ok(Math.abs(parts.test.y.length - 60) < largest, `${parts.test.y.length} rows`)
  }
  const two = { x: [[0], [1], [2]], y: [0, 0, 0] }
  assert.equal(split(two, { groupBy: [5, 5, 7], fraction: 0.01 }).test.x, [[2]])
  assert.equal(split(two, { groupBy: Int32Array.of(5, 5, 7), fraction: 0.99 }).train.x.length, 1)
})

test('without a shuffle the last rows are the test, and all keep their order', () => {
  const whole = balanced(3, 10)
  const { train, test: held } = split(whole, { shuffle: false, fraction: 0.1 })
  assert.equal(train.x.flat(), [...Array(27).keys()])
  assert.equal(held.x.flat(), [27, 28, 29])
  // By days, the last of which is long.
  const days = [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]
  const byDay = split({ x: days.map((_, i) => [i]) }, { shuffle: false, groupBy: days, fraction: 0.1 })
  assert.equal(byDay.test.x.flat(), [7, 8, 9, 10, 11])
  const more = split({ x: days.map((_, i) => [i]) }, { shuffle: false, groupBy: days, fraction: 0.6 })
  assert.equal(more.test.x.flat(), [4, 5, 6, 7, 8, 9, 10, 11])
})

test('a gap keeps windows apart that share points in time', () => {
  for (const [length, horizon, stride] of [
    [5, 2, 1],
    [6, 3, 4],
    [3, 1, 9],
  ]) {
    // Each point is its own time, so that the windows say what they hold.
    const windows = window(
      Array.from({ length: 200 }, (_, time) => time),
      { length, horizon, stride },
    )
    const gap = Math.ceil((length + horizon) / stride) - 1
    const { train, test: held } = split(windows, { shuffle: false, fraction: 0.3, gap })
    const [last, first] = [Math.max(...train.y.data), Math.min(...held.x.data)]
    assert.ok(last < first, `${last} ${first}`)
    const whole = windows.x.shape[0]
    assert.is(train.x.shape[0] + gap + held.x.shape[0], whole)
    assert.is(held.x.shape[0], Math.round(0.3 * whole))
    if (gap === 0) continue
    const near = split(windows, { shuffle: false, fraction: 0.3, gap: gap - 1 })
    assert.ok(Math.max(...near.train.y.data) >= first)
  }
  const ten = { x: Array.from({ length: 10 }, (_, i) => [i]) }
  const refused = (options, message) => assert.throws(() => split(ten, options), new RegExp(message))
  refused({ gap: 1 }, '^gap: expected shuffle: false beside it, for examples in the order of time$')
  refused({ gap: 1, shuffle: false, groupBy: ten.x.flat() }, '^gap: expected no groupBy beside it')
  refused({ gap: 8, shuffle: false }, '^gap: expected fewer than the 8 rows before the test, received 8$')
  refused({ gap: -1, shuffle: false }, '^gap: expected a whole number from 0 up, received -1$')
  assert.equal(split(ten, { gap: 7, shuffle: false }).train.x, [[0]])
})

test('a dataset gives datasets', async () => {
  const whole = dataset({ x: balanced(3, 10).x, y: Array.from('abc'.repeat(10)) })
  const { train, test: held } = split(whole, { stratify: true })
  assert.equal(
    [train.classes, held.classes],
    [
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ],
  )
  const model = sequential({ input: [1] }, [dense(3)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  await model.fit(train, { epochs: 1, quiet: true }).done
  assert.is((await model.predict(held)).length, 6)
  assert.is((await model.predict(shuffle(whole, { seed: 3 }))).length, 30)
})

test('arrays of another realm are split like our own', () => {
  const { x, y } = runInContext(
    '({ x: Float64Array.of(0, 1, 2, 3, 4), y: Int32Array.of(0, 1, 2, 3, 4) })',
    createContext(),
  )
  const { train, test: held } = split({ x: { data: x, shape: [5, 1] }, y }, { stratify: false })
  assert.equal([train.x.data.length, train.y.length, held.y.length], [4, 4, 1])
  assert.equal([...train.x.data], [...train.y])
})

function refusal(act) {
  try {
    act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

test('what cannot be split is refused', () => {
  const small = { x: [[1], [2], [3]], y: [0, 1, 0] }
  const argument = 'GRADUS_INVALID_ARGUMENT'
  const circle = [1]
  circle.push(circle)
  const cases = [
    [
      [small, { fraction: 0.1 }],
      `${argument} fraction: expected at least one row on each side, received 0.1 of 3 rows`,
    ],
    [
      [small, { fraction: 0.9 }],
      `${argument} fraction: expected at least one row on each side, received 0.9 of 3 rows`,
    ],
    [[{ x: [[1]] }], `${argument} fraction: expected at least one row on each side, received 0.2 of 1 rows`],
    [[{ x: [] }], `${argument} fraction: expected at least one row on each side, received 0.2 of 0 rows`],
    [
      [{ x: new Float32Array(8) }],
      `${argument} rows: expected how many examples there are, which the flat x does not tell; give the option rows, or x as { data, shape: [rows, …] }`,
    ],
    [
      [{ x: new Float32Array(8) }, { rows: 3 }],
      `${argument} x: expected 3 rows (a multiple of 3 numbers), received a Float32Array of length 8`,
    ],
    [[{ x: new Float32Array(8) }, { rows: 2 ** 40 }], /x: expected 1099511627776 rows/],
    [
      [{ x: new Float32Array(0) }, { rows: 2 ** 31 }],
      `${argument} x: expected numbers for 2147483648 rows, received a Float32Array of length 0`,
    ],
    [
      [{ x: { data: new Float32Array(4), shape: [100, 3] } }],
      `${argument} x: expected 300 numbers for the shape [100,3], received a Float32Array of length 4`,
    ],
    [[{ x: { data: new Float32Array(0), shape: [2 ** 40, 0] } }], /x: expected numbers for 1099511627776 rows/],
    [[small, { groupBy: [1, 2] }], `${argument} groupBy: expected 3 groups, one for each example, received 2`],
    [
      [small, { groupBy: [1, 1, 1] }],
      `${argument} groupBy: expected at least two groups, one for each part, received 1`,
    ],
    [[small, { groupBy: [1, 2, null] }], `${argument} groupBy[2]: expected a number or a word, received null`],
    [
      [small, { groupBy: 'patient' }],
      `${argument} groupBy: expected an array with the group of each example, received "patient"`,
    ],
    [
      [small, { groupBy: [1, 2, 3], stratify: true }],
      `${argument} stratify: expected no groupBy beside it, received both`,
    ],
    [
      [small, { shuffle: false, stratify: true }],
      `${argument} stratify: expected no shuffle: false beside it, received both`,
    ],
    [
      [{ x: [[1], [2]] }, { stratify: true, fraction: 0.5 }],
      `${argument} y: expected class numbers to stratify by, received undefined`,
    ],
    [
      [
        {
          x: [[1], [2]],
          y: [
            [0, 1],
            [1, 0],
          ],
        },
        { stratify: true, fraction: 0.5 },
      ],
      `${argument} y: expected one class number an example to stratify by, received 2`,
    ],
    [[small, { stratify: 'yes' }], `${argument} stratify: expected true or false, received "yes"`],
    [
      [small, { testSize: 0.5 }],
      /^GRADUS_INVALID_ARGUMENT split: there is no option "testSize"; did you mean fraction\?/,
    ],
    [[{ x: [circle, circle] }], /^GRADUS_INVALID_ARGUMENT x\[0\]: expected arrays at most 64 deep/],
  ]
  for (const hostile of [null, undefined, 5, 'abc', Symbol('s'), [1, 2], new Float32Array(3)]) {
    cases.push([[hostile], /^GRADUS_INVALID_ARGUMENT data: expected examples as { x, y }, received /])
    cases.push([[{ x: hostile, y: [1] }, {}], /^GRADUS_INVALID_ARGUMENT /])
    cases.push([[{ x: { a: hostile } }], /^GRADUS_INVALID_ARGUMENT /])
    cases.push([
      [small, { seed: hostile === undefined ? null : hostile === 5 ? -5 : hostile }],
      /^GRADUS_INVALID_ARGUMENT seed: /,
    ])
  }
  for (const [given, message] of cases) {
    if (typeof message === 'string')
      assert.is(
        refusal(() => split(...given)),
        message,
      )
    else
      assert.match(
        refusal(() => split(...given)),
        message,
      )
  }
  for (const hostile of [null, undefined, 5, Symbol('s')]) {
    assert.match(
      refusal(() => shuffle(hostile)),
      /^GRADUS_INVALID_ARGUMENT data: expected examples/,
    )
  }
})

test.run()
