// Selection and fitted weights of models, against plain float64 implementations on what the models predict.
import {
  adam,
  binaryCrossEntropy,
  dataset,
  dense,
  ensemble,
  fitWeights,
  meanSquaredError,
  multiclassHinge,
  select,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { permutation } from '../dist/data/random.js'
import { numbers } from './support/reference.js'

const test = suite('ensemble select')

/** A model that gives row i the scores that stand in row i of a table. */
function tableModel(scores, { loss = softmaxCrossEntropy(), metrics = ['accuracy'], dtype = 'float64' } = {}) {
  const [rows, columns] = [scores.length, scores[0].length]
  const model = sequential({ input: [rows], seed: 1, dtype }, [dense(columns, { bias: false })])
  model.compile({ loss, optimizer: adam(), metrics })
  model.setWeights({ 'dense1.weight': { shape: [rows, columns], data: Float64Array.from(scores.flat()) } })
  return model
}
/** Row i asks for row i. */
const asking = (rows) => Array.from({ length: rows }, (_, i) => Array.from({ length: rows }, (_, j) => Number(i === j)))

/** Scores that know something of the labels, each member its own; the shift says how much. */
function tables(seed, { members = 10, rows = 60, columns = 3, shift = 0.7 } = {}) {
  const labels = Array.from(
    { length: rows },
    (_, i) => Math.floor(Math.abs(1e4 * Math.sin(seed * 31 + i * 7))) % columns,
  )
  const scores = Array.from({ length: members }, (_, m) => {
    const all = numbers(rows * columns, 1000 * seed + m)
    return labels.map((label, i) =>
      Array.from({ length: columns }, (_, c) => 2 * all[i * columns + c] + (c === label ? shift : 0)),
    )
  })
  return { labels, scores, x: asking(rows) }
}
const softmax = (row) => {
  const total = row.reduce((sum, score) => sum + Math.exp(score), 0)
  return row.map((score) => Math.exp(score) / total)
}

const meanLog = (columns, picks, rows) => {
  let total = 0
  for (const i of rows) total += Math.log(picks.reduce((sum, m) => sum + columns[m][i], 0) / picks.length)
  return total / rows.length
}

function plainPicks(columns, rows, from, picks, start) {
  const worth = (list) => meanLog(columns, list, rows)
  const ranked = [...from].sort((a, b) => worth([b]) - worth([a]))
  let current = [ranked[0]]
  for (let k = 2; k <= Math.min(start, picks, ranked.length); k++) {
    if (worth(ranked.slice(0, k)) > worth(current)) current = ranked.slice(0, k)
  }
  let best = current
  while (current.length < picks) {
    current = from.map((m) => [...current, m]).reduce((a, b) => (worth(b) > worth(a) ? b : a))
    if (worth(current) > worth(best)) best = current
  }
  return best
}

/** Caruana's selection of the whole, by the rows and the bags that the seed draws. */
function plainSelection({ labels, scores }, { size, start, bags, fraction, seed }) {
  const columns = scores.map((of) => of.map((row, i) => softmax(row)[labels[i]]))
  const order = [...permutation(labels.length, seed)]
  const half = Math.ceil(labels.length / 2)
  const [chosenBy, others] = [order.slice(0, half), order.slice(half)]
  const counts = scores.map(() => 0)
  for (let bag = 0; bag < bags; bag++) {
    const from = [...permutation(scores.length, seed + bag)].slice(0, Math.round(fraction * scores.length))
    for (const m of plainPicks(
      columns,
      chosenBy,
      from.sort((a, b) => a - b),
      size,
      start,
    ))
      counts[m]++
  }
  const members = counts.map((count, index) => ({ index, count })).filter(({ count }) => count > 0)
  members.sort((a, b) => b.count - a.count || a.index - b.index)
  const kept = members.slice(0, size)
  const together = kept.flatMap(({ index, count }) => Array(count).fill(index))
  return {
    members: kept,
    score: -meanLog(columns, together, others),
    chosenScore: -meanLog(columns, together, chosenBy),
  }
}

const near = (a, b, within = 1e-9) => assert.ok(Math.abs(a - b) <= within, `${a} and ${b}`)

test('on 20 random libraries the same members as a plain selection in float64, with its scores', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const library = tables(seed)
    const models = library.scores.map((scores) => tableModel(scores))
    const options = { size: 4, start: 3, bags: 3, fraction: 0.6, seed }
    const expected = plainSelection(library, options)
    const found = await select(models, { x: library.x, y: library.labels }, options)
    assert.equal(found.members, expected.members, `library ${seed}`)
    near(found.score, expected.score)
    near(found.chosenScore, expected.chosenScore)
    assert.equal([found.chosenOn, found.reportedOn, found.metric, found.better], [30, 30, 'loss', 'smaller'])
    assert.equal(
      found.ensemble.members.map((member) => models.indexOf(member)),
      expected.members.map(({ index }) => index),
    )
    const total = expected.members.reduce((sum, { count }) => sum + count, 0)
    for (const [i, { count }] of expected.members.entries()) near(found.ensemble.weights[i], count / total)
    // What it reports is what the ensemble gets on those rows.
    const rest = [...permutation(60, seed)].slice(30)
    const unseen = { x: rest.map((row) => library.x[row]), y: rest.map((row) => library.labels[row]) }
    near((await found.ensemble.evaluate(unseen)).loss, found.score)
    near((await ensemble(models).evaluate(unseen)).loss, found.allScore)
    assert.match(String(found), /^Selection\(\d members, loss [\d.]+ on 30 rows, chosen by 30 others; best member/)
  }
})

test('each way to combine and each metric has the value that the ensemble gets', async () => {
  const library = tables(5, { members: 5, shift: 1.5 })
  const y = library.labels
  const models = library.scores.map((scores) => tableModel(scores, { metrics: ['accuracy', 'f1'] }))
  const data = dataset({ x: library.x, y, sampleWeights: y.map((_, i) => 1 + (i % 3)) })
  for (const combine of ['probabilities', 'geometric', 'scores', 'vote']) {
    for (const metric of ['loss', 'accuracy', 'f1', 'balancedAccuracy']) {
      const found = await select(ensemble(models, { combine }), data, { size: 3, bags: 4, metric, test: data })
      assert.is(found.ensemble.combine, combine)
      assert.is(found.better, metric === 'loss' ? 'smaller' : 'larger')
      const judge = ensemble(found.ensemble.members, { combine, weights: found.ensemble.weights })
      if (metric !== 'balancedAccuracy') near((await judge.evaluate(data))[metric], found.score, 1e-9)
      near(found.score, found.chosenScore, 0)
      assert.equal([found.chosenOn, found.reportedOn], [60, 60])
    }
  }
  const best = library.scores.map((of) => of.filter((row, i) => row.indexOf(Math.max(...row)) === y[i]).length / 60)
  const plain = await select(
    models,
    { x: library.x, y },
    { size: 1, bags: 1, fraction: 1, metric: 'accuracy', test: { x: library.x, y } },
  )
  near(plain.score, Math.max(...best))
  assert.is(plain.bestMemberScore, plain.score)
})

test('yes-or-no answers, too, have the values that the ensemble gets', async () => {
  const library = tables(6, { members: 4, shift: 1 })
  const y = library.labels.map((label) => [0, 1, 2].map((c) => Number(c === label)))
  const models = library.scores.map((scores) =>
    tableModel(scores, { loss: binaryCrossEntropy(), metrics: ['accuracy', 'logLoss'] }),
  )
  const data = dataset({ x: library.x, y })
  for (const combine of ['probabilities', 'geometric', 'scores', 'vote']) {
    for (const metric of ['loss', 'accuracy', 'logLoss']) {
      const found = await select(ensemble(models, { combine }), data, { size: 3, bags: 4, metric, test: data })
      const { members, weights } = found.ensemble
      near((await ensemble(members, { combine, weights }).evaluate(data))[metric], found.score)
    }
  }
})

test('of 200 members of equal true skill those selected are no worse on unseen rows than the best ten by a standard error', async () => {
  for (const seed of [1, 2, 3]) {
    const library = tables(seed, { members: 200, rows: 400 })
    const models = library.scores.map((scores) => tableModel(scores, { dtype: 'float32' }))
    const found = await select(models, { x: library.x, y: library.labels }, { seed })
    const columns = library.scores.map((of) => of.map((row, i) => softmax(row)[library.labels[i]]))
    const order = [...permutation(400, seed)]
    const [chosenBy, unseen] = [order.slice(0, 200), order.slice(200)]
    const ranked = columns
      .map((_, m) => m)
      .sort((a, b) => meanLog(columns, [b], chosenBy) - meanLog(columns, [a], chosenBy))
    const mean = (logs) => logs.reduce((sum, log) => sum + log, 0) / logs.length
    const ten = ranked.slice(0, 10)
    const selected = found.members.flatMap(({ index, count }) => Array(count).fill(index))
    const logOf = (picks, i) => Math.log(picks.reduce((sum, m) => sum + columns[m][i], 0) / picks.length)
    // Against the mean of the best ten as one, which is better than they are by themselves.
    const gains = unseen.map((i) => logOf(selected, i) - logOf(ten, i))
    const deviation = Math.sqrt(
      mean(gains.map((gain) => (gain - mean(gains)) ** 2)) * (gains.length / (gains.length - 1)),
    )
    assert.ok(
      mean(gains) >= -deviation / Math.sqrt(gains.length),
      `${mean(gains)} ± ${deviation / Math.sqrt(gains.length)}`,
    )
    near(found.score, -mean(unseen.map((i) => logOf(selected, i))), 1e-4)
    assert.ok(found.score < -mean(ten.map((m) => meanLog(columns, [m], unseen))))
  }
})

const sigmoid = (score) => 1 / (1 + Math.exp(-score))

test('fitted weights are the likeliest: no others on a fine grid are likelier, for softmax and sigmoids, by class numbers and probabilities', async () => {
  const library = tables(3, { members: 2, rows: 50, shift: 1 })
  const sampleWeights = library.labels.map((_, i) => 1 + (i % 2))
  const soft = library.labels.map((label) => [0, 1, 2].map((c) => (c === label ? 0.8 : 0.1)))
  const yesNo = library.labels.map((label) => [0, 1, 2].map((c) => Number(c === label)))
  for (const [y, loss] of [
    [library.labels, softmaxCrossEntropy()],
    [soft, softmaxCrossEntropy()],
    [yesNo, binaryCrossEntropy()],
    [soft, binaryCrossEntropy()],
  ]) {
    const models = library.scores.map((scores) => tableModel(scores, { loss, metrics: [] }))
    const data = dataset({ x: library.x, y, sampleWeights })
    const weighted = await fitWeights(models, data, { tolerance: 1e-12, iterations: 100_000 })
    const lossOf = async (weights) => (await ensemble(models, { weights }).evaluate(data)).loss
    const { loss: fitted } = await weighted.evaluate(data)
    near(fitted, await lossOf(weighted.weights), 1e-12)
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i <= 200; i++) least = Math.min(least, await lossOf([i / 200, 1 - i / 200]))
    assert.ok(fitted <= least + 1e-12 && fitted > least - 1e-3, `${fitted} and ${least}`)
    // By hand, for one of them.
    if (y === yesNo) {
      const p = (m, i, c) => sigmoid(library.scores[m][i][c])
      let [sum, total] = [0, 0]
      for (const [i, row] of yesNo.entries()) {
        total += sampleWeights[i]
        for (const [c, t] of row.entries()) {
          const mixed = weighted.weights[0] * p(0, i, c) + weighted.weights[1] * p(1, i, c)
          sum -= (sampleWeights[i] * Math.log(t === 1 ? mixed : 1 - mixed)) / 3
        }
      }
      near(fitted, sum / total, 1e-9)
    }
  }
})

test('in regression they are those of the smallest squared error', async () => {
  const [rows, members] = [40, 4]
  const y = [...numbers(rows, 7)].map((value) => [value, 2 * value])
  const scores = Array.from({ length: members }, (_, m) =>
    y.map(([a, b], i) => [a + 0.3 * Math.sin(i * (m + 1)) + 0.1 * m, b + 0.2 * Math.cos(i * (m + 2))]),
  )
  const models = scores.map((of) => tableModel(of, { loss: meanSquaredError(), metrics: [] }))
  const data = { x: asking(rows), y }
  const weighted = await fitWeights(ensemble(models), data, { tolerance: 1e-12, iterations: 100_000 })
  const { loss } = await weighted.evaluate(data)
  let least = Number.POSITIVE_INFINITY
  for (let a = 0; a <= 20; a++) {
    for (let b = 0; a + b <= 20; b++) {
      for (let c = 0; a + b + c <= 20; c++) {
        const weights = [a, b, c, 20 - a - b - c]
        const error = (row, column) =>
          weights.reduce((sum, weight, m) => sum + (weight / 20) * scores[m][row][column], 0) - y[row][column]
        const mean = y.reduce((sum, _, row) => sum + error(row, 0) ** 2 + error(row, 1) ** 2, 0) / (2 * rows)
        least = Math.min(least, mean)
      }
    }
  }
  assert.ok(loss <= least + 1e-12 && loss > 0.9 * least, `${loss} and ${least}`)
})

async function refusal(act) {
  try {
    await act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

test('what cannot be chosen from or fitted: one error each', async () => {
  const library = tables(1, { members: 3, rows: 10 })
  const models = library.scores.map((scores) => tableModel(scores))
  const data = { x: library.x, y: library.labels }
  const choose = (options, from = models, of = data) => refusal(() => select(from, of, options))
  assert.match(await choose({}, []), /INVALID_ARGUMENT members: expected a list of one model or more/)
  assert.match(await choose({ size: 0 }), /INVALID_ARGUMENT size/)
  assert.match(await choose({ sizes: 3 }), /INVALID_ARGUMENT select: there is no option "sizes"; did you mean size/)
  assert.match(await choose({ fraction: 1.5 }), /INVALID_ARGUMENT fraction: expected a number over 0, up to 1/)
  assert.match(await choose({ metric: 'acuracy' }), /INVALID_ARGUMENT metrics\[0\]: there is no metric "acuracy"/)
  assert.match(
    await choose({ metric: 'confusionMatrix' }),
    /INVALID_ARGUMENT metric: expected one of which larger or smaller/,
  )
  assert.match(await choose({ metric: 'r2' }), /INVALID_ARGUMENT metrics\[0\]: r2 is for/)
  assert.match(
    await choose({}, models, { x: library.x.slice(0, 1), y: [0] }),
    /INVALID_ARGUMENT data: expected at least 2 examples/,
  )
  assert.match(await choose({ test: { x: library.x } }), /^GRADUS_INVALID_ARGUMENT test/)
  assert.match(await choose({}, models, { x: library.x, y: library.labels.map(() => 7) }), /INVALID_DATA/)
  const other = tableModel(library.scores[0].map((row) => row.slice(0, 2)))
  assert.match(await choose({}, [models[0], other]), /SHAPE_MISMATCH members\[1\]/)
  const gone = tableModel(library.scores[0])
  gone.dispose()
  assert.match(await choose({}, [models[0], gone]), /GRADUS_DISPOSED members\[1\]/)
  const bare = sequential({ input: [10], seed: 1, dtype: 'float64' }, [dense(3)])
  assert.match(await choose({}, [bare]), /NOT_COMPILED/)
  assert.match(await choose({ signal: AbortSignal.abort(new Error('enough')) }), /^undefined enough/)
  const busy = tableModel(library.scores[0])
  const run = busy.fit(data, { epochs: 1e6 })
  assert.match(await choose({}, [models[0], busy]), /GRADUS_BUSY members\[1\] is being fitted/)
  run.stop()
  await run
  const fitted = (from, options) => refusal(() => fitWeights(from, data, options))
  assert.match(
    await fitted(ensemble(models, { combine: 'vote' })),
    /INVALID_ARGUMENT fitWeights: expected a mean of probabilities .* received combine: 'vote'/,
  )
  assert.match(await fitted(ensemble(models, { combine: 'geometric' })), /INVALID_ARGUMENT fitWeights/)
  const hinge = library.scores.map((scores) => tableModel(scores, { loss: multiclassHinge(), metrics: [] }))
  assert.match(await fitted(hinge), /INVALID_ARGUMENT fitWeights: .* compiled with multiclassHinge/)
  assert.match(await fitted(models, { tolerance: 0 }), /INVALID_ARGUMENT tolerance/)
  assert.match(await fitted(models, { step: 3 }), /INVALID_ARGUMENT fitWeights: there is no option "step"/)
})

test('the members stay whose they were', async () => {
  const library = tables(2, { members: 3, rows: 12 })
  const models = library.scores.map((scores) => tableModel(scores))
  const data = { x: library.x, y: library.labels }
  const { ensemble: chosen } = await select(models, data)
  chosen.dispose()
  ;(await fitWeights(models, data)).dispose()
  for (const model of models) assert.is(model.getWeights()['dense1.weight'].data.length, 36)
})

test.run()
