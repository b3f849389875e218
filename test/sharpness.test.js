// Curvature: explicit Hessians against closed forms, Lanczos against Jacobi, and the learning rate it bounds.
import {
  adam,
  customLayer,
  dense,
  hessian,
  hessianVectorProduct,
  l1,
  l2,
  meanSquaredError,
  sequential,
  sgd,
  sharpness,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lanczos, largestOfTridiagonal } from '../dist/check/curvature/lanczos.js'
import { numbers } from './support/reference.js'

const test = suite('sharpness')

const rows = 23
const labels = Int32Array.from({ length: rows }, (_, i) => (3 * i + (i >> 2)) % 3)
const data = { x: numbers(rows * 5, 2), y: labels }
const regression = { x: numbers(rows * 5, 4), y: numbers(rows, 5) }
const network = (dtype = 'float64', more = {}) =>
  sequential({ input: [5], seed: 4, dtype }, [dense(4, more), tanh(), dense(3, { regularizer: l2(0.01) })]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam(),
  })
const linear = (learningRate = 0.1, more = {}) =>
  sequential({ input: [5], seed: 4, dtype: 'float64' }, [dense(1, more)]).compile({
    loss: meanSquaredError(),
    optimizer: sgd({ learningRate }),
  })

const largestDifference = (a, b) => Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])))

/** Eigenvalues of a symmetric matrix by Jacobi's rotations, ascending. */
function jacobi(matrix, n) {
  const a = Float64Array.from(matrix)
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (a[p * n + q] === 0) continue
        const theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q])
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
        const c = 1 / Math.hypot(t, 1)
        const s = t * c
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[k * n + p], a[k * n + q]]
          a[k * n + p] = c * x - s * y
          a[k * n + q] = s * x + c * y
        }
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[p * n + k], a[q * n + k]]
          a[p * n + k] = c * x - s * y
          a[q * n + k] = s * x + c * y
        }
      }
    }
  }
  return Array.from({ length: n }, (_, i) => a[i * n + i]).sort((x, y) => x - y)
}

/** The error that the work throws. */
async function thrownBy(work) {
  try {
    await work()
  } catch (error) {
    return error
  }
  return assert.unreachable('nothing was thrown')
}

test('the Hessian of linear regression is 2/n · XᵀX, ones beside X for the bias, and l2', async () => {
  const model = linear(0.1, { regularizer: l2(0.3) })
  const { size, data: matrix } = await hessian(model, regression)
  assert.is(size, 6)
  const row = (i) => [...regression.x.slice(i * 5, i * 5 + 5), 1]
  const expected = new Float64Array(36)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < 6; j++) for (let k = 0; k < 6; k++) expected[j * 6 + k] += (2 / rows) * row(i)[j] * row(i)[k]
  }
  for (let j = 0; j < 5; j++) expected[j * 7] += 0.3
  assert.ok(largestDifference(matrix, expected) < 1e-14)
  const [largest] = jacobi(expected, 6).reverse()
  const found = await sharpness(model, regression, { tolerance: 1e-9 })
  assert.ok(Math.abs(found.eigenvalue / largest - 1) < 1e-12)
  assert.is(found.learningRateLimit, 2 / found.eigenvalue)
})

test('Lanczos finds the largest eigenvalue of the explicit Hessian of a network', async () => {
  const model = network()
  const before = model.getWeights()
  const { size, data: matrix } = await hessian(model, data)
  assert.is(size, 39)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) assert.ok(Math.abs(matrix[i * size + j] - matrix[j * size + i]) < 1e-14)
  }
  const eigenvalues = jacobi(matrix, size)
  assert.ok(eigenvalues[0] < -1e-3, 'it bends downwards as well')
  for (const seed of [0, 7]) {
    const found = await sharpness(model, data, { tolerance: 1e-8, seed })
    assert.ok(Math.abs(found.eigenvalue - eigenvalues.at(-1)) < 1e-10, `${found.eigenvalue} ${eigenvalues.at(-1)}`)
    assert.ok(found.residual <= 1e-8 * found.eigenvalue && found.iterations < size)
    assert.match(found.message, /unstable at a learning rate over 2\/λ = /)
    assert.equal(await sharpness(model, data, { tolerance: 1e-8, seed }), found)
  }
  const single = network('float32')
  single.setWeights(before)
  const rounded = await hessian(single, data)
  assert.instance(rounded.data, Float32Array)
  assert.ok(largestDifference(rounded.data, matrix) < 1e-6)
  assert.equal(model.getWeights(), before)
})

test('a Hessian-vector product by name is the row combination of the explicit Hessian', async () => {
  const model = network()
  const { size, data: matrix } = await hessian(model, data, { term: 'data' })
  const vector = model.getWeights()
  for (const [i, { data: part }] of Object.values(vector).entries()) part.set(numbers(part.length, 40 + i))
  const flat = Object.values(vector).flatMap(({ data: part }) => [...part])
  const product = await hessianVectorProduct(model, data, vector, { term: 'data' })
  assert.equal(Object.keys(product), Object.keys(vector))
  assert.equal(product['dense1.weight'].shape, [5, 4])
  const expected = flat.map((_, i) => flat.reduce((sum, v, j) => sum + matrix[i * size + j] * v, 0))
  const found = Object.values(product).flatMap(({ data: part }) => [...part])
  assert.ok(largestDifference(found, expected) < 1e-13)
})

test('gradient descent on linear regression converges just below 2/λ and diverges just above', async () => {
  const { learningRateLimit } = await sharpness(linear(), regression, { tolerance: 1e-8 })
  const after = async (learningRate) => {
    const model = linear(learningRate)
    const { loss } = await model.fit(regression, { epochs: 800, batchSize: rows, shuffle: false, quiet: true }).done
    return loss
  }
  const below = await after(0.98 * learningRateLimit)
  assert.ok(below.at(-1) < below[0] && Math.abs(below.at(-1) - below.at(-2)) < 1e-9)
  const above = await after(1.02 * learningRateLimit)
  assert.ok(above.at(-1) > 1e6 * above[0])
})

test('the largest eigenvalue of tridiagonal matrices, and the end of its vector', async () => {
  for (const n of [1, 2, 3, 10, 57]) {
    // −1, 2, −1 has the eigenvalues 2 − 2 cos(kπ / (n + 1)) and the vectors sin(jkπ / (n + 1)).
    const found = largestOfTridiagonal(new Array(n).fill(2), new Array(n - 1).fill(-1))
    assert.ok(Math.abs(found.eigenvalue - (2 - 2 * Math.cos((n * Math.PI) / (n + 1)))) < 1e-14)
    const last = Math.sqrt(2 / (n + 1)) * Math.sin((n * n * Math.PI) / (n + 1))
    assert.ok(Math.abs(Math.abs(found.last) - Math.abs(last)) < 1e-13)
    const [diagonal, beside] = [numbers(n, n), numbers(n - 1, n + 1)]
    if (n > 2) beside[1] = 0
    const matrix = new Float64Array(n * n)
    for (let i = 0; i < n; i++) matrix[i * n + i] = diagonal[i]
    for (let i = 0; i + 1 < n; i++) matrix[i * n + i + 1] = matrix[(i + 1) * n + i] = beside[i]
    assert.ok(Math.abs(largestOfTridiagonal(diagonal, beside).eigenvalue - jacobi(matrix, n).at(-1)) < 1e-13)
  }
  // Where the operator is 0 or a multiple of 1, the first vector is one of its own.
  for (const scale of [0, 3, -2]) {
    const options = { tolerance: 1e-10, maxIterations: 9 }
    const found = await lanczos(async (v) => v.map((x) => scale * x), numbers(9, 3), options)
    assert.ok(found.converged && found.iterations === 1 && Math.abs(found.eigenvalue - scale) < 1e-14)
  }
})

test('what cannot bend, and what had too few iterations, say so', async () => {
  const flat = await sharpness(linear(0.1, { regularizer: l1(0.1) }), regression, { term: 'regularization' })
  assert.equal([flat.eigenvalue, flat.learningRateLimit], [0, Number.POSITIVE_INFINITY])
  assert.match(flat.message, /bounds no learning rate/)
  const early = await sharpness(network(), data, { maxIterations: 2 })
  assert.is(early.iterations, 2)
  assert.match(early.message, /After 2 iterations its residual is still .* raise maxIterations/)
})

test('examples, threads and frozen layers', async () => {
  const few = await sharpness(network(), data, { examples: 9 })
  assert.is.not(few.eigenvalue, (await sharpness(network(), data)).eigenvalue)
  assert.equal(await sharpness(network(), data, { threads: 3 }), await sharpness(network(), data, { threads: 1 }))
  const frozen = network('float64', { trainable: false })
  assert.is((await hessian(frozen, data)).size, 15)
  const message = /^vector: "dense1.weight" is frozen/
  assert.match((await thrownBy(() => hessianVectorProduct(frozen, data, frozen.getWeights()))).message, message)
})

test('an explicit Hessian that is too large says what it would take', async () => {
  const notes = sequential({ input: [999], seed: 1 }, [dense(1000)])
  const million = notes.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 0.1 }) })
  assert.is(million.parameterCount, 1e6)
  const error = await thrownBy(() => hessian(million, { x: new Float32Array(999), y: Int32Array.of(0) }))
  assert.is(error.code, 'GRADUS_TOO_LARGE')
  assert.match(
    error.message,
    /1,000,000 trainable weights in float32 would take 3,725 GiB; hessianVectorProduct.*sharpness/,
  )
  const small = await thrownBy(() => hessian(network(), data, { maxBytes: 39 * 39 * 8 - 1 }))
  assert.match(small.message, /39 trainable weights in float64 would take 12,168 bytes/)
  assert.is((await hessian(network(), data, { maxBytes: 39 * 39 * 8 })).size, 39)
})

test('bad input, custom layers and aborts', async () => {
  const model = network()
  const calls = [
    [() => sharpness({}, data), /^model: expected a model/],
    [() => sharpness(model, data, { tolerance: 0 }), /^tolerance/],
    [() => sharpness(model, data, { maxIterations: 1.5 }), /^maxIterations/],
    [() => sharpness(model, data, { seed: -1 }), /^seed/],
    [() => sharpness(model, data, { iterations: 5 }), /^sharpness: there is no option "iterations"/],
    [() => sharpness(model, data, { term: 'all' }), /^term/],
    [() => sharpness(model, data, { signal: 5 }), /^signal/],
    [() => sharpness(model, 5), /^data/],
    [() => hessian(model, data, { maxBytes: '1' }), /^maxBytes/],
    [() => hessian(model, data, { seed: 1 }), /^hessian: there is no option "seed"/],
    [() => hessianVectorProduct(model, data, 5), /^vector: expected a record/],
    [() => hessianVectorProduct(model, data, {}), /^vector\["dense1.weight"\]/],
    [() => hessianVectorProduct(model, data, { other: 1 }), /^vector: the model has no "other"/],
  ]
  for (const [call, message] of calls) assert.match((await thrownBy(call)).message, message)
  const uncompiled = sequential({ input: [5], seed: 1 }, [dense(3)])
  assert.is((await thrownBy(() => sharpness(uncompiled, data))).code, 'GRADUS_NOT_COMPILED')
  const twice = customLayer({
    name: 'twice',
    forward: (x) => x.map((value) => 2 * value),
    backward: (dy) => dy.map((value) => 2 * value),
  })
  const own = sequential({ input: [5], seed: 1 }, [dense(3), twice]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam(),
  })
  const error = await thrownBy(() => sharpness(own, data))
  assert.is(error.code, 'GRADUS_NO_SECOND_DERIVATIVE')
  assert.match(error.message, /^twice: the op custom has no second derivative/)
  const gone = AbortSignal.abort(new Error('enough'))
  for (const call of [sharpness, hessian]) {
    assert.is((await thrownBy(() => call(model, data, { signal: gone }))).message, 'enough')
  }
  const controller = new AbortController()
  // So many rows that a product takes longer than the event loop does between two.
  const rows = 20_000
  const many = { x: Float32Array.from({ length: rows * 5 }, (_, i) => Math.sin(i)), y: new Int32Array(rows) }
  const running = sharpness(model, many, { tolerance: 1e-300, examples: rows, signal: controller.signal })
  setImmediate(() => controller.abort(new Error('later')))
  assert.is((await thrownBy(() => running)).message, 'later')
})

test.run()
