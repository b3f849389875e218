import { argmax, oneHot, shuffle, split, standardization, standardize } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { philox } from '../dist/data/random.js'

test('Philox gives the numbers of its authors', () => {
  assert.equal(philox([0, 0], [0, 0, 0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
  const pi = philox([0xa4093822, 0x299f31d0], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344])
  assert.equal(pi, [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1])
})

test('shuffle keeps rows together and depends on the seed alone', () => {
  const examples = {
    x: Float32Array.from({ length: 40 }, (_, i) => i),
    y: Int32Array.from({ length: 20 }, (_, i) => i),
    sampleWeights: Array.from({ length: 20 }, (_, i) => i / 10),
  }
  const { x, y, sampleWeights } = shuffle(examples, { seed: 5 })
  assert.equal(
    [...y].sort((a, b) => a - b),
    [...examples.y],
  )
  assert.not.equal([...y], [...examples.y])
  for (const [i, label] of y.entries()) {
    assert.equal([x[2 * i], x[2 * i + 1], sampleWeights[i]], [2 * label, 2 * label + 1, label / 10])
  }
  assert.equal(shuffle(examples, { seed: 5 }).y, y)
  assert.not.equal([...shuffle(examples, { seed: 6 }).y], [...y])
})

test('every order is as likely as any other', () => {
  const counts = {}
  for (let seed = 0; seed < 6000; seed++) {
    const order = shuffle({ x: [0, 1, 2] }, { seed }).x.join('')
    counts[order] = (counts[order] ?? 0) + 1
  }
  // 1000 each expected with a deviation of 29.
  assert.is(Object.keys(counts).length, 6)
  for (const count of Object.values(counts)) assert.ok(Math.abs(count - 1000) < 150, JSON.stringify(counts))
})

test('split gives each row to one part, stratified when asked', () => {
  const y = Int32Array.from({ length: 100 }, (_, i) => (i < 90 ? 0 : 1))
  const x = { data: Float32Array.from({ length: 300 }, (_, i) => i), shape: [100, 3] }
  const { train, test: held } = split({ x, y }, { fraction: 0.2, seed: 1, stratify: true })
  assert.equal(
    [train.x.shape, held.x.shape],
    [
      [80, 3],
      [20, 3],
    ],
  )
  assert.is(held.y.filter((label) => label === 1).length, 2)
  const rows = [...train.x.data, ...held.x.data].filter((_, i) => i % 3 === 0).map((value) => value / 3)
  assert.equal(
    rows.sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  )
  for (let i = 0; i < 20; i++) assert.is(held.y[i], held.x.data[3 * i] / 3 < 90 ? 0 : 1)
})

test('split of named inputs keeps their names; flat arrays alone do not tell the rows', () => {
  const examples = { x: { a: [[1], [2], [3], [4]], b: Float32Array.of(1, 2, 3, 4) }, y: [1, 2, 3, 4] }
  const { train, test: held } = split(examples, { fraction: 0.25 })
  assert.equal(Object.keys(train), ['x', 'y'])
  assert.equal([train.x.a.flat(), [...train.x.b], held.x.a.flat()], [train.y, train.y, held.y])
  assert.throws(() => split({ x: new Float32Array(8) }), /rows: expected how many examples there are/)
  assert.is(split({ x: new Float32Array(8) }, { rows: 4, fraction: 0.5 }).test.x.length, 4)
  assert.throws(() => split({ x: [1, 2, 3], y: [1, 2] }), /y: expected 3 rows/)
  assert.throws(() => split({ x: [1, 2, 3] }, { fraction: 1 }), /fraction: expected a number between 0 and 1/)
})

test('standardize gives mean 0 and deviation 1, and is reused on other data', () => {
  const x = { data: Float64Array.of(1, 1e6, 7, 2, 1e6 + 2, 7, 6, 1e6 + 4, 7), shape: [3, 3] }
  const scale = standardize(x)
  assert.equal([...scale.mean], [3, 1e6 + 2, 7])
  assert.equal(
    [...scale.deviation].map((d) => d ** 2).map((v) => v.toFixed(9)),
    ['4.666666667', '2.666666667', '1.000000000'],
  )
  const { data, shape } = scale.apply(x)
  assert.equal(shape, [3, 3])
  for (let column = 0; column < 3; column++) {
    const values = [0, 1, 2].map((row) => data[3 * row + column])
    const mean = values.reduce((a, b) => a + b) / 3
    const square = values.reduce((a, b) => a + b * b, 0) / 3
    assert.ok(Math.abs(mean) < 1e-12 && Math.abs(square - (column < 2 ? 1 : 0)) < 1e-12)
  }
  const kept = standardization(JSON.parse(JSON.stringify({ mean: [...scale.mean], deviation: [...scale.deviation] })))
  assert.equal(kept.apply([[3, 1e6 + 2, 8]]), { data: Float64Array.of(0, 0, 1), shape: [1, 3] })
  const all = standardize(Float32Array.of(0, 2, 4, 6), { features: 2, per: 'all' })
  assert.equal([...all.mean], [3])
  assert.equal([...all.deviation], [Math.sqrt(5)])
  assert.instance(all.apply(Float32Array.of(3)).data, Float32Array)
  assert.throws(
    () =>
      standardize([
        [1, 2],
        [Number.NaN, 3],
      ]),
    /x, row 1, column 0: expected a finite number/,
  )
})

test('oneHot and argmax undo each other', () => {
  const labels = [2, 0, 1, 1]
  const { data, shape } = oneHot(labels, 4)
  assert.equal(shape, [4, 4])
  assert.equal([...argmax(data, 4)], labels)
  assert.is(
    data.reduce((a, b) => a + b),
    4,
  )
  assert.equal([...argmax(Float64Array.of(1, 3, 3, -5, -9, -7), 3)], [1, 0])
  assert.throws(() => oneHot([0, 3], 3), /labels, row 1: expected a class number from 0 to 2, received 3/)
  assert.throws(() => argmax(data, 3), /classes: expected a whole number that divides 16/)
})

test.run()
