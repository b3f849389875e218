// What gradus/kernels refuses: one coded error that names the argument, before anything is written.
import * as all from 'gradus/kernels'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('bad input of kernels')
const kernels = { ...all }
const floats = (n) => new Float32Array(n).fill(1)
const sizes = { m: 2, n: 2, k: 2 }
const detached = () => {
  const array = floats(4)
  structuredClone(array, { transfer: [array.buffer] })
  return array
}

function refuses(work, name, code = 'GRADUS_INVALID_ARGUMENT') {
  try {
    work()
  } catch (error) {
    assert.is(error.name, 'GradusError', error.stack)
    assert.is(error.code, code, error.message)
    assert.ok(error.message.startsWith(name), `expected an error about ${name}: ${error.message}`)
    return
  }
  assert.unreachable(`${name}: expected an error`)
}

test('arrays of the wrong type, length or memory', () => {
  const good = floats(4)
  const bad = {
    'no array': [undefined, null, 5, 'text', [1, 2, 3, 4], {}, new ArrayBuffer(16), new DataView(new ArrayBuffer(16))],
    'another type': [new Int32Array(4), new Float64Array(4), new Uint8Array(16)],
    'another length': [floats(0), floats(3), floats(5)],
    'memory of somebody else': [detached(), new Float32Array(new SharedArrayBuffer(16))],
  }
  for (const array of Object.values(bad).flat()) {
    const c = floats(4)
    // The first array of numbers decides the type of the call, so a wrong one there is found at the next.
    refuses(() => kernels.matmul(array, good, c, sizes), array instanceof Float64Array ? 'b' : 'a')
    refuses(() => kernels.matmul(good, array, c, sizes), 'b')
    assert.equal([...c], [1, 1, 1, 1])
    refuses(() => kernels.matmul(good, good, array, sizes), 'c')
    if (array !== undefined && array !== null)
      refuses(() => kernels.matmul(good, good, c, { ...sizes, bias: array }), 'bias')
  }
})

test('resizable memory counts with the length of now', () => {
  const buffer = new ArrayBuffer(16, { maxByteLength: 32 })
  const tracking = new Float32Array(buffer)
  assert.is(kernels.exp(tracking, floats(4)).length, 4)
  buffer.resize(8)
  refuses(() => kernels.matmul(tracking, floats(4), floats(4), sizes), 'a')
  const fixed = new Float32Array(new ArrayBuffer(16, { maxByteLength: 32 }), 0, 4)
  fixed.buffer.resize(4)
  refuses(() => kernels.matmul(fixed, floats(4), floats(4), sizes), 'a')
})

test('arrays that overlap', () => {
  const memory = floats(12)
  const part = (first, count = 4) => memory.subarray(first, first + count)
  refuses(() => kernels.matmul(part(0), part(4), part(2), sizes), 'c')
  refuses(() => kernels.matmul(part(0), part(4), part(0), sizes), 'c')
  refuses(() => kernels.exp(part(0), part(1)), 'y')
  refuses(() => kernels.add(part(0), part(4), part(7)), 'sum')
  refuses(() => kernels.sgdStep(part(0), part(0), { learningRate: 1 }), 'parameters')
  refuses(() => kernels.softmax(part(0), part(0), { rows: 2, columns: 2 }), 'y')
  assert.ok(memory.every((value) => value === 1))
  assert.is(kernels.exp(part(2, 0), part(2, 0)).length, 0)
  kernels.columnSums(part(0, 0), part(2, 0), { rows: 0, columns: 0 })
  // Side by side is not overlap, and what is only read may be the same.
  kernels.matmul(part(0), part(0), part(4), sizes)
})

test('sizes and numbers out of range', () => {
  const [a, b, c] = [floats(4), floats(4), floats(4)]
  for (const m of [-1, 1.5, NaN, Infinity, 2 ** 53, '2', undefined, null, 2n]) {
    refuses(() => kernels.matmul(a, b, c, { ...sizes, m }), 'm')
  }
  refuses(() => kernels.matmul(a, b, c, { m: 2 ** 40, n: 2, k: 2 ** 40 }), 'a', 'GRADUS_TOO_LARGE')
  for (const alpha of [NaN, Infinity, '1', {}]) refuses(() => kernels.matmul(a, b, c, { ...sizes, alpha }), 'alpha')
  refuses(() => kernels.matmul(a, b, c, { ...sizes, alpha: 1e300 }), 'alpha')
  refuses(() => kernels.matmul(a, b, c, { ...sizes, transposeA: 1 }), 'transposeA')
  refuses(() => kernels.matmul(a, b, c, { ...sizes, activation: 'swish' }), 'activation')
  refuses(() => kernels.matmul(a, b, c, { ...sizes, transpose: true }), 'matmul')
  refuses(() => kernels.matmul(a, b, c), 'matmul')
  refuses(() => kernels.softmax(floats(0), floats(0), { rows: 3, columns: 0 }), 'columns')
  refuses(() => kernels.dropout(a, b, { seed: 1, rate: 1 }), 'rate')
  refuses(() => kernels.dropout(a, b, { seed: -1, rate: 0.5 }), 'seed')
  refuses(() => kernels.dropout(a, b, { seed: 1, rate: 0.5, stream: 2 ** 32 }), 'stream')
  refuses(() => kernels.randomNormal(a, { seed: 1, deviation: -1 }), 'deviation')
  refuses(() => kernels.sgdStep(a, b, { learningRate: -1 }), 'learningRate')
  refuses(() => kernels.sgdStep(a, b, {}), 'learningRate')
  refuses(() => kernels.sgdStep(a, b, { learningRate: 1, average: c }), 'averageDecay')
  refuses(() => kernels.momentumStep(a, b, c, { learningRate: 1, momentum: 1 }), 'momentum')
  const slots = { firstMoment: floats(4), secondMoment: floats(4) }
  refuses(() => kernels.adamStep(a, b, slots, { learningRate: 1 }), 'step')
  refuses(() => kernels.adamStep(a, b, slots, { learningRate: 1, step: 0 }), 'step')
  refuses(() => kernels.adamStep(a, b, {}, { learningRate: 1, step: 1 }), 'firstMoment')
  for (const stepOf of [kernels.adamStep, kernels.amsgradStep, kernels.nadamStep]) {
    const good = { ...slots, ...(stepOf === kernels.amsgradStep && { largestSecondMoment: c }) }
    for (const step of [undefined, 0, 1.5, NaN, '1'])
      refuses(() => stepOf(a, b, good, { learningRate: 1, step }), 'step')
    for (const [name, value] of [
      ['beta1', 1],
      ['beta2', -0.1],
      ['epsilon', 0],
      ['learningRate', -1],
      ['options', 5],
    ]) {
      const options = name === 'options' ? value : { learningRate: 1, step: 1, [name]: value }
      refuses(() => stepOf(a, b, good, options), name)
      refuses(() => stepOf(a, b, { ...good, [name]: c }, { learningRate: 1, step: 1 }), 'slots')
    }
    refuses(() => stepOf(a, b, { ...good, secondMoment: floats(3) }, { learningRate: 1, step: 1 }), 'secondMoment')
    refuses(() => stepOf(a, b, { ...good, secondMoment: a }, { learningRate: 1, step: 1 }), 'secondMoment')
  }
  refuses(() => kernels.amsgradStep(a, b, slots, { learningRate: 1, step: 1 }), 'largestSecondMoment')
  refuses(() => kernels.nadamStep(a, b, slots, { learningRate: 1, step: 1, momentumDecay: -1 }), 'momentumDecay')
  refuses(() => kernels.adamStep(a, b, slots, { learningRate: 1, step: 1, momentumDecay: 0 }), 'options')
  refuses(() => kernels.lionStep(a, b, c, { learningRate: 1, beta2: 1 }), 'beta2')
  refuses(() => kernels.lionStep(a, b, floats(5), { learningRate: 1 }), 'velocity')
  refuses(() => kernels.adaDeltaStep(a, b, { cache: c }, { learningRate: 1 }), 'changes')
  refuses(() => kernels.adaDeltaStep(a, b, c, { learningRate: 1 }), 'slots')
  refuses(
    () => kernels.adaDeltaStep(a, b, { cache: c, changes: floats(4) }, { learningRate: 1, decayRate: 1 }),
    'decayRate',
  )
  refuses(() => kernels.rmspropStep(a, b, c, { learningRate: 1, centered: 1 }), 'centered')
  refuses(() => kernels.rmspropStep(a, b, c, { learningRate: 1, centered: true }), 'mean')
  refuses(() => kernels.rmspropStep(a, b, c, { learningRate: 1, momentum: 0.9 }), 'velocity')
  refuses(() => kernels.rmspropStep(a, b, c, { learningRate: 1, momentum: 1, velocity: floats(4) }), 'momentum')
  assert.ok([a, b, c, slots.firstMoment, slots.secondMoment].every((array) => array.every((value) => value === 1)))
  refuses(() => kernels.limitColumnNorms(a, { rows: 2, columns: 2, limit: 0 }), 'limit')
  refuses(() => kernels.layerNormForward(a, b, c, a, {}, { rows: 2, columns: 2 }), 'gain')
})

test('sizes whose product is nothing take no time, however large one of them is', () => {
  const most = Number.MAX_SAFE_INTEGER
  const none = floats(0)
  const numbers = new Int32Array(0)
  assert.is(kernels.matmul(none, none, none, { m: most, n: 0, k: 0 }).length, 0)
  assert.is(kernels.matmul(none, none, none, { m: 0, n: 0, k: most }).length, 0)
  kernels.columnSums(none, none, { rows: most, columns: 0 })
  kernels.limitColumnNorms(none, { rows: 0, columns: most, limit: 1 })
  kernels.limitColumnNorms(none, { rows: most, columns: 0, limit: 1 })
  kernels.maxoutForward(none, none, numbers, { rows: most, units: 0, pieces: 1 })
  kernels.maxoutBackward(none, numbers, none, { rows: most, units: 0, pieces: most })
  kernels.softmax(none, none, { rows: 0, columns: most })
  kernels.softmaxCrossEntropy(none, numbers, none, { rows: 0, columns: most })
  kernels.meanSquaredError(none, none, none, { rows: 0, columns: most })
  kernels.gatherRows(none, numbers, none, { columns: most, tableRows: 0 })
  kernels.scatterAddRows(none, numbers, none, { columns: most, tableRows: 0 })
})

test('numbers of classes, rows and winners out of range', () => {
  const options = { rows: 2, columns: 2 }
  for (const label of [-1, 2, 2 ** 31 - 1, -(2 ** 31)]) {
    const losses = floats(2)
    refuses(() => kernels.softmaxCrossEntropy(floats(4), Int32Array.of(0, label), losses, options), 'targets[1]')
    refuses(() => kernels.multiclassHinge(floats(4), Int32Array.of(label, 0), losses, options), 'targets[0]')
    assert.equal([...losses], [1, 1])
    const table = { columns: 2, tableRows: 2 }
    refuses(() => kernels.gatherRows(floats(4), Int32Array.of(label), floats(2), table), 'rows[0]')
    refuses(() => kernels.scatterAddRows(floats(2), Int32Array.of(label), floats(4), table), 'rows[0]')
    const maxout = { rows: 1, units: 1, pieces: 2 }
    refuses(() => kernels.maxoutBackward(floats(1), Int32Array.of(label), floats(2), maxout), 'winners[0]')
  }
  refuses(() => kernels.multiclassHinge(floats(4), floats(4), floats(2), options), 'targets')
  refuses(() => kernels.meanSquaredError(floats(4), new Int32Array(4), floats(2), options), 'targets')
  refuses(() => kernels.gatherRows(floats(4), undefined, floats(2), { columns: 2, tableRows: 2 }), 'rows')
})

test('what a getter or a conversion does cannot change the arrays behind the checks', () => {
  const a = floats(4)
  const evil = {
    ...sizes,
    get bias() {
      if (a.length > 0) structuredClone(a, { transfer: [a.buffer] })
      return undefined
    },
  }
  refuses(() => kernels.matmul(a, floats(4), floats(4), evil), 'a')
})

test.run()
