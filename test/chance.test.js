// Chance level against searches over all constant predictions, and what a run's file says of its targets.
import { adam, binaryCrossEntropy, dense, meanSquaredError, monitor, sequential, softmaxCrossEntropy } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chanceOfClasses, startLoss, TargetTally, targetProblem } from '../dist/check/chance.js'
import { checkInfo } from '../dist/watch/recording/check-info.js'
import { numbers } from './support/reference.js'

const test = suite('chance level')
const near = (actual, expected, tolerance = 1e-12) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual}, not ${expected}`)

/** The facts of rows of `elements` targets. */
function factsOf(loss, values, { outputs = 1, hasLabels = false, weights = [] } = {}) {
  const tally = new TargetTally(loss, outputs, hasLabels)
  const elements = hasLabels ? 1 : outputs
  for (const [i, value] of values.entries()) tally.count(value, i % elements, weights[Math.floor(i / elements)])
  for (const [i, value] of values.entries()) {
    if (tally.needsMeasure) tally.measure(value, i % elements, weights[Math.floor(i / elements)])
  }
  return tally.facts
}

/** The least mean loss over constants between two bounds. */
const leastOf = (low, high, lossAt, steps = 4000) =>
  Math.min(...Array.from({ length: steps + 1 }, (_, i) => lossAt(low + ((high - low) * i) / steps)))

test('of classes: the entropy of the shares, whatever their number', () => {
  const counts = [90, 9, 1]
  const entropy = -(0.9 * Math.log(0.9) + 0.09 * Math.log(0.09) + 0.01 * Math.log(0.01))
  near(chanceOfClasses({ kind: 'softmax_cross_entropy' }, counts), entropy)
  near(chanceOfClasses({ kind: 'softmax_cross_entropy' }, new Array(2e6).fill(3)), Math.log(2e6), 1e-9)
  assert.is(chanceOfClasses({ kind: 'softmax_cross_entropy' }, [5, 0]), 0)
  assert.is(chanceOfClasses({ kind: 'softmax_cross_entropy' }, [0, 0]), null)
  assert.is(startLoss({ kind: 'softmax_cross_entropy' }, 3), Math.log(3))
  assert.is(startLoss({ kind: 'custom' }, 3), null)
})

test('of hinges: the best constant scores', () => {
  const share = 0.8
  // Two classes: one difference of scores decides.
  const two = leastOf(-4, 4, (s) => share * Math.max(0, 1 - s) + (1 - share) * Math.max(0, 1 + s))
  near(chanceOfClasses({ kind: 'multiclass_hinge', parameter: 1 }, [80, 20]), two, 1e-9)
  const each = (p) => leastOf(-4, 4, (s) => p * Math.max(0, 2 - s) + (1 - p) * Math.max(0, 2 + s))
  near(chanceOfClasses({ kind: 'one_vs_all_hinge', parameter: 2 }, [80, 20]), each(0.8) + each(0.2), 1e-9)
  assert.is(chanceOfClasses({ kind: 'multiclass_hinge', parameter: 1 }, [10, 10, 10, 10]), 3)
})

test('of answers: the mean entropy over the outputs', () => {
  const answers = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0] // of 5 rows the first output is yes 3 times, the second never
  const expected = -(0.6 * Math.log(0.6) + 0.4 * Math.log(0.4)) / 2
  near(factsOf({ kind: 'binary_cross_entropy' }, answers, { outputs: 2 }).chance, expected)
})

test('of quantities: the loss about the mean, exact for large means', () => {
  const values = numbers(501, 5).map((v) => v ** 3 + 2)
  const mean = values.reduce((a, b) => a + b) / values.length
  const of = (loss) => values.reduce((sum, v) => sum + loss(v - mean), 0) / values.length
  const huber = (e) => (Math.abs(e) <= 0.3 ? (e * e) / 2 : 0.3 * (Math.abs(e) - 0.15))
  near(
    factsOf({ kind: 'mean_squared_error' }, values).chance,
    of((e) => e * e),
  )
  near(factsOf({ kind: 'huber', parameter: 0.3 }, values).chance, of(huber))
  near(factsOf({ kind: 'mean_absolute_error' }, values).chance, of(Math.abs))
  const far = factsOf(
    { kind: 'mean_squared_error' },
    values.map((v) => v + 1e9),
  )
  near(far.deviation, Math.sqrt(of((e) => e * e)), 1e-6)
  near(startLoss({ kind: 'mean_squared_error' }, 1, factsOf({ kind: 'mean_squared_error' }, [3, 5])), (9 + 25) / 2)
})

test('weights count in the loss and not in the numbers of examples', () => {
  const labels = [0, 0, 0, 1]
  const { chance, classCounts, isWeighted } = factsOf({ kind: 'softmax_cross_entropy' }, labels, {
    ...{ outputs: 2, hasLabels: true, weights: [1, 1, 1, 3] },
  })
  near(chance, Math.LN2)
  assert.equal([classCounts, isWeighted], [[3, 1], true])
})

test('what is wrong with the scale of targets', () => {
  const of = (mean, deviation) => targetProblem({ rows: 10, isWeighted: false, chance: 1, mean, deviation })
  assert.equal(
    [of(0, 1), of(30, 20), of(2e5, 1e5), of(20, 0.1), of(0, 1e-4), of(3, 0), targetProblem({ rows: 1, chance: 1 })],
    [null, null, 'far too large', 'far from 0', 'far too small', 'all alike', null],
  )
})

/** What the file of a run says of it. */
async function infoOf(outputs, loss, data, options) {
  const model = sequential({ input: [2], seed: 1 }, [dense(outputs)]).compile({ loss, optimizer: adam() })
  const watching = monitor()
  await model.fit(data, { quiet: true, ...options, callbacks: [watching] }).done
  return checkInfo(JSON.parse(JSON.stringify(watching.recording.info)), 'run.json')
}
const x = Float32Array.from(numbers(200, 3))

test('a run knows its targets, its class weights and both parts of a split', async () => {
  const y = Int32Array.from({ length: 100 }, (_, i) => (i < 80 ? Number(i % 4 === 0) : 2))
  const options = { validationSplit: 0.2, classWeights: [1, 3, 1] }
  const info = await infoOf(3, softmaxCrossEntropy(), { x, y }, options)
  assert.equal(info.options.classWeights, [1, 3, 1])
  assert.equal(info.targets.classCounts, [60, 20, 0])
  near(info.targets.chance, Math.LN2)
  assert.equal(info.validationTargets.classCounts, [0, 0, 20])
  assert.equal([info.targets.isWeighted, info.validationTargets.isWeighted], [true, false])
})

test('names, bytes, one-hot rows and answers are read as training reads them; streams do not tell', async () => {
  const words = Array.from({ length: 100 }, (_, i) => (i % 4 ? 'dog' : 'cat'))
  const held = { x: x.slice(0, 20), y: new Array(10).fill('dog') }
  const named = await infoOf(2, softmaxCrossEntropy(), { x, y: words }, { validation: held })
  assert.equal(
    [named.targets.classCounts, named.validationTargets.classCounts],
    [
      [25, 75],
      [0, 10],
    ],
  )
  const bytes = { data: Uint8Array.from({ length: 100 }, (_, i) => i), scale: 0.1 }
  const regression = await infoOf(1, meanSquaredError(), { x, y: bytes })
  near(regression.targets.mean, 4.95, 1e-9)
  const hot = Float32Array.from({ length: 200 }, (_, i) => Number(i % 2 === Number(i % 8 < 2)))
  assert.equal((await infoOf(2, softmaxCrossEntropy(), { x, y: hot })).targets.classCounts, [75, 25])
  const yes = await infoOf(1, binaryCrossEntropy(), {
    x,
    y: Float32Array.from({ length: 100 }, (_, i) => Number(i < 10)),
  })
  near(yes.targets.chance, -(0.1 * Math.log(0.1) + 0.9 * Math.log(0.9)))
  const pieces = async function* () {
    yield { x, y: new Int32Array(100) }
  }
  assert.is((await infoOf(2, softmaxCrossEntropy(), pieces)).targets, null)
})

test('a damaged file names the field', () => {
  const info = { rows: 1, isWeighted: false, chance: 1 }
  const base = { format: 1, gradus: '0', started: '', seed: 1, examples: 1, validationExamples: null }
  const rest = { descriptor: { inputs: [], nodes: [], parameters: [] }, monitor: { every: 1, histograms: null } }
  const options = {
    epochs: 1,
    batchSize: 1,
    accumulate: 1,
    maxRefusedSteps: 1,
    threads: 1,
    learningRate: 1,
    weightDecay: 0,
  }
  const whole = { ...base, ...rest, options, tensors: [], layers: [], machine: {} }
  checkInfo({ ...whole, targets: info }, 'run.json')
  const refused = (fields, field) =>
    assert.throws(() => checkInfo({ ...whole, ...fields }, 'run.json'), new RegExp(`${field}: expected`))
  refused({ targets: { ...info, chance: 'much' } }, 'targets.chance')
  refused({ targets: { ...info, classCounts: [1, null] } }, 'targets.classCounts')
  refused({ validationTargets: { ...info, mean: 1 } }, 'validationTargets.deviation')
  refused({ options: { ...options, classWeights: { 0: 1 } } }, 'options.classWeights')
})

test.run()
