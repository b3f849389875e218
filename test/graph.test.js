// Graphs: nodes, shared layers, several inputs, and what they compute against a plain reference.
import { add, concat, dense, embedding, flatten, graph, input, merge, relu, reshape, sequential, tanh } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { denseOf, difference, failure, forward, numbers } from './support/reference.js'

const graphs = suite('graph')

graphs('a chain as a graph is the sequential model, to the bit', async () => {
  const x = input([5])
  const joined = graph({ inputs: [x], output: dense(3)(relu()(dense(4)(x))), seed: 7 })
  const listed = sequential({ input: [5], seed: 7 }, [dense(4), relu(), dense(3)])
  assert.equal(joined.getWeights(), listed.getWeights())
  const data = Float32Array.from(numbers(5 * 6))
  assert.equal(await joined.predict(data), await listed.predict(data))
})

graphs('add, concat and two inputs compute what they say', async () => {
  const a = input([4], { name: 'a' })
  const b = input([3], { name: 'b' })
  const hidden = tanh()(dense(4, { name: 'left' })(a))
  const sum = add(hidden, a, dense(4, { name: 'right' })(b))
  const model = graph({ inputs: [b, a], output: concat(sum, b), seed: 3, dtype: 'float64' })
  assert.equal(model.outputShape, [7])
  assert.equal(Object.keys(model.getWeights()), ['left.weight', 'left.bias', 'right.weight', 'right.bias'])

  const rows = 5
  const data = { a: numbers(4 * rows, 2), b: numbers(3 * rows, 3) }
  const outputs = await model.predict(data)
  const weights = model.getWeights()
  for (let row = 0; row < rows; row++) {
    const one = data.a.slice(4 * row, 4 * row + 4)
    const other = data.b.slice(3 * row, 3 * row + 3)
    const left = forward([denseOf(weights, 'left'), 'tanh'], one).at(-1)
    const right = forward([denseOf(weights, 'right')], other).at(-1)
    const expected = [...left.map((value, i) => value + one[i] + right[i]), ...other]
    assert.ok(difference(outputs[row], expected) < 1e-14)
  }
})

graphs('a layer called twice shares its weights', async () => {
  const x = input([4])
  const shared = dense(4)
  const model = graph({ inputs: [x], output: shared(tanh()(shared(x))), seed: 5, dtype: 'float64' })
  assert.is(model.parameterCount, 20)
  assert.equal(Object.keys(model.getWeights()), ['dense1.weight', 'dense1.bias'])
  const data = numbers(4)
  const layer = denseOf(model.getWeights(), 'dense1')
  assert.ok(difference((await model.predict(data)).data, forward([layer, 'tanh', layer], data).at(-1)) < 1e-14)
})

graphs('the same layer twice in a list shares its weights too', () => {
  const shared = dense(4)
  assert.is(sequential({ input: [4] }, [shared, relu(), shared]).parameterCount, 20)
})

graphs('an embedding looks rows up, beside an input of real values', async () => {
  const words = input([2], { name: 'words' })
  const size = input([1], { name: 'size' })
  const looked = flatten()(embedding(6, 3)(words))
  const model = graph({ inputs: [words, size], output: concat(looked, size) })
  assert.equal(model.inputs, [
    { name: 'words', shape: [2], kind: 'index', vocabulary: 6 },
    { name: 'size', shape: [1], kind: 'real' },
  ])
  const outputs = await model.predict({ words: Int32Array.of(5, 0, 2, 2), size: Float32Array.of(0.5, -1) })
  const table = model.getWeights()['embedding1.weight'].data
  const row = (i) => [...table.slice(3 * i, 3 * i + 3)]
  assert.equal([...outputs.data], [...row(5), ...row(0), 0.5, ...row(2), ...row(2), -1])
})

graphs('a dense layer works on each row of an image', async () => {
  const model = sequential({ input: [3, 4], seed: 6, dtype: 'float64' }, [dense(2)])
  const data = numbers(12)
  const layer = denseOf(model.getWeights(), 'dense1')
  const expected = [0, 4, 8].flatMap((at) => forward([layer], data.slice(at, at + 4)).at(-1))
  assert.ok(difference((await model.predict(data)).data, expected) < 1e-14)
})

graphs('concat joins the last dimension of images', async () => {
  const x = input([2, 1])
  const y = input([2, 2])
  const model = graph({ inputs: [x, y], output: concat(x, y) })
  assert.equal(model.outputShape, [2, 3])
  const outputs = await model.predict({ input1: Float32Array.of(1, 2), input2: Float32Array.of(3, 4, 5, 6) })
  assert.equal([...outputs.data], [1, 3, 4, 2, 5, 6])
})

graphs('the summary of a graph says what each layer takes', () => {
  const x = input([8])
  const lines = graph({ inputs: [x], output: add(dense(8)(x), x) })
    .summary()
    .split('\n')
  assert.match(lines[0], /^layer +output shape +parameters +takes$/)
  assert.match(lines[4], /^add1 +\[8\] +0 +dense1, input1$/)
})

graphs('a long chain does not exhaust the stack', () => {
  const x = input([2])
  let node = x
  for (let i = 0; i < 20_000; i++) node = relu()(node)
  assert.is(graph({ inputs: [x], output: node }).descriptor.nodes.length, 20_000)
})

const x = () => input([4])
const bad = [
  ['layers called on something else', () => dense(3)([1, 2]), 'dense: inputs[0]'],
  ['layers called on nothing', () => dense(3)(), 'dense'],
  ['layers of one input called on two', () => relu()(x(), x()), 'relu'],
  ['add of one', () => add(x()), 'add'],
  ['add of unequal shapes', () => add(x(), input([5])), 'add', 'GRADUS_SHAPE_MISMATCH'],
  ['concat of unequal shapes', () => concat(input([2, 3]), input([3, 3])), 'concat', 'GRADUS_SHAPE_MISMATCH'],
  ['an unknown merge', () => merge('multiply'), 'merge: kind'],
  ['a named merge is named', () => merge('add', { name: 'join' })(x(), input([5])), 'join', 'GRADUS_SHAPE_MISMATCH'],
  ['no inputs', () => graph({ inputs: [], output: relu()(x()) }), 'inputs'],
  ['an output that is an input', () => ((a) => graph({ inputs: [a], output: a }))(x()), 'output'],
  ['no output', () => graph({ inputs: [x()] }), 'output'],
  ['an input that is missing', () => ((a, b) => graph({ inputs: [a], output: add(a, b) }))(x(), x()), 'inputs'],
  ['an input that is not used', () => ((a, b) => graph({ inputs: [a, b], output: relu()(a) }))(x(), x()), 'inputs[1]'],
  ['an input given twice', () => ((a) => graph({ inputs: [a, a], output: relu()(a) }))(x()), 'inputs[1]'],
  ['a layer as an input', () => ((a) => graph({ inputs: [relu()(a)], output: relu()(a) }))(x()), 'inputs[0]'],
  ['an embedding of values', () => embedding(4, 2)(relu()(x())), 'embedding'],
  ['an input both of rows and of values', () => bothKinds(), 'input1'],
  ['a shared layer of two sizes', () => twoSizes(), 'dense1', 'GRADUS_SHAPE_MISMATCH'],
  ['an input with a bad name', () => input([4], { name: '7' }), 'name'],
  ['a negative dimension', () => input([-4]), 'shape[0]'],
]
function bothKinds() {
  const a = x()
  return graph({ inputs: [a], output: concat(flatten()(embedding(9, 2)(a)), a) })
}
function twoSizes() {
  const a = x()
  const layer = dense(3)
  return graph({ inputs: [a], output: layer(layer(a)) })
}
for (const [name, work, argument, code = 'GRADUS_INVALID_ARGUMENT'] of bad) {
  graphs(`a coded error for ${name}`, async () => {
    const error = await failure(work)
    assert.is(error.code, code, error.stack)
    assert.ok(error.message.startsWith(argument), error.message)
  })
}

graphs('a doubling graph is refused before it overflows', async () => {
  let node = reshape([4])(x())
  const error = await failure(() => {
    for (let i = 0; i < 60; i++) node = concat(node, node)
  })
  assert.is(error.code, 'GRADUS_TOO_LARGE')
})

graphs.run()
