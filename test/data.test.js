import {
  add,
  argmax,
  dataset,
  dense,
  embedding,
  graph,
  input,
  meanSquaredError,
  multiclassHinge,
  oneHot,
  sequential,
  sgd,
  shuffle,
  softmaxCrossEntropy,
  split,
  standardization,
  standardize,
} from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { philox } from '../dist/data/random.js'

/** A model whose output 1·a + 10·b + 100·c shows which numbers it was given, and in which order. */
function revealing(dtype = 'float64') {
  const model = sequential({ input: [3], dtype }, [dense(1)])
  model.setWeights({
    'dense1.weight': { shape: [3, 1], data: Float64Array.of(1, 10, 100) },
    'dense1.bias': { shape: [1], data: Float64Array.of(0) },
  })
  return model
}

function classifier(options = {}) {
  const model = sequential({ input: [2], ...options }, [dense(3)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd(), metrics: ['accuracy'] })
  return model
}

async function refusal(promise) {
  try {
    await promise
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

const numbers = [1, 2, 3, 4, 5, 6]
const revealed = [321, 654]

for (const Type of [Float32Array, Float64Array, Int8Array, Int16Array, Uint16Array, Int32Array, Uint32Array]) {
  test(`a ${Type.name} is read row by row`, async () => {
    assert.equal([...(await revealing().predict(Type.from(numbers)))], revealed)
    assert.equal([...(await revealing('float32').predict(Type.from(numbers)))], revealed)
  })
}

test('nested arrays, arrays of typed arrays and tables are read alike', async () => {
  const model = revealing()
  const forms = [
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [Float32Array.of(1, 2, 3), [4, [5], [[6]]]],
    { data: Float64Array.from(numbers), shape: [2, 3] },
    { data: Int32Array.from(numbers), shape: [2, 1, 3] },
    {
      input: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    },
  ]
  for (const x of forms) assert.equal([...(await model.predict(x))], revealed)
})

test('a view into a larger buffer is read where it lies', async () => {
  const whole = Float64Array.of(9, 9, ...numbers, 9)
  assert.equal([...(await revealing().predict(whole.subarray(2, 8)))], revealed)
})

test('bytes mean v/255 unless a scale says otherwise', async () => {
  const model = revealing()
  const bytes = Uint8Array.of(51, 102, 255)
  const [byDefault] = await model.predict(bytes)
  assert.ok(Math.abs(byDefault - (0.2 + 4 + 100)) < 1e-12, String(byDefault))
  assert.equal([...(await model.predict({ data: bytes, scale: 1 }))], [51 + 1020 + 25500])
  assert.equal([...(await model.predict({ data: bytes, scale: 2, offset: -1 }))], [101 + 2030 + 50900])
  assert.equal([...(await model.predict({ data: Buffer.from(bytes), scale: 1 }))], [51 + 1020 + 25500])
})

test('several inputs come by their names', async () => {
  const left = input([2], { name: 'left' })
  const right = input([1], { name: 'right' })
  const model = graph({ inputs: [left, right], output: add(dense(1)(left), dense(1)(right)), dtype: 'float64' })
  const bias = { shape: [1], data: Float64Array.of(0) }
  model.setWeights({
    'dense1.weight': { shape: [2, 1], data: Float64Array.of(1, 10) },
    'dense1.bias': bias,
    'dense2.weight': { shape: [1, 1], data: Float64Array.of(100) },
    'dense2.bias': bias,
  })
  assert.equal(
    [
      ...(await model.predict({
        right: [[3], [6]],
        left: [
          [1, 2],
          [4, 5],
        ],
      })),
    ],
    revealed,
  )
  const onlyLeft = await refusal(model.predict({ left: [[1, 2]] }))
  assert.match(onlyLeft, /GRADUS_INVALID_ARGUMENT x: expected one column for each input \(left, right\)/)
  const uneven = await refusal(model.predict({ left: [[1, 2]], right: [[1], [2]] }))
  assert.match(uneven, /x\.right: expected 1 rows/)
})

test('no rows give no predictions', async () => {
  assert.is((await revealing().predict([])).length, 0)
})

test('a column of more than one slice arrives whole, and its bad value is found in its row', async () => {
  const model = revealing()
  const rows = 200_001
  const x = Float64Array.from({ length: 3 * rows }, (_, i) => i % 7)
  const out = await model.predict(x)
  const wrong = out.findIndex((value, r) => value !== x[3 * r] + 10 * x[3 * r + 1] + 100 * x[3 * r + 2])
  assert.is(wrong, -1)
  x[3 * 190_000 + 2] = Number.NaN
  const nan = await refusal(model.predict(x))
  assert.is(nan, 'GRADUS_INVALID_DATA x, row 190000, column 2: expected a finite float64 number, received NaN')
})

test('what is not finite is refused with its place', async () => {
  const model = revealing('float32')
  assert.match(
    await refusal(
      model.predict([
        [1, 2, 3],
        [4, Infinity, 6],
      ]),
    ),
    /GRADUS_INVALID_DATA x, row 1, column 1:/,
  )
  assert.match(
    await refusal(model.predict([[1, 2, 1e39]])),
    /row 0, column 2: expected a finite float32 number, .* 1e\+39/,
  )
})

test('shapes that do not fit are refused', async () => {
  const model = revealing()
  const cases = [
    [
      [
        [1, 2, 3],
        [4, 5],
      ],
      /x\[1\]: expected 3 numbers/,
    ],
    [
      [
        [1, 2, 3],
        [4, 5, 6, 7],
      ],
      /x\[1\]: expected 3 numbers/,
    ],
    [[[1, 2, 'three']], /x\[0\]: expected numbers, received "three"/],
    [Float32Array.of(1, 2, 3, 4), /x: expected a multiple of 3 numbers/],
    [
      { data: Float32Array.from(numbers), shape: [3, 2] },
      /x: expected 3 numbers an example, received the shape \[3,2\]/,
    ],
    [{ data: Float32Array.from(numbers), shape: [3, 3] }, /x: expected 9 numbers for the shape \[3,3\]/],
    [{ data: Float32Array.from(numbers), scale: 2 }, /x\.scale: expected scale and offset only with a Uint8Array/],
    [BigInt64Array.of(1n, 2n, 3n), /x: expected/],
    ['abc', /x: expected/],
    [null, /x: expected/],
  ]
  for (const [x, message] of cases) {
    const said = await refusal(model.predict(x))
    assert.match(said, /^GRADUS_INVALID_ARGUMENT /)
    assert.match(said, message)
  }
})

test('an array transferred away is refused, never read', async () => {
  const long = new Float32Array(3 << 18)
  const promise = revealing().predict(long)
  structuredClone(long.buffer, { transfer: [long.buffer] })
  assert.match(await refusal(promise), /GRADUS_INVALID_ARGUMENT x: expected still 786432 numbers/)
})

test('labels are checked against the number of classes', async () => {
  const model = classifier()
  const x = [
    [1, 2],
    [3, 4],
    [5, 6],
  ]
  const evaluated = (y) => refusal(model.evaluate({ x, y }))
  assert.is(await evaluated([0, 1, 3]), 'GRADUS_INVALID_DATA y, row 2: expected a class number from 0 to 2, received 3')
  assert.match(await evaluated(Int8Array.of(0, -1, 2)), /GRADUS_INVALID_DATA y, row 1: .* received -1/)
  assert.match(await evaluated(Float64Array.of(0.5, 1, 2)), /GRADUS_INVALID_DATA y, row 0: .* received 0.5/)
  assert.match(await evaluated([0, 1]), /GRADUS_INVALID_ARGUMENT y: expected 3 rows/)
  assert.match(
    await evaluated([
      [0, 1],
      [1, 0],
      [1, 0],
    ]),
    /y: expected 1 class number or 3 numbers an example/,
  )
  assert.match(await refusal(model.evaluate({ x })), /GRADUS_INVALID_ARGUMENT y: expected the targets/)
})

test('labels in any array and one-hot rows mean the same', async () => {
  const model = classifier({ dtype: 'float64', seed: 3 })
  const x = [
    [1, 2],
    [-3, 4],
    [5, -6],
  ]
  const { loss, accuracy } = await model.evaluate({ x, y: [2, 0, 1] })
  for (const y of [Uint8Array.of(2, 0, 1), Int32Array.of(2, 0, 1), Float32Array.of(2, 0, 1)]) {
    assert.is((await model.evaluate({ x, y })).loss, loss)
  }
  for (const y of [
    oneHot([2, 0, 1]),
    [
      [0, 0, 1],
      [1, 0, 0],
      [0, 1, 0],
    ],
    { data: Uint8Array.of(0, 0, 1, 1, 0, 0, 0, 1, 0) },
  ]) {
    const dense = await model.evaluate({ x, y })
    assert.ok(Math.abs(dense.loss - loss) < 1e-12)
    assert.is(dense.accuracy, accuracy)
  }
})

test('bytes as targets mean themselves', async () => {
  const model = revealing()
  model.compile({ loss: meanSquaredError(), optimizer: sgd() })
  const x = [
    [1, 0, 0],
    [2, 0, 0],
  ]
  assert.is((await model.evaluate({ x, y: Uint8Array.of(1, 2) })).loss, 0)
})

test('a loss on labels refuses dense targets', async () => {
  const model = sequential({ input: [2] }, [dense(3)])
  model.compile({ loss: multiclassHinge(), optimizer: sgd() })
  const said = await refusal(model.evaluate({ x: [[1, 2]], y: [[0, 1, 0]] }))
  assert.match(said, /GRADUS_INVALID_ARGUMENT y: expected 1 class number an example, received "3 numbers"/)
})

test('sample weights are checked', async () => {
  const model = classifier()
  const examples = {
    x: [
      [1, 2],
      [3, 4],
    ],
    y: [0, 1],
  }
  const evaluated = (sampleWeights) => refusal(model.evaluate({ ...examples, sampleWeights }))
  assert.match(await evaluated([1, -1]), /GRADUS_INVALID_DATA sampleWeights, row 1: expected a finite number from 0 up/)
  assert.match(await evaluated([1]), /GRADUS_INVALID_ARGUMENT sampleWeights: expected 2 rows/)
})

test('indices of an embedding are checked against its vocabulary', async () => {
  const model = sequential({ input: [2], dtype: 'float64' }, [embedding(5, 3)])
  assert.is((await model.predict(Uint8Array.of(0, 4, 2, 2))).length, 12)
  assert.match(
    await refusal(model.predict([[0, 5]])),
    /GRADUS_INVALID_DATA x, row 0, column 1: .* from 0 to 4, received 5/,
  )
})

test('a dataset serves several models and calls, until it is disposed', async () => {
  const data = dataset({
    x: [
      [1, 2],
      [3, 4],
    ],
    y: [0, 1],
  })
  const [small, large] = [classifier({ seed: 1 }), classifier({ seed: 1, dtype: 'float64' })]
  const first = await small.evaluate(data)
  assert.equal(await small.evaluate(data), first)
  assert.ok(Math.abs((await large.evaluate(data)).loss - first.loss) < 1e-5)
  assert.is((await small.predict(data)).length, 6)
  data.dispose()
  assert.match(await refusal(small.evaluate(data)), /GRADUS_DISPOSED/)
})

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
