import { inspect } from 'node:util'
import {
  add,
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
  softmaxCrossEntropy,
} from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'

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
    assert.equal([...(await revealing().predict(Type.from(numbers))).data], revealed)
    assert.equal([...(await revealing('float32').predict(Type.from(numbers))).data], revealed)
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
  for (const x of forms) assert.equal([...(await model.predict(x)).data], revealed)
})

test('a view into a larger buffer is read where it lies', async () => {
  const whole = Float64Array.of(9, 9, ...numbers, 9)
  assert.equal([...(await revealing().predict(whole.subarray(2, 8))).data], revealed)
})

test('memory shared between threads is copied like any other', async () => {
  const shared = new Float64Array(new SharedArrayBuffer(48))
  shared.set(numbers)
  assert.equal([...(await revealing().predict(shared)).data], revealed)
  const bytes = new Uint8Array(new SharedArrayBuffer(3)).fill(1)
  assert.equal([...(await revealing().predict({ data: bytes, scale: 1 })).data], [111])
})

test('bytes mean v/255 unless a scale says otherwise', async () => {
  const model = revealing()
  const bytes = Uint8Array.of(51, 102, 255)
  const [[byDefault]] = await model.predict(bytes)
  assert.ok(Math.abs(byDefault - (0.2 + 4 + 100)) < 1e-12, String(byDefault))
  assert.equal([...(await model.predict({ data: bytes, scale: 1 })).data], [51 + 1020 + 25500])
  assert.equal([...(await model.predict({ data: bytes, scale: 2, offset: -1 })).data], [101 + 2030 + 50900])
  assert.equal([...(await model.predict({ data: Buffer.from(bytes), scale: 1 })).data], [51 + 1020 + 25500])
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
      ...(
        await model.predict({
          right: [[3], [6]],
          left: [
            [1, 2],
            [4, 5],
          ],
        })
      ).data,
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
  const wrong = out.data.findIndex((value, r) => value !== x[3 * r] + 10 * x[3 * r + 1] + 100 * x[3 * r + 2])
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
    [[[1, 2, 'three']], /x\[0\]: expected numbers \(names of classes stand in y, .*\), received "three"/],
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
  assert.match(said, /GRADUS_INVALID_ARGUMENT y: expected 1 class number an example, received 3/)
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
  assert.is((await model.predict(Uint8Array.of(0, 4, 2, 2))).data.length, 12)
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
  const [small, large] = [classifier({ seed: 1 }), classifier({ dtype: 'float64' })]
  large.setWeights(small.getWeights())
  const first = await small.evaluate(data)
  assert.equal(await small.evaluate(data), first)
  assert.ok(Math.abs((await large.evaluate(data)).loss - first.loss) < 1e-5)
  assert.equal((await small.predict(data)).shape, [2, 3])
  data.dispose()
  assert.match(await refusal(small.evaluate(data)), /GRADUS_DISPOSED/)
})

test('a dataset lets go of the arrays when it is disposed', async () => {
  const data = dataset({ x: numbers, y: [1, 2, 3, 4, 5, 6] })
  assert.is(data.examples.x, numbers)
  data.dispose()
  assert.throws(() => data.examples, /The dataset was disposed: make a new one/)
  assert.match(await refusal(classifier().evaluate(data)), /^GRADUS_DISPOSED /)
})

test('a disposed dataset and one that holds itself print themselves', () => {
  const circle = [1]
  circle[0] = circle
  assert.match(inspect(dataset({ x: circle })), /^Dataset\(x: array \[1, 1, /)
  const data = dataset({ x: [[1]] })
  data.dispose()
  assert.is(inspect(data), 'Dataset(disposed)')
})

test('rows are read as a model sees them, in the order of the view', () => {
  const real = { name: 'x', type: 'float32', shape: [3] }
  const label = { name: 'y', type: 'int32', shape: [] }
  const weight = { name: 'w', type: 'float32', shape: [] }
  const bytes = { name: 'bytes', type: 'uint8', shape: [2], scale: 0.1, offset: -0.3 }
  const wide = { name: 'wide', type: 'float64', shape: [1, 2] }
  const made = new native.Dataset(4, [real, bytes, wide], label, weight)
  const values = Float32Array.from({ length: 12 }, (_, i) => i / 7)
  made.write('input', 0, 0, values)
  made.write('input', 1, 0, Uint8Array.of(0, 1, 2, 3, 4, 255, 6, 7))
  made.write('input', 2, 0, Float64Array.of(0.1, 1, 2, 3, 4, 5, 6, 7))
  made.write('target', 0, 0, Int32Array.of(5, -6, 7, 8))
  assert.equal(made.read('input', 0, 1, 2), values.slice(3, 9))
  assert.equal(made.read('input', 2, 0, 1), Float64Array.of(0.1, 1))
  assert.equal(made.read('target', 0, 0, 4), Int32Array.of(5, -6, 7, 8))
  assert.equal(made.read('weight', 0, 2, 2), new Float32Array(2))
  const scaled = (...all) => Float32Array.from(all, (x) => x * Math.fround(0.1) + Math.fround(-0.3))
  assert.equal(made.read('input', 1, 2, 2), scaled(4, 255, 6, 7))
  const view = made.subset(Uint32Array.of(3, 2, 0))
  assert.equal(view.read('input', 1, 1, 2), scaled(4, 255, 0, 1))
  assert.equal(view.read('target', 0, 0, 3), Int32Array.of(8, 7, 5))
  assert.is(view.read('input', 0, 3, 0).length, 0)
  // A copy: what is done to it stays there.
  made.read('input', 0, 0, 4).fill(9)
  assert.equal(made.read('input', 0, 0, 4), values)
})

test.run()
