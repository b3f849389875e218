// The native ensemble itself, as lib/ would never use it: every mistake is one coded error, and the programs go on.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { call, dataset, descriptor, longDataset, program, refused, rows, stillTrains } from './support/small-program.js'

const test = suite('native ensemble')
test.after.each(stillTrains)

const other = new native.Program({ ...descriptor, seed: 7 })
const half = () => new Float64Array([0.5, 0.5])
const make = ({
  programs = [program, other],
  weights = half(),
  combine = 'probabilities',
  link = 'softmax',
  temperature = 1,
} = {}) => new native.Ensemble(programs, weights, combine, link, temperature)
const predict = { dataset, batchSize: 5, threads: 2 }
const long = { ...predict, dataset: longDataset }

test('what it is made of', async () => {
  for (const programs of [null, 5, {}, [5], [{}], [Object.create(program)], [program, program], [dataset]]) {
    await refused(() => make({ programs }), /^programs/)
  }
  await refused(() => make({ programs: [], weights: new Float64Array(0) }), /^(programs|weights)/)
  const bad = [null, [0.5, 0.5], new Float32Array(2), new Float64Array(1), new Float64Array([1, Number.NaN])]
  for (const weights of [...bad, new Float64Array([2, -1]), new Float64Array([0.5, 0.6])]) {
    await refused(() => make({ weights }), /^weights/)
  }
  for (const combine of [null, 'mean', 5]) await refused(() => make({ combine }), /^combine/)
  for (const link of [null, 'relu', 5]) await refused(() => make({ link }), /^link/)
  for (const temperature of [null, 0, -1, Number.NaN, Infinity])
    await refused(() => make({ temperature }), /^temperature/)
  const wide = { ...descriptor.inputs[0], shape: [4] }
  const [weight, ...parameters] = descriptor.parameters
  const changes = [
    { dtype: 'float64' },
    { inputs: [wide], parameters: [{ ...weight, shape: [4, 5] }, ...parameters] },
    { output: 1, loss: undefined, optimizer: undefined },
  ]
  for (const change of changes) {
    const differing = new native.Program({ ...descriptor, ...change })
    await refused(() => make({ programs: [program, differing] }), /^programs\[1\]: expected .* as programs\[0\] has/)
  }
  const gone = new native.Program(descriptor)
  gone.dispose()
  await refused(() => make({ programs: [program, gone] }), /disposed/, 'GRADUS_DISPOSED')
})

test('what its calls take', async () => {
  const together = make()
  for (const name of ['dataset', 'batchSize', 'threads', 'link']) {
    for (const method of ['predict', 'predictSpread', 'evaluate']) {
      await refused(() => together[method]({ ...predict, [name]: null }), new RegExp(`^${name}`))
    }
  }
  const x = new Float32Array(rows * 3)
  const to = new Float32Array(rows * 4)
  for (const inputs of [[], [x, x], [x.subarray(1)]]) {
    await refused(
      () => together.predictRows(rows, 4, to, ...inputs),
      /^(inputs|\w+): expected/,
      'GRADUS_SHAPE_MISMATCH',
    )
  }
  await refused(() => together.predictRows(rows, 4, to, 5), /^inputs\[0\]/)
  await refused(() => together.predictRows(rows, 0, to, x), /^batchSize/)
  await refused(() => together.predictRows(rows, 4, to.subarray(1), x), /^to/)
})

test('programs and ensemble are busy during a call, and free after it', async () => {
  const together = make()
  const pending = together.predict(long)
  assert.ok(program.busy && other.busy)
  for (const work of [() => program.predict(predict), () => together.predict(predict), () => make().predict(predict)]) {
    assert.throws(work, (error) => error.code === 'GRADUS_BUSY')
  }
  await pending
  assert.not(program.busy || other.busy)
  const training = other.train(call())
  assert.throws(
    () => together.predict(predict),
    (error) => error.code === 'GRADUS_BUSY',
  )
  await training
  await together.predict(predict)
})

test('what is disposed of in a call, or before it', async () => {
  const last = new native.Program({ ...descriptor, seed: 9 })
  const together = make({ programs: [program, last] })
  const pending = together.predict(long)
  last.dispose()
  const gone = (error) => error.code === 'GRADUS_DISPOSED'
  assert.ok(gone(await pending.catch((error) => error)))
  assert.throws(() => together.predict(predict), gone)
  const own = make()
  const late = own.predictSpread(long)
  own.dispose()
  own.dispose()
  own.stop()
  assert.ok(gone(await late.catch((error) => error)))
  assert.throws(() => own.predict(predict), gone)
  assert.throws(() => own.metricWidths, gone)
})

test('a short call is done at once, and its promise has its error', async () => {
  const together = make()
  const works = [() => together.predict(predict), () => program.predict(predict), () => program.evaluate(predict)]
  for (const work of works) {
    const pending = work()
    assert.not(program.busy || other.busy)
    await pending
  }
  const misfit = new native.Dataset(2, [], null, null)
  for (const whole of [program, together]) {
    const pending = whole.predict({ ...predict, dataset: misfit })
    assert.is(await pending.catch(({ code }) => code), 'GRADUS_SHAPE_MISMATCH')
  }
})

test('a stopped call gives what was done', async () => {
  const together = make()
  const pending = together.predict({ ...long, batchSize: 1, threads: 1 })
  together.stop()
  assert.is((await pending).length, longDataset.size * 4)
})

test.run()
