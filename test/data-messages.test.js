// What is said about data that do not fit, in full.
import { dataset, dense, meanSquaredError, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

function compiled(loss = softmaxCrossEntropy(), outputs = 3) {
  const model = sequential({ input: [4] }, [dense(outputs)])
  model.compile({ loss, optimizer: sgd() })
  return model
}

async function refusal(act) {
  try {
    await act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

const x = Array.from({ length: 10 }, () => [1, 2, 3, 4])
const y = Int32Array.from({ length: 10 }, (_, i) => i % 3)

async function saysOf(cases, act) {
  for (const [given, sentence] of cases) assert.is(await refusal(() => act(given)), sentence)
}

test('shapes', async () => {
  const wrong = x.with(1, [1, 2, 3])
  const flat = new Float32Array(40)
  const cases = [
    [{ x: wrong, y }, 'GRADUS_INVALID_ARGUMENT x[1]: expected 4 numbers, received 3'],
    [
      { x: [1, 2, 3, 4], y: [0] },
      'GRADUS_INVALID_ARGUMENT x: expected an array of 4 numbers for each example (a single one is [[1,2,3,4]]), received an array of length 4',
    ],
    [
      { x, y: y.subarray(1) },
      'GRADUS_INVALID_ARGUMENT y: expected 10 rows (a multiple of 10 numbers), received an Int32Array of length 9',
    ],
    [
      { x: y, y: flat },
      "GRADUS_INVALID_ARGUMENT x: expected a multiple of 4 numbers, one example's, received an Int32Array of length 10; were x and y mixed up?",
    ],
    [
      { x: [...y], y: x },
      'GRADUS_INVALID_ARGUMENT x: expected an array of 4 numbers for each example (a single one is [[…]]), received an array of length 10; were x and y mixed up?',
    ],
    [
      { x: flat.subarray(1), y },
      "GRADUS_INVALID_ARGUMENT x: expected a multiple of 4 numbers, one example's, received a Float32Array of length 39",
    ],
    [
      { x, y: flat.subarray(0, 20) },
      'GRADUS_INVALID_ARGUMENT y: expected 1 class number or 3 numbers an example, received 2',
    ],
    [{ x: { a: flat }, y }, 'GRADUS_INVALID_ARGUMENT x: expected one column of numbers, received { a }'],
    [{ x }, 'GRADUS_INVALID_ARGUMENT y: expected the targets, received undefined'],
    [
      { x, y: null },
      'GRADUS_INVALID_ARGUMENT y: expected a typed array, nested arrays of numbers or { data, shape }, received null',
    ],
    [[x, y], 'GRADUS_INVALID_ARGUMENT data: expected examples as { x, y }, received an array of length 2'],
    [flat, 'GRADUS_INVALID_ARGUMENT data: expected examples as { x, y }, received a Float32Array of length 40'],
    ['file.csv', 'GRADUS_INVALID_ARGUMENT data: expected examples as { x, y }, received "file.csv"'],
  ]
  await saysOf(cases, (data) => compiled().evaluate(data))
})

test('values', async () => {
  const strings = x.map((row) => row.map(String))
  const cases = [
    [
      { x, y: y.map((label) => label + 1) },
      'GRADUS_INVALID_DATA y, row 2: expected a class number from 0 to 2, received 3; the labels begin at 1: subtract 1',
    ],
    [
      { x, y: y.map((label) => label * 2) },
      'GRADUS_INVALID_DATA y, row 2: expected a class number from 0 to 2, received 4',
    ],
    [
      { x: x.with(3, [1, 2, Number.NaN, 4]), y },
      'GRADUS_INVALID_DATA x, row 3, column 2: expected a finite float32 number, received NaN',
    ],
    [
      { x: strings, y },
      'GRADUS_INVALID_ARGUMENT x[0]: expected numbers (names of classes stand in y, one an example; readCsv reads files), received "1"',
    ],
  ]
  await saysOf(cases, (data) => compiled().evaluate(data))
  const squares = compiled(meanSquaredError(), 1)
  const prices = { x, y: Array.from({ length: 10 }, (_, i) => `${i} €`) }
  assert.match(
    await refusal(() => squares.evaluate(prices)),
    /y: expected numbers shaped as the output \[1\], received the names of 10 classes/,
  )
})

test('data given as validation are named so', async () => {
  const cases = [
    [[x, y], 'GRADUS_INVALID_ARGUMENT validation: expected examples as { x, y }, received an array of length 2'],
    [{ x: x.map((row) => row.slice(1)), y }, 'GRADUS_INVALID_ARGUMENT validation.x[0]: expected 4 numbers, received 3'],
    [
      { x, y: y.map((label) => label * 2) },
      'GRADUS_INVALID_DATA validation.y, row 2: expected a class number from 0 to 2, received 4',
    ],
    [
      { x, y, sampleWeights: y.map(() => -1) },
      'GRADUS_INVALID_DATA validation.sampleWeights, row 0: expected a finite number from 0 up, received -1',
    ],
    [
      { x, y: ['a', 'b', null] },
      'GRADUS_INVALID_DATA validation.y, row 2: expected the name of a class, as in the first row, received null',
    ],
    [
      { x, y: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'] },
      'GRADUS_INVALID_ARGUMENT validation.y: expected at most 3 classes, as many as the last layer has outputs, received 10 classes (a, b, c, d, e, f, g, h and 2 more)',
    ],
    [{ x: [], y: [] }, 'GRADUS_INVALID_ARGUMENT validation: expected at least one example, received none'],
  ]
  // A dataset made before knows nothing of its use.
  cases.push([dataset(cases[1][0]), cases[1][1]])
  await saysOf(cases, (validation) => compiled().fit({ x, y }, { epochs: 1, quiet: true, validation }).done)
})

test('iterables that are none', async () => {
  const cases = [
    [
      { x, [Symbol.iterator]: 5 },
      'GRADUS_INVALID_ARGUMENT data: expected an iterable of { x, y }, received an object with x',
    ],
    [
      { [Symbol.iterator]: () => ({}) },
      'GRADUS_INVALID_ARGUMENT data: expected an iterator with next(), received an empty object',
    ],
    [
      { [Symbol.asyncIterator]: () => null },
      'GRADUS_INVALID_ARGUMENT data: expected an iterator with next(), received null',
    ],
    [
      { [Symbol.iterator]: () => ({ next: () => 5 }) },
      'GRADUS_INVALID_ARGUMENT data: expected an iterator that gives { done, value }, received 5',
    ],
    [() => 7, 'GRADUS_INVALID_ARGUMENT data: expected an iterable of { x, y }, received 7'],
    [() => null, 'GRADUS_INVALID_ARGUMENT data: expected an iterable of { x, y }, received null'],
    [() => [null], 'GRADUS_INVALID_ARGUMENT data: expected examples as { x, y }, received null'],
  ]
  await saysOf(cases, (data) => compiled().evaluate(data))
})

test('arrays without end', async () => {
  let deep = [1, 2, 3, 4]
  for (let i = 0; i < 20_000; i++) deep = [deep]
  const circle = [1, 2]
  circle.push(circle)
  const wide = []
  wide.push(wide, wide, wide)
  let many = [1, 2]
  for (let i = 0; i < 50; i++) many = [many, many]
  const sentence =
    /^GRADUS_INVALID_ARGUMENT (x|y|predictions|series)\[?0?\]?: expected (arrays at most 64 deep|4 numbers)/
  const model = compiled()
  for (const hostile of [[deep], [circle], wide, circle, [many]]) {
    assert.match(await refusal(() => model.predict(hostile)), sentence)
    assert.match(await refusal(() => model.evaluate({ x: hostile, y: [0] })), /^GRADUS_INVALID_ARGUMENT /)
    assert.match(await refusal(() => model.evaluate({ x: [x[0]], y: hostile })), /^GRADUS_INVALID_ARGUMENT /)
  }
})

test('targets of the last dimension alone are told of flatten()', async () => {
  const model = sequential({ input: [5, 4] }, [dense(7)])
  model.compile({ loss: meanSquaredError(), optimizer: sgd() })
  const series = { data: new Float32Array(3 * 20), shape: [3, 5, 4] }
  const advice = 'the output is of shape [5, 7]: put flatten() before the layers that give it'
  const next = { data: new Float32Array(3 * 7), shape: [3, 7] }
  assert.match(await refusal(() => model.fit({ x: series, y: next })), advice)
  const others = { data: new Float32Array(3 * 6), shape: [3, 6] }
  assert.not.match(await refusal(() => model.fit({ x: series, y: others })), 'flatten')
})

test.run()
