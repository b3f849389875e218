// Arrays of another realm, as vm contexts and Jest make them: no `instanceof` of this one holds for them.
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import {
  argmax,
  dataset,
  dense,
  meanSquaredError,
  oneHot,
  readCsv,
  readIdx,
  readNpy,
  sequential,
  sgd,
  shuffle,
  softmaxCrossEntropy,
  split,
  standardization,
  standardize,
  window,
} from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const context = createContext({})
/** The same array, made there. */
const foreign = (array) => {
  const made = runInContext(array.constructor === Array ? 'Array' : array.constructor.name, context).from(array)
  assert.not.ok(made instanceof Object)
  return made
}
const nested = (rows) => foreign(rows.map((row) => foreign(row)))

const types = [
  Float32Array,
  Float64Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
]
for (const Type of types) {
  test(`a ${Type.name} of another realm means what one of ours does`, async () => {
    const model = sequential({ input: [2], seed: 1 }, [dense(3)])
    model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
    const [x, y] = [Type.from([1, 2, 3, 4, 5, 6]), Type.from([0, 1, 2])]
    assert.equal(await model.evaluate({ x: foreign(x), y: foreign(y) }), await model.evaluate({ x, y }))
    for (const made of [
      foreign(x),
      { data: foreign(x), shape: foreign([3, 2]) },
      nested(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ].map((row) => Type.from(row)),
      ),
    ]) {
      if (Type === Uint8ClampedArray && Array.isArray(made)) continue // nested bytes are numbers, not v / 255
      assert.equal([...(await model.predict(made)).data], [...(await model.predict(x)).data])
      assert.equal([...model.predictSync(made).data], [...model.predictSync(x).data])
    }
    const weights = foreign(Type.from([1, 0, 2]))
    assert.equal(
      await model.evaluate({ x, y, sampleWeights: weights }),
      await model.evaluate({ x, y, sampleWeights: [1, 0, 2] }),
    )
  })
}

test('bytes keep their scale', async () => {
  const model = sequential({ input: [2], seed: 1 }, [dense(1)])
  model.compile({ loss: meanSquaredError(), optimizer: sgd() })
  const bytes = Uint8Array.of(10, 200)
  assert.equal([...(await model.predict(foreign(bytes))).data], [...(await model.predict(bytes)).data])
  const table = { data: foreign(bytes), shape: [1, 2], scale: 0.5, offset: 1 }
  assert.equal([...(await model.predict(table)).data], [...(await model.predict({ ...table, data: bytes })).data])
})

test('helpers take them', () => {
  const x = [
    [1, 20],
    [3, 60],
    [5, 10],
    [7, 40],
  ]
  const flat = Float64Array.from(x.flat())
  const scale = standardize({ data: foreign(flat), shape: [4, 2] })
  assert.equal([...scale.mean], [...standardize(x).mean])
  assert.equal(scale.apply(foreign(flat)).data, standardize(x).apply(flat).data)
  assert.equal(
    [...standardization({ mean: foreign([1]), deviation: foreign(Float64Array.of(2)) }).apply([5]).data],
    [2],
  )
  assert.equal(oneHot(foreign([0, 2])).data, oneHot([0, 2]).data)
  assert.equal(oneHot(foreign(Int32Array.of(0, 2))).data, oneHot([0, 2]).data)
  assert.equal([...argmax(foreign(Float32Array.of(1, 3, 2, 5, 4, 0)), 3)], [1, 0])
  const examples = { x: nested(x), y: foreign(Int32Array.of(0, 1, 0, 1)) }
  const { train, test: held } = split(examples, { stratify: true, fraction: 0.5, groupBy: undefined })
  assert.equal(
    [[...train.y].sort(), [...held.y].sort()],
    [
      [0, 1],
      [0, 1],
    ],
  )
  assert.equal([...shuffle(examples, { seed: 1 }).y].sort(), [0, 0, 1, 1])
  assert.is(split(examples, { groupBy: foreign(Uint8Array.of(1, 1, 2, 2)), fraction: 0.5 }).test.y.length, 2)
  assert.equal([...window(foreign(flat), { length: 7 }).y.data], [40])
})

test('names of classes', async () => {
  const data = dataset({ x: nested([[1], [2]]), y: foreign(['dog', 'cat']), classes: foreign(['cat', 'dog']) })
  assert.equal([...data.classes], ['cat', 'dog'])
})

test('bytes of files', async () => {
  const idx = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9)
  for (const bytes of [idx, gzipSync(idx)])
    assert.equal([...(await readIdx(foreign(Uint8Array.from(bytes)))).data], [7, 9])
  const header = `${"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }".padEnd(117)}\n`
  const npy = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'),
    Buffer.from(header),
    Buffer.of(0, 0, 192, 63),
  ])
  assert.equal([...(await readNpy(foreign(Uint8Array.from(npy)))).data], [1.5])
  assert.equal([...(await readCsv(foreign(Uint8Array.from(Buffer.from('a\n3\n'))))).x.data], [3])
})

test.run()
