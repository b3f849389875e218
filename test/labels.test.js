// Names of classes as targets, and the numbers that stand for them.
import {
  adam,
  binaryCrossEntropy,
  dataset,
  dense,
  meanSquaredError,
  sanityCheck,
  sequential,
  shuffle,
  softmaxCrossEntropy,
  split,
} from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadAhead } from '../dist/data/stream.js'

const requirements = (more = {}) => ({
  dtype: 'float32',
  inputs: [{ name: 'input', shape: [1], kind: 'real' }],
  outputShape: [3],
  targets: 'either',
  ...more,
})

/** The targets as they lie in native memory. */
async function targets(examples, more) {
  const copy = await dataset(examples).resident(requirements(more))
  return copy.read('target', 0, 0, copy.size)
}

const animals = { x: [[1], [2], [3], [4]], y: ['dog', 'cat', 'Elk', 'cat'] }

async function refusal(act) {
  try {
    await act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

test('names are numbered in the order of their codes', async () => {
  const data = dataset(animals)
  assert.equal(data.classes, ['Elk', 'cat', 'dog'])
  assert.equal(await targets(animals), Int32Array.of(2, 1, 0, 1))
  assert.is(dataset({ x: [[1]], y: [0] }).classes, undefined)
  assert.is(dataset({ x: [[1]] }).classes, undefined)
})

test('classes give the order, for data that lack some of them', async () => {
  const classes = ['cat', 'dog', 'Elk']
  assert.equal(await targets({ ...animals, classes }), Int32Array.of(1, 0, 2, 0))
  assert.equal(await targets({ x: [[1]], y: ['Elk'], classes }), Int32Array.of(2))
  assert.equal(dataset({ ...animals, classes }).classes, classes)
})

test('a model with names of its own gets its numbers, whatever those of the data are', async () => {
  const known = { conventions: { classes: ['ant', 'cat', 'dog'] } }
  const few = { x: [[1], [2], [3]], y: ['dog', 'cat', 'dog'] }
  assert.equal(await targets(few, known), Int32Array.of(2, 1, 2))
  // As a second file has them, numbered apart.
  const numbered = { x: [[1], [2], [3]], y: Int32Array.of(1, 0, 1), classes: ['cat', 'dog'] }
  assert.equal(await targets(numbered, known), Int32Array.of(2, 1, 2))
  assert.equal(await targets({ x: [[1]], y: [2] }, known), Int32Array.of(2))
  // One dataset for two models.
  const data = dataset(few)
  const [a, b] = [await data.resident(requirements(known)), await data.resident(requirements())]
  assert.equal([a.read('target', 0, 0, 3), b.read('target', 0, 0, 3)], [Int32Array.of(2, 1, 2), Int32Array.of(1, 0, 1)])
  assert.is(
    await refusal(() => targets(animals, known)),
    'GRADUS_INVALID_DATA y, row 2: expected one of the classes ant, cat, dog, received "Elk"',
  )
  const outOfRange = { x: [[1]], y: [2], classes: ['cat', 'dog'] }
  assert.is(
    await refusal(() => targets(outOfRange, known)),
    'GRADUS_INVALID_DATA y, row 0: expected a class number from 0 to 1, received 2',
  )
})

test('a name that is no class is told with its row and the nearest', async () => {
  const classes = ['setosa', 'versicolor', 'virginica']
  const wrong = async (y) => await refusal(() => dataset({ x: [[1], [2]], y, classes }))
  const known = 'setosa, versicolor, virginica'
  assert.is(
    await wrong(['setosa', 'versicolour']),
    `GRADUS_INVALID_DATA y, row 1: expected one of the classes ${known}, received "versicolour"; did you mean "versicolor"?`,
  )
  assert.is(
    await wrong(['rose', 'setosa']),
    `GRADUS_INVALID_DATA y, row 0: expected one of the classes ${known}, received "rose"`,
  )
  assert.match(await wrong(['Setosa', 'setosa']), /row 0: .*did you mean "setosa"\?$/)
  const many = Array.from({ length: 1000 }, (_, i) => `class ${i}`)
  const message = await refusal(() => dataset({ x: [[1]], y: ['nothing like it'], classes: many }))
  assert.match(message, /expected one of the classes class 0, .* class 7 and 992 more, received "nothing like it"$/)
})

test('what is no name among names, and what is no list of classes, is refused', async () => {
  const rows = [[1], [2]]
  for (const [y, received] of [
    [['a', 3], '3'],
    [['a', null], 'null'],
    [['a', ''], '""'],
    [['a', ' '], '" "'],
    [['a', ['b']], 'an array of length 1'],
  ]) {
    const expected = 'the name of a class, as in the first row'
    assert.is(
      await refusal(() => dataset({ x: rows, y })),
      `GRADUS_INVALID_DATA y, row 1: expected ${expected}, received ${received}`,
    )
  }
  const classes = async (given) => await refusal(() => dataset({ x: rows, y: ['a', 'b'], classes: given }))
  assert.match(await classes('ab'), /^GRADUS_INVALID_ARGUMENT classes: expected the names of the classes, in order/)
  assert.match(await classes([]), /classes: expected the names/)
  assert.match(await classes(['a', 3]), /classes\[1\]: expected the name of a class, received 3/)
  assert.match(await classes(['a', 'a']), /classes\[1\]: expected different names, received "a"/)
})

test('a loss on numbers takes two names as no and yes, and no more', async () => {
  const more = { targets: 'dense', outputShape: [1] }
  assert.equal(await targets({ x: [[1], [2]], y: ['yes', 'no'] }, more), Float32Array.of(1, 0))
  const renamed = { x: [[1], [2]], y: ['no', 'yes'] }
  assert.equal(await targets(renamed, { ...more, conventions: { classes: ['yes', 'no'] } }), Float32Array.of(1, 0))
  assert.match(
    await refusal(() => targets(animals, more)),
    /y: expected numbers shaped as the output \[1\], received the names of 3 classes \(Elk, cat, dog\); .*softmaxCrossEntropy/,
  )
  assert.match(await refusal(() => targets(animals, { ...more, outputShape: [3] })), /received the names of 3 classes/)
  const tooMany = { x: [[1], [2], [3], [4]], y: ['a', 'b', 'c', 'd'] }
  assert.is(
    await refusal(() => targets(tooMany)),
    'GRADUS_INVALID_ARGUMENT y: expected at most 3 classes, as many as the last layer has outputs, received 4 classes (a, b, c, d)',
  )
})

test('rows of one number a class keep their order, or are refused', async () => {
  const oneHot = { x: [[1]], y: [[0, 0, 1]], classes: ['a', 'b', 'c'] }
  assert.equal(await targets(oneHot, { conventions: { classes: ['a', 'b', 'c'] } }), Float32Array.of(0, 0, 1))
  assert.match(
    await refusal(() => targets(oneHot, { conventions: { classes: ['c', 'b', 'a'] } })),
    /classes: expected those of the model, c, b, a, received a, b, c/,
  )
})

test('split and shuffle keep the names of all classes', () => {
  const examples = { x: Array.from({ length: 20 }, (_, i) => [i]), y: Array.from('aaaaaaaaaabbbbbbbbbb') }
  examples.y[19] = 'c'
  const { train, test: held } = split(examples, { fraction: 0.3 })
  assert.equal(train.classes, ['a', 'b', 'c'])
  assert.equal(held.classes, ['a', 'b', 'c'])
  for (const part of [train, held, shuffle(examples)]) {
    for (const [i, [row]] of part.x.entries()) assert.is(part.y[i], examples.y[row])
  }
  const { test: fair } = split({ ...examples, y: Array.from('aaaaaaaaaabbbbbbbbbb') }, { stratify: true })
  assert.equal(fair.y.sort(), ['a', 'a', 'b', 'b'])
})

test('pieces of a stream share their classes', async () => {
  const read = async (pieces, more) => {
    const numbers = []
    for await (const piece of loadAhead(pieces, requirements(more))) {
      numbers.push(...piece.read('target', 0, 0, piece.size))
    }
    return numbers
  }
  const piece = (y, classes) => ({ x: y.map(() => [0]), y, ...(classes && { classes }) })
  const classes = ['a', 'b', 'c']
  assert.equal(await read([piece(['b']), piece(['c', 'a'])], { conventions: { classes } }), [1, 2, 0])
  assert.equal(await read([piece(['b'], classes), piece(['c', 'a'], classes)]), [1, 2, 0])
  assert.equal(await read([piece(['b'], classes), piece(['c', 'a'])]), [1, 2, 0])
  const message = /classes: expected the names of all classes, with each piece of a stream/
  assert.match(await refusal(() => read([piece(['b']), piece(['a'])])), message)
})

test('a bad first piece closes the generator that made it', async () => {
  let isClosed = false
  function* pieces() {
    try {
      yield { x: [[Number.NaN]], y: [0] }
    } finally {
      isClosed = true
    }
  }
  assert.match(await refusal(() => loadAhead(pieces(), requirements()).next()), /x, row 0: expected a finite/)
  assert.ok(isClosed)
})

test('a model learns names, with its checks', async () => {
  const x = Array.from({ length: 300 }, (_, i) => [((i * 7) % 100) / 50 - 1])
  const examples = { x, y: x.map(([value]) => (value < -0.3 ? 'low' : value < 0.4 ? 'middle' : 'high')) }
  const model = sequential({ input: [1], seed: 3 }, [dense(3)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 0.1 }), metrics: ['accuracy'] })
  const report = await sanityCheck(model, examples)
  assert.is(report.checks.find(({ name }) => name === 'targets').passed, true)
  await model.fit(examples, { epochs: 60, quiet: true }).done
  assert.ok((await model.evaluate(examples)).accuracy > 0.95)
  const binary = sequential({ input: [1], seed: 3 }, [dense(1)])
  binary.compile({ loss: binaryCrossEntropy(), optimizer: adam({ learningRate: 0.1 }) })
  const answers = { x, y: x.map(([value]) => (value < 0 ? 'no' : 'yes')) }
  await binary.fit(answers, { epochs: 60, quiet: true }).done
  assert.ok((await binary.predict([[0.5]]))[0][0] > 0)
  const squares = sequential({ input: [1] }, [dense(1)])
  squares.compile({ loss: meanSquaredError(), optimizer: adam() })
  assert.match(await refusal(() => squares.evaluate(examples)), /received the names of 3 classes \(high, low, middle\)/)
})

test('true and false are 1 and 0, wherever numbers are taken in lists', async () => {
  const answers = [true, false, false, true]
  const x = [[1], [2], [3], [4]]
  assert.equal(await targets({ x, y: answers }), Int32Array.of(1, 0, 0, 1))
  assert.equal(await targets({ x, y: answers }, { targets: 'dense', outputShape: [1] }), Float32Array.of(1, 0, 0, 1))
  const pairs = { x, y: answers.map((answer) => [answer, !answer]) }
  assert.equal(await targets(pairs, { targets: 'dense', outputShape: [2] }), Float32Array.of(1, 0, 0, 1, 0, 1, 1, 0))
  const trained = async (y) => {
    const model = sequential({ input: [1], seed: 1 }, [dense(1)])
    model.compile({ loss: binaryCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] })
    return [
      await model.fit({ x, y }, { epochs: 2, quiet: true }).then(({ loss }) => loss),
      await model.predict([[true]]),
    ]
  }
  assert.equal(await trained(answers), await trained(answers.map(Number)))
  assert.equal(split({ x, y: answers }, { fraction: 0.5, stratify: true }).test.y.toSorted(), [false, true])
})

test.run()
