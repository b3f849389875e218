// Targets that the loss cannot mean are refused when `fit` begins, with the row and what was probably meant.
import {
  binaryCrossEntropy,
  customLoss,
  dataset,
  dense,
  meanSquaredError,
  sequential,
  sgd,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const range = suite('target-range')

function model(outputs, loss) {
  const made = sequential({ input: [2], seed: 1 }, [dense(outputs)])
  return made.compile({ loss, optimizer: sgd() })
}
const examples = (y) => ({ x: y.map((_, i) => [i % 2, 1]), y })

/** What `fit`, `evaluate` and a stream of pieces say; all the same. */
async function refused(outputs, loss, data) {
  const messages = []
  for (const call of [
    (of) => of.fit(data, { epochs: 1, quiet: true }).done,
    (of) => of.evaluate(data),
    (of) => of.fit(() => [data], { epochs: 1, quiet: true }).done,
  ]) {
    try {
      await call(model(outputs, loss))
      messages.push('nothing')
    } catch (error) {
      assert.is(error.code, 'GRADUS_INVALID_DATA', error.message)
      messages.push(error.message)
    }
  }
  assert.is(new Set(messages).size, 1, messages.join('\n'))
  return messages[0]
}

const probability = 'expected 0 for no, 1 for yes or a probability between them'

range('binary cross-entropy takes targets from 0 to 1', async () => {
  const of = (y, outputs = 1) => refused(outputs, binaryCrossEntropy(), examples(y))
  assert.is(await of([1, 2, 1, 2]), `y, row 1: ${probability}, received 2; the labels begin at 1: subtract 1`)
  assert.is(await of([1, -1, 1]), `y, row 1: ${probability}, received -1; labels of −1 and 1 become (y + 1) / 2`)
  assert.is(await of([0, 100, 37]), `y, row 1: ${probability}, received 100; percent: divide by 100`)
  const classes = 'for class numbers softmaxCrossEntropy() with an output for each, for quantities meanSquaredError()'
  assert.is(await of([0.5, -0.25]), `y, row 1: ${probability}, received -0.25; ${classes}`)
  assert.is(await of([0, 1, 3, 2]), `y, row 2: ${probability}, received 3; ${classes}`)
  const rows = [
    [0, 1, 0],
    [1, 0, 1.5],
  ]
  assert.is(await of(rows, 3), `y, row 1, column 2: ${probability}, received 1.5; ${classes}`)
  const bytes = { x: examples([0, 0, 0]).x, y: Uint8Array.of(1, 2, 1) }
  assert.match(
    await refused(1, binaryCrossEntropy(), bytes),
    /row 1: .* received 2; the labels begin at 1: subtract 1$/,
  )
  const late = examples(Array.from({ length: 20_000 }, (_, i) => (i === 19_998 ? 2 : 1)))
  assert.match(await refused(1, binaryCrossEntropy(), late), /row 19998: .*subtract 1$/)
})

range('soft targets of softmax cross-entropy are shares of 1', async () => {
  const of = (y, outputs = 2) => refused(outputs, softmaxCrossEntropy(), examples(y))
  const shares = 'expected the probabilities of the classes, from 0 to 1 and 1 in all'
  assert.is(
    await of([
      [0.5, 0.5],
      [70, 30],
    ]),
    `y, row 1: ${shares}, received 100 in all; percent: divide by 100`,
  )
  assert.is(
    await of([
      [0.5, 0.5],
      [1.5, -0.5],
    ]),
    `y, row 1, column 0: ${shares}, received 1.5`,
  )
  assert.is(await of([[-0.5, 1.5]]), `y, row 0, column 0: ${shares}, received -0.5`)
  const several = 'several classes at once are yes-or-no outputs: binaryCrossEntropy()'
  assert.is(
    await of(
      [
        [1, 0, 0],
        [1, 1, 0],
      ],
      3,
    ),
    `y, row 1: ${shares}, received 2 in all; ${several}`,
  )
  assert.is(
    await of([[0, 0]]),
    `y, row 0: ${shares}, received 0 in all; for an example that is to count nothing sampleWeights`,
  )
  const bytes = {
    x: [
      [0, 1],
      [1, 1],
    ],
    y: { data: Uint8Array.of(255, 0, 255, 255), shape: [2, 2], scale: 1 / 255 },
  }
  assert.is(await refused(2, softmaxCrossEntropy(), bytes), `y, row 1: ${shares}, received 2 in all; ${several}`)
})

range('class numbers that begin at 1 are told so', async () => {
  const of = (y) => refused(3, softmaxCrossEntropy(), examples(y))
  assert.is(
    await of([1, 2, 3]),
    'y, row 2: expected a class number from 0 to 2, received 3; the labels begin at 1: subtract 1',
  )
  assert.is(await of([1, 0, 3]), 'y, row 2: expected a class number from 0 to 2, received 3')
  assert.is(await of([1, 3, 4]), 'y, row 1: expected a class number from 0 to 2, received 3')
  assert.is(await of([1, -1]), 'y, row 1: expected a class number from 0 to 2, received -1')
})

range('what a loss can mean passes: rounding, smoothing, other losses on the same dataset', async () => {
  const fits = async (outputs, loss, y) => {
    const { loss: found } = await model(outputs, loss).evaluate(examples(y))
    assert.ok(Number.isFinite(found) && found > 0)
  }
  await fits(1, binaryCrossEntropy(), [0, 1, 0.3, 1 + 1e-7, -1e-7])
  await fits(3, softmaxCrossEntropy(), [
    [0.33, 0.33, 0.33],
    [0.05, 0.9, 0.05],
    [1, 0, 1e-7],
  ])
  await fits(1, meanSquaredError(), [1, 2, -5])
  const own = customLoss({
    name: 'own',
    forward: (output, _, { batch }) => output.slice(0, batch).fill(1),
    backward: (output) => output.slice().fill(0),
    outputs: 'answers',
  })
  await fits(1, own, [-1, 1])
  const kept = dataset(examples([1, 2, 1]))
  await model(1, meanSquaredError()).evaluate(kept)
  await model(1, binaryCrossEntropy())
    .evaluate(kept)
    .then(
      () => assert.unreachable(),
      (error) => assert.match(error.message, /row 1: .* received 2/),
    )
})

range.run()
