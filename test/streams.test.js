// Data that come in pieces train as the same data in memory.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'
import { bitsOf, near, refusal, rows, sameWeights, smallModel, weightsOf, x, y } from './support/small-model.js'

function* batches(size) {
  for (let row = 0; row < rows; row += size) {
    yield { x: x.slice(5 * row, 5 * (row + size)), y: y.slice(row, row + size) }
  }
}

test('a stream of batches trains as the same data in memory, bit for bit', async () => {
  const options = { epochs: 3, shuffle: false, quiet: true }
  const resident = smallModel()
  const { loss } = await resident.fit({ x, y }, { ...options, batchSize: 8 }).done
  const streams = [
    [() => batches(8), {}],
    [() => batches(16), { batchSize: 8 }],
    [{ [Symbol.iterator]: () => batches(8) }, {}],
    [
      async function* () {
        for (const batch of batches(8)) yield await Promise.resolve(batch)
      },
      {},
    ],
  ]
  for (const [stream, others] of streams) {
    const model = smallModel()
    const history = await model.fit(stream, { ...options, ...others }).done
    assert.equal(history.loss, loss)
    assert.is(bitsOf(model), bitsOf(resident))
  }
  near((await resident.evaluate(() => batches(10))).loss, (await resident.evaluate({ x, y })).loss, 'loss')
})

test('batches and what is accumulated run across the pieces of a stream: the same updates as in memory, bit for bit', async () => {
  const weights = Float64Array.from(numbers(rows, 9), (value) => 1 + value / 2)
  const parts = (first, count) => ({
    x: x.subarray(first * 5, (first + count) * 5),
    y: y.subarray(first, first + count),
    sampleWeights: weights.subarray(first, first + count),
  })
  const memory = { ...parts(0, rows) }
  for (const [sizes, options] of [
    [[8, 8, 8, 8, 5], { batchSize: 32 }],
    [[3, 1, 20, 2, 11], { batchSize: 7 }],
    [[3, 1, 20, 2, 11], { batchSize: 5, accumulate: 3 }],
    [[16, 16, 5], { batchSize: 4, accumulate: 2 }],
    [[8, 8, 8, 8, 5], { accumulate: 4 }],
    [[37], { accumulate: 4, batchSize: 10 }],
    [[1, 0, 36], { batchSize: 6 }],
  ]) {
    let first = 0
    const made = sizes.map((size) => {
      first += size
      return parts(first - size, size)
    })
    // One array for all pieces, filled again for each: what is not trained yet must have been copied.
    const buffers = { x: new Float64Array(5 * rows), y: new Int32Array(rows), sampleWeights: new Float64Array(rows) }
    async function* refilled() {
      for (const piece of made) {
        const filled = Object.entries(piece).map(([name, values]) => {
          buffers[name].fill(9).set(values)
          return [name, buffers[name].subarray(0, values.length)]
        })
        yield Object.fromEntries(filled)
      }
    }
    const settings = { epochs: 2, shuffle: false, quiet: true, ...options }
    const [resident, streamed] = [smallModel(), smallModel()]
    await resident.fit(memory, { batchSize: 8, ...settings }).done
    await streamed.fit(refilled, settings).done
    const what = `${sizes} ${JSON.stringify(options)}`
    assert.is(streamed.program.step, resident.program.step, what)
    assert.is(bitsOf(streamed), bitsOf(resident), what)
  }
})

test('pieces of unlike kinds are joined by what they mean', async () => {
  const bytes = Uint8Array.from({ length: rows * 5 }, (_, i) => (i * 37) % 256)
  const float = Float64Array.from(bytes, (value) => value / 255)
  const options = { epochs: 2, batchSize: 8, shuffle: false, quiet: true }
  const stream = (kinds) => () =>
    kinds.map((kind, i) => {
      const [from, to] = [Math.floor((i * rows) / kinds.length), Math.floor(((i + 1) * rows) / kinds.length)]
      const table = kind === 'scaled' ? { data: bytes.subarray(5 * from, 5 * to), scale: 1 / 255 } : null
      const plain = (kind === 'float' ? float : bytes).subarray(5 * from, 5 * to)
      return {
        x: table ?? plain,
        y: y.subarray(from, to),
        ...(i === 1 && { sampleWeights: new Float64Array(to - from).fill(1) }),
      }
    })
  const trained = async (data) => {
    const model = smallModel()
    await model.fit(data, options)
    return model
  }
  const inBytes = await trained({ x: bytes, y })
  assert.is(bitsOf(await trained(stream(['bytes', 'bytes', 'scaled', 'bytes']))), bitsOf(inBytes))
  sameWeights(await trained(stream(['bytes', 'float', 'bytes', 'float'])), weightsOf(inBytes), 1e-5)
  const mixed = [
    { x: float.subarray(0, 15), y: y.subarray(0, 3) },
    {
      x: float.subarray(15, 30),
      y: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    },
  ]
  assert.match(await refusal(() => smallModel().fit(() => mixed, options)), /y: expected class numbers in all pieces/)
})

test('a stream that ends, fails or yields what does not fit ends the run with its error', async () => {
  const fitted = (stream) => refusal(() => smallModel().fit(stream, { epochs: 2, quiet: true }).done)
  assert.match(await fitted(batches(8)), /GRADUS_INVALID_ARGUMENT data: the iterable gave no examples in epoch 2/)
  const broken = async function* () {
    yield* batches(16)
    throw new RangeError('the disk is gone')
  }
  assert.is(await fitted(broken), 'undefined the disk is gone')
  assert.match(await fitted(() => [{ x: [[1, 2]], y: [0] }]), /GRADUS_INVALID_ARGUMENT x\[0\]: expected 5 numbers/)
  assert.match(await fitted(() => [7]), /GRADUS_INVALID_ARGUMENT data: expected examples as \{ x, y \}, received 7/)
})

test('a stream left early is told so', async () => {
  let isClosed = false
  const endless = async function* () {
    try {
      for (;;) yield* batches(8)
    } finally {
      isClosed = true
    }
  }
  const run = smallModel().fit(endless, { quiet: true, callbacks: [{ onStepsEnd: ({ stop }) => stop('enough') }] })
  const history = await run.done
  assert.equal([history.stoppedBy, history.epochs], ['enough', 0])
  for (let i = 0; i < 100 && !isClosed; i++) await new Promise(setImmediate)
  assert.ok(isClosed)
})

test.run()
