// The report's figures against plain recomputation, what it prints, draws and writes down.
import { inspect } from 'node:util'
import { ensemble, report } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { failure } from './support/reference.js'
import { answerer, blobs, classifier, plainFigures, regressor, softmax, trained } from './support/small-ensembles.js'

const test = suite('report')
const near = (actual, expected, tolerance = 1e-12) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, not ${expected}`)
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length

const [train, held, other] = [blobs(240, 1), blobs(301, 2), blobs(200, 3)]
const members = await trained(
  [1, 2, 3, 4].map((seed) => classifier(seed)),
  train,
  { epochs: 25 },
)
const together = ensemble(members)
const rowsOf = async (model, { x }) => Array.from(await model.predict(x), (row) => softmax(row))
const probabilities = await Promise.all(members.map((member) => rowsOf(member, held)))
const meanOf = (chosen, shares = chosen.map(() => 1 / chosen.length)) =>
  held.y === undefined
    ? []
    : Array.from(held.y, (_, i) =>
        [0, 1, 2].map((c) => chosen.reduce((sum, m, k) => sum + shares[k] * probabilities[m][i][c], 0)),
      )

test('with calibration data all figures are of all examples: by plain definitions', async () => {
  const found = await report(together, held, { calibration: other })
  assert.is(found.rows, 301)
  assert.is(found.calibrationRows, 200)
  for (const [m, member] of found.members.entries()) {
    assert.is(member.name, `seed ${m + 1}`)
    const expected = plainFigures(probabilities[m], held.y)
    for (const name of ['accuracy', 'logLoss', 'calibrationError']) near(member[name], expected[name])
  }
  const expected = plainFigures(meanOf([0, 1, 2, 3]), held.y)
  for (const name of ['accuracy', 'logLoss', 'calibrationError']) near(found.ensemble[name], expected[name])
  const { accuracy, loss } = await together.evaluate(held)
  near(found.ensemble.accuracy, accuracy)
  near(found.ensemble.logLoss, loss, 1e-6)
  const accuracies = found.members.map((member) => member.accuracy)
  near(found.mean.value, mean(accuracies))
  near(found.mean.deviation, Math.sqrt(accuracies.reduce((sum, a) => sum + (a - mean(accuracies)) ** 2, 0) / 3))
  near(found.gain.overBest, accuracy - Math.max(...accuracies))
  near(found.gain.overMean, accuracy - mean(accuracies))
})

test('pairs of members differ as counted one by one', async () => {
  const { disagreement, members: told } = await report(together, held, { calibration: other })
  const choices = probabilities.map((rows) => rows.map((row) => row.indexOf(Math.max(...row))))
  for (const [a, of] of choices.entries()) {
    const shares = choices.map((others) => mean(others.map((choice, i) => Number(choice !== of[i]))))
    for (const [b, share] of shares.entries()) near(disagreement[a][b], share)
    near(told[a].disagreement, shares.reduce((sum, share) => sum + share, 0) / 3)
  }
  assert.ok(disagreement[0][1] > 0)
})

test('the curve: of 1 the mean of all members, of 3 of 4 the mean over all choices, of all the ensemble', async () => {
  const found = await report(together, held, { calibration: other })
  assert.equal(
    found.curve.map(({ count }) => count),
    [1, 2, 3, 4],
  )
  near(found.curve[0].accuracy, found.mean.value)
  near(found.curve[3].accuracy, found.ensemble.accuracy)
  near(found.curve[3].logLoss, found.ensemble.logLoss)
  // Rotations leave each one out equally often.
  const leftOut = [0, 1, 2, 3].map((out) => plainFigures(meanOf([0, 1, 2, 3].filter((m) => m !== out)), held.y))
  near(found.curve[2].logLoss, mean(leftOut.map(({ logLoss }) => logLoss)))
  near(found.curve[2].accuracy, mean(leftOut.map(({ accuracy }) => accuracy)))
  const pairs = [0, 1, 2, 3].flatMap((a) =>
    [0, 1, 2, 3].filter((b) => b > a).map((b) => plainFigures(meanOf([a, b]), held.y)),
  )
  const of = pairs.map(({ logLoss }) => logLoss)
  assert.ok(found.curve[1].logLoss >= Math.min(...of) && found.curve[1].logLoss <= Math.max(...of))
})

test('weights and the way of combining hold for a part of the members too', async () => {
  const weights = [0.4, 0.3, 0.2, 0.1]
  const weighted = await report(ensemble(members, { weights }), held, { calibration: other })
  near(weighted.ensemble.logLoss, plainFigures(meanOf([0, 1, 2, 3], weights), held.y).logLoss)
  const leftOut = [0, 1, 2, 3].map((out) => {
    const rest = [0, 1, 2, 3].filter((m) => m !== out)
    return plainFigures(
      meanOf(
        rest,
        rest.map((m) => weights[m] / (1 - weights[out])),
      ),
      held.y,
    ).logLoss
  })
  near(weighted.curve[2].logLoss, mean(leftOut))
  for (const combine of ['geometric', 'scores', 'vote']) {
    const combined = ensemble(members, { combine, weights })
    const found = await report(combined, held, { calibration: other })
    const { accuracy, loss } = await combined.evaluate(held)
    near(found.ensemble.accuracy, accuracy)
    near(found.ensemble.logLoss, loss, 1e-6)
    near(found.curve[3].logLoss, loss, 1e-6)
  }
  const some = await report(ensemble(members, { weights: [1, 0, 1, 0] }), held, { calibration: other })
  assert.is(some.curve.length, 2)
  near(some.curve[1].logLoss, plainFigures(meanOf([0, 2]), held.y).logLoss)
})

test('by default temperatures see one half of the examples, and the figures are of the other', async () => {
  const found = await report(together, held, { seed: 3 })
  assert.equal([found.rows, found.calibrationRows], [151, 150])
  assert.equal(JSON.parse(JSON.stringify(await report(together, held, { seed: 3 }))), JSON.parse(JSON.stringify(found)))
  assert.is.not((await report(together, held, { seed: 4 })).ensemble.logLoss, found.ensemble.logLoss)
  const { temperature, bound } = found.ensemble.calibrated
  assert.is(bound, null)
  // Rows that the temperature was fitted on are not shown: with the labels of the others turned about it stays.
  const given = await report(together, held, { calibration: held })
  assert.ok(Math.abs(given.ensemble.calibrated.temperature / temperature - 1) < 0.5)
  assert.is.not(given.ensemble.calibrated.temperature, temperature)
})

test('examples count by their weights', async () => {
  const sampleWeights = Float32Array.from(held.y, (_, i) => i % 3)
  const found = await report(together, { ...held, sampleWeights }, { calibration: other })
  const expected = plainFigures(meanOf([0, 1, 2, 3]), held.y, sampleWeights)
  for (const name of ['accuracy', 'logLoss', 'calibrationError']) near(found.ensemble[name], expected[name])
})

test('it prints itself, aligned', async () => {
  const found = await report(together, held, { calibration: other })
  const text = inspect(found)
  assert.is(text, String(found))
  const lines = text.split('\n')
  const four = (value) => value.toFixed(4)
  const { ensemble: own, best, mean } = found
  assert.is(
    lines[0],
    `ensemble of 4 · test accuracy ${four(own.accuracy)} · best member ${four(best.accuracy)} · members' mean ${four(mean.value)} ± ${four(mean.deviation)}`,
  )
  assert.is(lines[1], 'count          1       2       3       4')
  assert.is(lines[2], `accuracy  ${found.curve.map(({ accuracy }) => four(accuracy)).join('  ')}`)
  assert.is(lines[4], 'member    accuracy     NLL     ECE  differs from the others')
  assert.is(lines[5], '─'.repeat(lines[4].length))
  assert.match(lines[6], /^seed 1 {6}0\.\d{4} {2}\d\.\d{4} {2}0\.\d{4}\s+\d+\.\d %$/)
  for (const line of lines.slice(6, 10)) assert.is(line.length, lines[4].length)
  assert.match(lines.at(-2), /^temperature \d\.\d\d: NLL \d\.\d{4} → \d\.\d{4}, ECE 0\.\d{4} → 0\.\d{4}$/)
  assert.is(lines.at(-1), 'on 301 examples; the temperature was fitted on 200 others')
})

test('the picture is well-formed, and holds a point for each count', async () => {
  const svg = (await report(together, held)).toSvg()
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
  assert.is(svg.match(/<circle /g).length, 4)
  for (const label of ['number of members', 'accuracy', 'best member', 'Ensemble of 4'])
    assert.ok(svg.includes(`${label}`))
  assert.not.match(svg, /NaN|Infinity|undefined/)
  const open = [...svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)].filter(([, , , closed]) => !closed)
  assert.is(open.filter(([, end]) => end).length, open.filter(([, end]) => !end).length)
})

test('of quantities: errors in place of accuracy, without halves and temperatures', async () => {
  const quantities = ({ x }) => ({
    x,
    y: Float64Array.from({ length: x.length / 2 }, (_, i) => Math.sin(x[2 * i]) + x[2 * i + 1] ** 2),
  })
  const [learnt, asked] = [quantities(train), quantities(held)]
  const models = await trained(
    [1, 2, 3].map((seed) => regressor(seed)),
    learnt,
  )
  const both = ensemble(models)
  const found = await report(both, asked)
  assert.is(found.rows, 301)
  assert.is(found.measure, 'rootMeanSquaredError')
  assert.is(found.ensemble.calibrated, undefined)
  near(found.ensemble.rootMeanSquaredError, (await both.evaluate(asked)).rootMeanSquaredError, 1e-6)
  const [first, second] = [await models[0].predict(asked.x), await models[1].predict(asked.x)]
  near(found.disagreement[0][1], Math.sqrt(mean(Array.from(first.data, (v, i) => (v - second.data[i]) ** 2))))
  assert.is(found.best.rootMeanSquaredError, Math.min(...found.members.map((m) => m.rootMeanSquaredError)))
  assert.ok(found.gain.overMean > 0)
  assert.match(String(found), /^ensemble of 3 · test RMSE \d/)
  assert.not.match(String(found), /NLL|temperature/)
  const error = await failure(() => report(both, asked, { calibration: asked }))
  assert.match(error.message, /^calibration: expected none with meanSquaredError/)
})

test('of one yes-or-no output, with names of its own', async () => {
  const yes = ({ x, y }) => ({ x, y: Float32Array.from(y, (label) => Number(label === 0)) })
  const models = await trained(
    [1, 2, 3].map((seed) => answerer(seed)),
    yes(train),
  )
  const combined = ensemble(models)
  const found = await report(combined, yes(held), { calibration: yes(other), names: ['a', 'b', 'c'] })
  const { accuracy, loss } = await combined.evaluate(yes(held))
  near(found.ensemble.accuracy, accuracy)
  near(found.ensemble.logLoss, loss, 1e-6)
  near(found.curve[2].logLoss, loss, 1e-6)
  assert.equal(
    found.members.map(({ name }) => name),
    ['a', 'b', 'c'],
  )
})

test('of one member it has the figures of that', async () => {
  const found = await report(ensemble([members[0]]), held, { calibration: other })
  near(found.ensemble.accuracy, found.members[0].accuracy)
  near(found.gain.overBest, 0)
  assert.is(found.curve.length, 1)
  assert.not.match(String(found), /NaN/)
  assert.not.match(found.toSvg(), /NaN/)
})

test('what it refuses', async () => {
  const refuses = async (code, pattern, ...given) => {
    const error = await failure(() => report(...given))
    assert.is(error.code, code, String(error))
    assert.match(error.message, pattern)
  }
  await refuses('GRADUS_INVALID_ARGUMENT', /^ensemble: expected an ensemble/, members[0], held)
  await refuses('GRADUS_INVALID_ARGUMENT', /^names: expected 4 names/, together, held, { names: ['a'] })
  const one = { x: held.x.slice(0, 4), y: held.y.slice(0, 1) }
  await refuses('GRADUS_INVALID_ARGUMENT', /^data: expected at least two examples/, together, one)
  await refuses('GRADUS_INVALID_ARGUMENT', /^data: expected at least one example/, together, { x: [], y: [] })
  await refuses('GRADUS_INVALID_ARGUMENT', /^seed: /, together, held, { seed: -1 })
  const signal = AbortSignal.abort(new Error('enough'))
  assert.is((await failure(() => report(together, held, { signal }))).message, 'enough')
})

test.run()
