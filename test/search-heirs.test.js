// What heirs of population based training take over: weights, and the state of an optimizer of the same kind; and that a search
// with them can be repeated.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  adam,
  averagedWeights,
  customOptimizer,
  dense,
  loadModel,
  meanSquaredError,
  nadam,
  sequential,
  sgd,
  tanh,
} from '../dist/index.js'
import { loadOptimizerState } from '../dist/model/optimizer-state.js'
import { defineStudy } from '../dist/search/definition/define-study.js'
import { population } from '../dist/search/samplers/population.js'
import { logUniform } from '../dist/search/space/parameters.js'
import { runWorker } from '../dist/search/worker/worker.js'
import { StudyReader } from '../dist/study/index.js'

const test = suite('search heirs')
const root = mkdtempSync(join(tmpdir(), 'gradus-heirs-'))
test.after(() => rmSync(root, { recursive: true }))
let folders = 0
const next = () => join(root, `${++folders}`)

const data = { x: [[0], [1], [2], [3]], y: [[1], [3], [5], [6]] }
const modelWith = (optimizer, seed = 0, units = 3) =>
  sequential({ input: [1], seed }, [dense(units), tanh(), dense(1)]).compile({ loss: meanSquaredError(), optimizer })
const still = { batchSize: 2, shuffle: false, quiet: true }
const work = (dir, definition, name = 'here.1') =>
  runWorker({ dir, definition, name, threads: 1, signal: new AbortController().signal })
const trialsOf = async (dir) => (await StudyReader.open(dir)).trials
const rolling = (learningRate) =>
  customOptimizer({
    ...{ name: 'rolling', slots: ['velocity'], learningRate },
    update: (gradient, { slots: { velocity }, learningRate: rate }) =>
      gradient.map((slope, i) => {
        velocity[i] = 0.9 * velocity[i] - rate * slope
        return velocity[i]
      }),
  })

const rules = {
  adam: ({ learningRate }) => adam({ learningRate }),
  'adam with an average': ({ learningRate }) => adam({ learningRate, average: averagedWeights() }),
  nadam: ({ learningRate }) => nadam({ learningRate }),
  'nesterov momentum': ({ learningRate }) => sgd({ learningRate, momentum: 0.9, nesterov: true }),
}

/** Each trial an epoch, all of one member, which is among the worst of nobody: each goes on from the one before. */
const chain = (rule) =>
  defineStudy({
    ...{ metric: 'loss', direction: 'minimize', epochs: 1, trials: 4, seed: 3 },
    space: { learningRate: logUniform(0.01, 0.02) },
    sampler: population({ size: 1 }),
    trial: ({ number, params, fit }) => fit(modelWith(rule(params), number), data, still),
  })

for (const [name, rule] of Object.entries(rules)) {
  test(`generations of ${name} come to the bits of one that trained on`, async () => {
    const dir = next()
    assert.is(await work(dir, chain(rule)), 'done')
    const trials = await trialsOf(dir)
    const { params } = trials[0].suggestion
    const alone = modelWith(rule(params))
    await alone.fit(data, { ...still, epochs: trials.length })
    const { path } = trials.at(-1)
    const [file] = readdirSync(join(path, 'run.1', 'checkpoints'))
    const last = await loadModel(join(path, 'run.1', 'checkpoints', file))
    for (const average of name.includes('average') ? [false, true] : [false])
      assert.equal(last.getWeights({ average }), alone.getWeights({ average }))
    assert.is(last.program.step, 2 * trials.length)
  })
}

/** The file of a model after two updates. */
async function trained(optimizer) {
  const model = modelWith(optimizer)
  await model.fit(data, { ...still, epochs: 1 })
  return { model, file: await model.toBuffer({ optimizer: true }) }
}

test('an optimizer of another kind, or with slots that the file lacks, begins anew', async () => {
  const { file } = await trained(adam())
  const plain = await (await trained(adam())).model.toBuffer()
  for (const [other, from] of [
    [nadam(), file],
    [sgd({ learningRate: 0.1, momentum: 0.9 }), file],
    [adam({ amsgrad: true }), file],
    [adam(), plain],
    [rolling(0.1), file],
  ]) {
    const model = modelWith(other)
    await model.loadWeights(from)
    assert.is(await loadOptimizerState(model, from), false)
    assert.is(model.program.step, 0)
  }
  const fewer = modelWith(adam({ learningRate: 0.5, beta1: 0.5 }))
  assert.is(
    await loadOptimizerState(fewer, await (await trained(adam({ amsgrad: true }))).model.toBuffer({ optimizer: true })),
    true,
  )
  assert.is(fewer.program.step, 2)
})

test('a custom optimizer is known by its name', async () => {
  const { model, file } = await trained(rolling(0.1))
  const same = modelWith(rolling(0.2))
  assert.is(await loadOptimizerState(same, file), true)
  const slot = same.program.arenas.find((arena) => arena.includes('velocity'))
  assert.equal(same.program.read(slot, 0), model.program.read(slot, 0))
})

test('a model of another size begins with its own weights and no state', async () => {
  const dir = next()
  const steps = []
  const definition = defineStudy({
    ...{ metric: 'loss', direction: 'minimize', epochs: 1, trials: 2 },
    space: { learningRate: logUniform(0.01, 0.02) },
    sampler: population({ size: 1 }),
    trial: async ({ number, params, fit }) => {
      const model = modelWith(adam(params), number, 3 + number)
      await fit(model, data, still)
      steps.push(model.program.step)
    },
  })
  await work(dir, definition)
  assert.equal(steps, [2, 2])
})

test('reproducible: one, two and four workers that take their time come to the same heirs', async () => {
  const lists = []
  for (const workers of [1, 2, 4]) {
    const dir = next()
    const definition = defineStudy({
      ...{ metric: 'loss', direction: 'minimize', epochs: 1, trials: 24, seed: 5, reproducible: true, parallel: 3 },
      space: { learningRate: logUniform(1e-4, 0.1) },
      sampler: population({ size: 4, exploit: 0.5 }),
      trial: async ({ seed, params, fit }) => {
        await setTimeout(20 * Math.random())
        await fit(modelWith(adam(params), seed), data, { batchSize: 2 })
      },
    })
    await Promise.all(Array.from({ length: workers }, (_, i) => work(dir, definition, `here.${i + 1}`)))
    const trials = await trialsOf(dir)
    lists.push(trials.map(({ suggestion: { params, parent }, last }) => [params, parent?.trial, last.record.value]))
  }
  assert.is(lists[0].length, 24)
  assert.ok(lists[0].filter(([, parent], number) => parent !== undefined && parent % 4 !== number % 4).length >= 3)
  assert.equal(lists[1], lists[0])
  assert.equal(lists[2], lists[0])
})

test.run()
