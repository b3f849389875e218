// predictSync against predict: the same bits, the same errors, and what it does while the model has other work.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  add,
  batchNorm,
  customLayer,
  dataset,
  dense,
  dropout,
  embedding,
  flatten,
  gelu,
  graph,
  input,
  layerNorm,
  meanSquaredError,
  normalization,
  relu,
  reshape,
  sequential,
  sgd,
  softmax,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { firstCall } from './support/first-call.js'
import { numbers } from './support/reference.js'
import { program, refused } from './support/small-program.js'

const test = suite('predictSync')

const detached = (array) => {
  structuredClone(array, { transfer: [array.buffer] })
  return array
}

const coded = (work, code, message = /./) =>
  assert.throws(work, (error) => error.name === 'GradusError' && error.code === code && message.test(error.message))

/** What was thrown or rejected with, as text. */
async function refusal(work) {
  try {
    await work()
  } catch (error) {
    return `${error.name} ${error.code} ${error.message}`
  }
  return assert.unreachable('nothing was thrown')
}

const of = (size, layers, dtype) => sequential({ input: [size], seed: 5, dtype }, layers)
const deep = (dtype) => of(7, [dense(33), relu(), dense(65), batchNorm(), gelu(), layerNorm(), dense(3)], dtype)
const words = () => of(4, [embedding(9, 5), flatten(), dense(3)])
const doubled = customLayer({
  name: 'doubled',
  forward: (x) => x.map((value) => 2 * value),
  backward: (dy) => ({ dx: dy.map((value) => 2 * value) }),
})
function joined() {
  const left = input([3], { name: 'left' })
  const right = input([5], { name: 'right' })
  return graph({ inputs: [left, right], output: softmax()(add(dense(4)(left), dense(4)(right))), seed: 2 })
}
async function normalized(dtype) {
  const model = of(7, [normalization(), dense(33), relu(), dense(3)], dtype)
  await model.adapt({ x: float(7 * 20) })
  return model
}
const bytes = (count) => Uint8Array.from({ length: count }, (_, i) => (i * 37) % 256)
const float = (count) => Float32Array.from(numbers(count, 4))

/** Name to a model and its inputs. 600 rows are more than one batch; rows of 1 and of 31 numbers lie at odd addresses. */
const cases = {
  'one row': [deep('float32'), float(7)],
  'rows, odd sizes': [deep('float32'), float(7 * 31)],
  'more than a batch': [deep('float32'), float(7 * 600)],
  'a long result': [of(1, [dense(31), dropout(0.5), dense(33)]), float(5)],
  'one number': [of(1, [dropout(0.9), dense(1)]), float(1)],
  float64: [deep('float64'), numbers(7 * 9)],
  'float32 to float64': [deep('float64'), float(7 * 9)],
  'float64 to float32': [deep('float32'), numbers(7 * 9)],
  'arrays of arrays': [deep('float32'), [[...numbers(7, 1)], [...numbers(7, 2)]]],
  'a table with a shape': [of(6, [reshape([2, 3]), dense(4)]), { data: float(18), shape: [3, 2, 3] }],
  'a view': [deep('float32'), float(7 * 5).subarray(7, 21)],
  'shared memory': [deep('float32'), new Float32Array(new SharedArrayBuffer(4 * 14)).fill(0.25)],
  bytes: [deep('float32'), bytes(7 * 3)],
  'normalized, odd sizes': [await normalized('float32'), float(7 * 31)],
  'normalized pixels': [await normalized('float64'), bytes(7 * 3)],
  'bytes with a scale, float64': [deep('float64'), { data: bytes(7 * 3), scale: 0.3, offset: -7 }],
  indices: [words(), Int32Array.of(0, 8, 3, 3, 1, 2, 4, 7)],
  'indices in arrays': [words(), [[0, 8, 3, 3]]],
  'several inputs': [joined(), { right: numbers(5 * 3), left: bytes(3 * 3) }],
  'a custom layer': [of(3, [dense(4), doubled, dense(2)]), float(3 * 300)],
  'no rows': [deep('float32'), []],
}

for (const [name, [model, x]] of Object.entries(cases)) {
  test(`the bits of predict: ${name}`, async () => {
    const expected = await model.predict(x)
    // Twice, and other rows in between: nothing is left of a call.
    for (let time = 0; time < 2; time++) {
      const outputs = model.predictSync(x)
      assert.is(outputs.data.constructor, expected.data.constructor)
      assert.equal(Buffer.from(outputs.data.buffer), Buffer.from(expected.data.buffer))
      const other = { ...cases[name === 'one row' ? 'rows, odd sizes' : 'one row'] }
      other[0].predictSync(other[1])
      assert.equal(outputs, expected, 'a result is its caller’s own')
    }
  })
}

const digest = () => {
  const hash = createHash('sha256')
  for (const [model, x] of Object.values(cases)) hash.update(model.predictSync(x).data)
  return hash.digest('hex')
}

test('the same bits on every ISA', () => {
  const here = fileURLToPath(import.meta.url)
  for (const isa of native.availableIsas) {
    const env = { ...process.env, GRADUS_ISA: isa, GRADUS_PRINT_BITS: '1' }
    const printed = execFileSync(process.execPath, [here], { env, encoding: 'utf8', cwd: dirname(here) })
    assert.is(printed, `${isa} ${digest()}`)
  }
})

test('follows the weights as training changes them', async () => {
  const model = deep('float32').compile({ loss: meanSquaredError(), optimizer: sgd({ learningRate: 0.01 }) })
  const x = float(7 * 40)
  const before = model.predictSync(x)
  await model.fit({ x, y: numbers(3 * 40) }, { epochs: 2, quiet: true }).done
  const after = model.predictSync(x)
  assert.not.equal(after, before)
  assert.equal(after, await model.predict(x))
})

test('bad input: the error that predict rejects with', async () => {
  const [model, index, two] = [deep('float32'), words(), joined()]
  const bad = [
    ...[undefined, null, 5, 'x', {}, [[1, 2]], [['a', 1, 2, 3, 4, 5, 6]]].map((x) => [model, x]),
    ...[new Float32Array(8), new Float64Array(6), new BigInt64Array(7), new DataView(new ArrayBuffer(28))].map((x) => [
      model,
      x,
    ]),
    ...[Number.NaN, Number.POSITIVE_INFINITY].map((value) => [model, float(14).fill(value, 9, 10)]),
    [model, Float64Array.of(0, 0, 0, 0, 0, 0, 1e39)],
    [model, { data: float(14), shape: [2, 8] }],
    [model, { data: float(7), scale: 2 }],
    ...[
      [0, 1, 2, 9],
      [0, 1, 2, -1],
      [0, 1, 2, 0.5],
    ].map((row) => [index, [row]]),
    [two, float(3)],
    [two, { left: float(3) }],
    [two, { left: float(3), right: float(10) }],
  ]
  for (const [of, x] of bad) assert.is(await refusal(() => of.predictSync(x)), await refusal(() => of.predict(x)))
  coded(() => model.predictSync(dataset({ x: float(7) })), 'GRADUS_INVALID_ARGUMENT', /^x: .*received a Dataset/)
  assert.is(model.predictSync(detached(float(7))).length, 0)
})

test('refused in a native call, possible between two', async () => {
  const x = float(30)
  const many = float(3 * 50_000) // what is not done at once
  const answers = []
  const onStepsEnd = () => answers.push(model.predictSync(x))
  const model = of(3, [dense(4), dense(2)]).compile({ loss: meanSquaredError(), optimizer: sgd() })
  const options = { batchSize: 5, stepsPerCall: 1, callbacks: [{ onStepsEnd }], quiet: true }
  const works = [
    () => model.fit({ x, y: float(20) }, options).done,
    () => model.evaluate({ x: many, y: float(2 * 50_000) }),
    () => model.predict(many),
  ]
  for (const work of works) {
    const begun = firstCall(model.program)
    const promise = work()
    await begun
    coded(() => model.predictSync(x), 'GRADUS_BUSY')
    coded(() => model.predictSync([[1, 2, 3]]), 'GRADUS_BUSY')
    await promise
  }
  assert.is(answers.length, 2)
  assert.not.equal(answers[0], answers[1])
  assert.equal(answers[1], model.predictSync(x))
})

test('refused when the model has been disposed', () => {
  const model = deep('float32')
  model.predictSync(float(7))
  model.dispose()
  coded(() => model.predictSync(float(7)), 'GRADUS_DISPOSED')
  coded(() => model.predictSync([[1]]), 'GRADUS_DISPOSED')
})

test('a custom layer that throws, predicts, disposes or takes the input away', async () => {
  const planned = new Error('planned')
  let act = () => {}
  const acting = customLayer({
    name: 'acting',
    forward(x) {
      act()
      return x
    },
    backward: (dy) => ({ dx: dy }),
  })
  const model = of(3, [acting, dense(2)])
  const x = float(3 * 600)
  const expected = await model.predict(x)
  act = () => {
    throw planned
  }
  assert.throws(
    () => model.predictSync(x),
    (error) => error === planned,
  )
  act = () => coded(() => model.predictSync(x), 'GRADUS_BUSY')
  assert.equal(model.predictSync(x), expected)
  act = () => {
    if (x.length > 0) structuredClone(x, { transfer: [x.buffer] }).fill(9)
  }
  assert.equal(model.predictSync(x), expected)
  act = () => model.dispose()
  coded(() => model.predictSync(float(3 * 600)), 'GRADUS_DISPOSED')
})

test('predictions of rows: their arguments', async () => {
  const [to, x] = [new Float32Array(8), new Float32Array(6)]
  const mismatch = 'GRADUS_SHAPE_MISMATCH'
  const cases = [
    [[-1, 2, to, x], /^rows/],
    [['2', 2, to, x], /^rows/],
    [[2, 0, to, x], /^batchSize/],
    [[2, 2, undefined, x], /^to: expected a Float32Array/],
    [[2, 2, new Float64Array(8), x], /^to: expected a Float32Array of at least 8/],
    [[2, 2, new Float32Array(7), x], /^to: expected a Float32Array of at least 8/],
    [[2, 2, detached(new Float32Array(8)), x], /^to: .*detached/],
    [[2, 2, to, [1, 2, 3]], /^inputs\[0\]: expected a Float32Array, /],
    [[2, 2, to, new Int16Array(6)], /^inputs\[0\]: expected a Float32Array, /],
    [[2, 2, to, x, detached(new Float32Array(6))], /^inputs\[1\]: .*detached/],
    [[2, 2, to, new Float32Array(new SharedArrayBuffer(24))], /^inputs\[0\]: .*SharedArrayBuffer/],
    [[2, 2, to, new Uint8Array(6)], /^scale/],
    [[2, 2, to, new Uint8Array(6), 1, Number.NaN], /^offset/],
    [[2, 2, to], /^inputs: expected 1 of them, received 0/, mismatch],
    [[2, 2, to, x, x], /^inputs: expected 1 of them, received 2/, mismatch],
    [[3, 2, new Float32Array(12), x], /expected 9 numbers, received 6/, mismatch],
    [[2 ** 52, 2, to, x], /./, 'GRADUS_TOO_LARGE'],
  ]
  for (const [arguments_, ...error] of cases) await refused(() => program.predictRows(...arguments_), ...error)
  const numbered = of(2, [embedding(5, 3)]).program
  const found = new Float32Array(6)
  for (const bad of [-1, 5, 2 ** 31 - 1]) {
    await refused(
      () => numbered.predictRows(1, 1, found, Int32Array.of(4, bad)),
      /expected numbers from 0 to 4, received/,
    )
  }
  await refused(() => numbered.predictRows(1, 1, found, new Float32Array(2)), /an int32 column/, mismatch)
  numbered.predictRows(1, 1, found, Int32Array.of(4, 0))
  assert.equal(found.subarray(3), numbered.read('parameters', 0).subarray(0, 3))
})

if (process.env.GRADUS_PRINT_BITS) process.stdout.write(`${native.isa} ${digest()}`)
else test.run()
