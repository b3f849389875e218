// Students: their targets exact, what they keep of an ensemble's gain, runs that go on, and what is refused.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adam, dataset, dense, distill, ensemble, multiclassHinge, relu, sequential, softmaxCrossEntropy } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mixedTargets } from '../dist/ensemble/soft-targets.js'
import { Run } from '../dist/train/run.js'
import { failure } from './support/reference.js'
import { answerer, blobs, classifier, regressor, softmax, trained } from './support/small-ensembles.js'

const test = suite('distillation')
const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
test.after(() => rmSync(folder, { recursive: true }))
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length

const [train, held] = [blobs(120, 1), blobs(600, 2)]
const members = await trained(
  [1, 2, 3].map((seed) => classifier(seed)),
  train,
)
const together = ensemble(members)
const targetsOf = async (data, lesson, teacher = together) =>
  (await mixedTargets(data, { teacher, hardShare: 0.1, temperature: 1, dtype: 'float64', ...lesson })).y

test('targets are hardShare · label + (1 − hardShare) · what the teacher says, at its temperature', async () => {
  const scores = await together.predict(train.x)
  for (const [hardShare, temperature] of [
    [0.1, 1],
    [0.25, 3],
    [0, 2],
    [1, 1],
  ]) {
    const { data, shape } = await targetsOf(train, { hardShare, temperature })
    assert.equal(shape, [120, 3])
    for (let i = 0; i < 120; i++) {
      softmax(scores[i], temperature).forEach((p, c) => {
        const expected = hardShare * Number(train.y[i] === c) + (1 - hardShare) * p
        assert.ok(Math.abs(data[3 * i + c] - expected) < 1e-14, `${data[3 * i + c]}, not ${expected}`)
      })
    }
  }
})

test('labels may be names, in another order, and probabilities', async () => {
  const names = ['b', 'c', 'a']
  const named = { x: train.x, y: Array.from(train.y, (c) => names[c]), classes: names }
  const [model] = await trained([classifier(5)], named, { epochs: 2 })
  const sorted = { x: named.x, y: named.y }
  const lesson = { hardShare: 0.5 }
  assert.equal((await targetsOf(sorted, lesson, model)).data, (await targetsOf(named, lesson, model)).data)
  const student = classifier(6)
  await distill(model, student, sorted, { fit: { quiet: true } })
  assert.equal(student.classes, names)
  const soft = {
    x: train.x,
    y: { data: Float64Array.from({ length: 360 }, (_, i) => [0.5, 0.25, 0.25][i % 3]), shape: [120, 3] },
  }
  const { data } = await targetsOf(soft, lesson)
  const [scores] = await together.predict(train.x.slice(0, 4))
  assert.ok(Math.abs(data[0] - (0.25 + softmax(scores)[0] / 2)) < 1e-12)
})

test('of yes-or-no outputs probabilities of yes, of quantities values are mixed', async () => {
  const answers = { x: train.x, y: Float64Array.from({ length: 240 }, (_, i) => Number(i % 3 === 0)) }
  const teacher = answerer(1, 2)
  const { data } = await targetsOf(answers, { hardShare: 0.3 }, teacher)
  const scores = (await teacher.predict(train.x)).data
  for (const [i, value] of data.entries())
    assert.ok(Math.abs(value - (0.3 * answers.y[i] + 0.7 / (1 + Math.exp(-scores[i])))) < 1e-14)
  const old = regressor(1)
  const values = (await targetsOf(answers, { hardShare: 0.3 }, old)).data
  const said = (await old.predict(train.x)).data
  for (const [i, value] of values.entries()) assert.ok(Math.abs(value - (0.3 * answers.y[i] + 0.7 * said[i])) < 1e-14)
  await distill(old, regressor(2), answers, { fit: { quiet: true } })
  await distill(teacher, answerer(2, 2), answers, { fit: { quiet: true } })
})

/** The weights after the same fit on targets that were made before. */
async function byHand(student, lesson, fit) {
  const { y } = await mixedTargets(train, { teacher: together, dtype: 'float32', temperature: 1, ...lesson })
  await student.fit({ x: train.x, y }, { quiet: true, ...fit })
  return student.getWeights()
}

test('a student is fitted to these targets, bit for bit, and its run is that of fit', async () => {
  const student = classifier(9)
  const run = distill(together, student, train, { hardShare: 0.2, fit: { epochs: 3, validation: held, quiet: true } })
  assert.instance(run, Run)
  const seen = []
  for await (const record of run) seen.push(record.valAccuracy)
  assert.is(seen.length, 3)
  assert.equal(student.getWeights(), await byHand(classifier(9), { hardShare: 0.2 }, { epochs: 3 }))
  assert.is(student.loss.parameter, undefined)
  const [fromDataset, weighted] = [classifier(9), classifier(9)]
  await distill(together, fromDataset, dataset(train), { hardShare: 0.2, fit: { epochs: 3, quiet: true } })
  assert.equal(fromDataset.getWeights(), student.getWeights())
  const sampleWeights = new Float32Array(120).fill(1)
  await distill(together, weighted, { ...train, sampleWeights }, { hardShare: 0.2, fit: { epochs: 3, quiet: true } })
  assert.equal(weighted.getWeights(), student.getWeights())
})

test('with a temperature the student learns by the loss of that temperature, and keeps it', async () => {
  const [student, own] = [classifier(9), classifier(9)]
  const options = { hardShare: 0.2, temperature: 3, fit: { epochs: 3, quiet: true } }
  await distill(together, student, train, options)
  own.compile({ loss: softmaxCrossEntropy({ temperature: 3 }), optimizer: adam({ learningRate: 0.02 }) })
  assert.equal(student.getWeights(), await byHand(own, { hardShare: 0.2, temperature: 3 }, { epochs: 3 }))
  assert.is(student.loss.parameter, 3)
  const { loss, logLoss } = await student.evaluate(held)
  const probabilities = await student.predictProbabilities(held.x)
  const plain = mean(Array.from(held.y, (label, i) => -Math.log(probabilities[i][label])))
  assert.ok(Math.abs(logLoss - plain) < 1e-5)
  assert.ok(Math.abs(loss - plain) > 0.1)
  // The student's own temperature is the default.
  await distill(together, student, train, { fit: { quiet: true } })
  assert.is(student.loss.parameter, 3)
})

test('without labels, and in pieces', async () => {
  const [whole, unlabelled] = [classifier(9), classifier(9)]
  const fit = { epochs: 2, quiet: true, shuffle: false, batchSize: 30 }
  await distill(together, whole, train, { hardShare: 0, fit })
  await distill(together, unlabelled, { x: train.x }, { hardShare: 0, fit })
  assert.equal(unlabelled.getWeights(), whole.getWeights())
  const pieces = classifier(9)
  const asked = []
  const stream = ({ epoch }) => {
    asked.push(epoch)
    return [0, 1, 2, 3].map((i) => ({
      x: train.x.slice(120 * i, 120 * (i + 1)),
      y: train.y.slice(30 * i, 30 * (i + 1)),
    }))
  }
  await distill(together, pieces, stream, { hardShare: 0, fit: { epochs: 2, quiet: true } })
  assert.equal(pieces.getWeights(), whole.getWeights())
  assert.equal(asked, [1, 2])
})

for (const temperature of [1, 2]) {
  test(`a run that is ended goes on to the same bits, at temperature ${temperature}`, async () => {
    const dir = join(folder, `student-${temperature}`)
    const options = (fit) => ({ temperature, fit: { epochs: 4, quiet: true, ...fit } })
    const calm = classifier(9)
    await distill(together, calm, train, options())
    await distill(together, classifier(9), train, options({ dir, resume: true, epochs: 2 }))
    const student = classifier(9)
    const history = await distill(together, student, train, options({ dir, resume: 'must' }))
    assert.is(history.epochs, 4)
    assert.equal(student.getWeights(), calm.getWeights())
  })
}

test('a run that is stopped before it has its targets ends', async () => {
  const run = distill(together, classifier(9), train, { fit: { quiet: true } })
  run.stop('no more')
  assert.is((await run).stoppedBy, 'no more')
  const signal = AbortSignal.abort(new Error('enough'))
  assert.is((await failure(() => distill(together, classifier(9), train, { fit: { signal } }))).message, 'enough')
})

test('a student keeps at least half of what five networks gain', async () => {
  const few = blobs(90, 11)
  const many = { x: blobs(2000, 12).x }
  const test = blobs(4000, 13)
  const gains = []
  for (const base of [10, 20, 30]) {
    const fit = { epochs: 120, batchSize: 30 }
    const singles = await trained(
      [1, 2, 3, 4, 5].map((seed) => classifier(base + seed, 'float32', 24)),
      few,
      fit,
    )
    const five = ensemble(singles)
    const student = classifier(base + 6, 'float32', 24)
    await distill(five, student, many, { hardShare: 0, fit: { epochs: 25, quiet: true } })
    const single = mean(await Promise.all(singles.map(async (model) => (await model.evaluate(test)).loss)))
    const losses = [single, (await five.evaluate(test)).loss, (await student.evaluate(test)).loss]
    gains.push([losses[0] - losses[1], losses[0] - losses[2]])
  }
  const [teacher, student] = [0, 1].map((i) => mean(gains.map((gain) => gain[i])))
  assert.ok(teacher > 0.02, String(gains))
  assert.ok(student >= teacher / 2, String(gains))
})

test('what does not fit', async () => {
  const refuses = async (code, pattern, ...given) => {
    const error = await failure(() => distill(...given))
    assert.is(error.code, code, String(error))
    assert.match(error.message, pattern)
  }
  const student = classifier(9)
  await refuses('GRADUS_INVALID_ARGUMENT', /^teacher: expected a model or an ensemble/, {}, student, train)
  await refuses('GRADUS_INVALID_ARGUMENT', /^student: expected a compiled model/, together, together, train)
  await refuses('GRADUS_INVALID_ARGUMENT', /^student: .*no part of the teacher/, together, members[1], train)
  await refuses('GRADUS_INVALID_ARGUMENT', /^hardShare: expected a number from 0 to 1/, together, student, train, {
    hardShare: 2,
  })
  await refuses('GRADUS_INVALID_ARGUMENT', /^temperature: /, together, student, train, { temperature: 0 })
  await refuses(
    'GRADUS_INVALID_ARGUMENT',
    /^temperature: expected none with meanSquaredError/,
    regressor(1),
    regressor(2),
    train,
    { temperature: 2 },
  )
  await refuses('GRADUS_INVALID_ARGUMENT', /^student: .*kind of outputs/, together, regressor(1), train)
  await refuses(
    'GRADUS_SHAPE_MISMATCH',
    /^student: expected the teacher's output shape/,
    answerer(1, 2),
    answerer(2, 1),
    train,
  )
  await refuses('GRADUS_INVALID_ARGUMENT', /^y: expected the targets/, together, student, { x: train.x })
  await refuses('GRADUS_INVALID_ARGUMENT', /^data: expected examples/, together, student, 7)
  await refuses('GRADUS_INVALID_ARGUMENT', /there is no option "alpha"/, together, student, train, { alpha: 1 })
  const raw = sequential({ input: [4], seed: 1 }, [dense(8), relu(), dense(3)])
  await refuses('GRADUS_NOT_COMPILED', /compile/, together, raw, train)
  raw.compile({ loss: multiclassHinge(), optimizer: adam() })
  await refuses('GRADUS_INVALID_ARGUMENT', /^student: .*multiclassHinge/, together, raw, train)
})

test.run()
