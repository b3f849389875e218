// Population based training: who goes on from whom, with which parameters, and with whose bytes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { population } from '../dist/search/samplers/population.js'
import { random } from '../dist/search/samplers/random.js'
import { choice, integer, logUniform, uniform } from '../dist/search/space/parameters.js'
import { checkSpace } from '../dist/search/space/space.js'
import { createStudy } from '../dist/search/study/index.js'
import { StudyReader } from '../dist/study/index.js'
import { populationStudy } from './support/population-study.js'
import { isSoak } from './support/sampled.js'
import { studyPlace } from './support/studies.js'
import { until } from './support/until.js'

const test = suite('population')
const places = studyPlace(test, 'population')

const space = checkSpace({
  rate: logUniform(1e-4, 1),
  width: integer(8, 64),
  drop: uniform(0, 0.6, { step: 0.1 }),
  rule: choice({ plain: {}, moving: { momentum: uniform(0.5, 0.9) } }),
})
const asked = (trials, number, seed = 5) => ({ space, trials, direction: 'maximize', seed, number })
/** A generation of eight, whose values are those given; null of one that failed. */
const generation = (values) =>
  values.map((value, number) => ({
    number,
    params: random().suggest(asked([], number, 1)),
    state: value === null ? 'failed' : 'complete',
    value,
  }))

test('the first generation is random, and goes on from nobody', () => {
  const sampler = population({ size: 8 })
  for (let number = 0; number < 8; number++) {
    assert.equal(sampler.suggest(asked([], number)), random().suggest(asked([], number)))
    assert.is(sampler.inherit.parentOf(asked([], number)), null)
  }
})

test('who is not among the worst goes on by himself, others from the best', () => {
  const sampler = population({ size: 8, exploit: 0.25 })
  const trials = generation([1, 8, 2, 7, 3, 6, null, 4])
  for (const number of [8, 9, 11, 12, 13, 15]) {
    if (number === 8) continue
    assert.is(sampler.inherit.parentOf(asked(trials, number)), number - 8)
    assert.equal(sampler.suggest(asked(trials, number)), trials[number - 8].params)
  }
  // Seven have a value: a quarter of them is one.
  assert.is(sampler.inherit.parentOf(asked(trials, 8)), 1)
  assert.is(sampler.inherit.parentOf(asked(trials, 14)), 1)
  // Running ones are not known; a result of three generations ago is too old.
  const running = trials.map((trial) => (trial.number === 1 ? { ...trial, state: 'running', value: null } : trial))
  assert.is(sampler.inherit.parentOf(asked(running, 8)), 3)
  assert.is(sampler.inherit.parentOf(asked(trials, 40)), null)
  assert.is(sampler.inherit.reach, 24)
})

test('of the best quarter each is chosen as often', () => {
  const sampler = population({ size: 8, exploit: 0.5 })
  const trials = generation([1, 8, 2, 7, 3, 6, 4, 5])
  const counts = new Map()
  for (let seed = 0; seed < 400; seed++) {
    const parent = sampler.inherit.parentOf(asked(trials, 8, seed))
    counts.set(parent, (counts.get(parent) ?? 0) + 1)
  }
  assert.equal([...counts.keys()].sort(), [1, 3, 5, 7])
  for (const count of counts.values()) assert.ok(count > 60 && count < 140, String(count))
})

test('numbers are multiplied, kept in their ranges and on their steps; choices change only when drawn anew', () => {
  const trials = generation([0, 1, 2, 3, 4, 5, 6, 9])
  const donor = {
    rate: 0.9,
    width: 20,
    drop: 0.5,
    rule: { name: 'moving', momentum: 0.6 },
  }
  trials[7] = { ...trials[7], params: donor }
  const of = (sampler) => Array.from({ length: 200 }, (_, seed) => sampler.suggest(asked(trials, 8, seed)))
  const close = (values, expected) => {
    const found = [...new Set(values.map((value) => value.toPrecision(12)))].map(Number).sort((a, b) => a - b)
    assert.equal(found, expected)
  }
  const multiplied = of(population({ size: 8, exploit: 0.125, resample: 0 }))
  close(
    multiplied.map(({ rate }) => rate),
    [0.72, 1],
  )
  close(
    multiplied.map(({ width }) => width),
    [16, 24],
  )
  close(
    multiplied.map(({ drop }) => drop),
    [0.4, 0.6],
  )
  close(
    multiplied.map(({ rule }) => rule.momentum),
    [0.5, 0.72],
  )
  assert.ok(multiplied.every(({ rule }) => rule.name === 'moving'))
  const drawn = of(population({ size: 8, exploit: 0.125, resample: 1 }))
  for (const params of drawn) space.point(params)
  const plain = drawn.filter(({ rule }) => rule.name === 'plain').length
  assert.ok(plain > 70 && plain < 130, String(plain))
  assert.ok(new Set(drawn.map(({ rate }) => rate)).size > 190)
})

test('what it is told has to make sense', () => {
  for (const [options, words] of [
    [{ size: 0 }, 'size'],
    [{ exploit: 0.6 }, 'exploit'],
    [{ perturb: [] }, 'perturb'],
    [{ perturb: [1, -1] }, 'perturb[1]'],
    [{ resample: 2 }, 'resample'],
  ])
    assert.throws(
      () => population(options),
      (error) => error.code === 'GRADUS_INVALID_ARGUMENT' && error.message.includes(words),
    )
})

/** Each heir began with the bytes of a checkpoint of its parent, which its record names. Returns how many changed sides. */
async function checkHeirs(dir, told, size) {
  const { trials } = await StudyReader.open(dir)
  const ofTrial = new Map()
  for (const one of told) ofTrial.set(one.number, [...(ofTrial.get(one.number) ?? []), one])
  let exploits = 0
  for (const { number, suggestion } of trials) {
    const { parent } = suggestion
    for (const { before } of ofTrial.get(number) ?? []) assert.is(before, parent?.sha256 ?? null, `heir ${number}`)
    if (!parent) continue
    const after = ofTrial.get(parent.trial).flatMap((one) => one.after)
    assert.ok(after.includes(parent.sha256), `trial ${number} of ${parent.trial}`)
    if (parent.trial % size !== number % size) exploits++
  }
  return { trials, exploits }
}

test(`${isSoak ? 200 : 50} times a bad one goes on from a good one: none without its file, each with the bytes of its donor`, async () => {
  const [size, trials, told, dir] = [4, isSoak ? 440 : 120, [], places.next()]
  const definition = populationStudy({ trials, size, exploit: 0.5, tell: (what) => told.push(what) })
  const study = await createStudy(definition, { dir })
  await study.optimize({ workers: 2, quiet: true })
  await study.close?.()
  const { trials: all, exploits } = await checkHeirs(dir, told, size)
  assert.is(all.filter(({ state }) => state === 'complete').length, trials)
  assert.ok(exploits >= (isSoak ? 200 : 50), `${exploits} exploits`)
  // What no heir can want any more has gone; the last generations and the ten best have theirs.
  const left = all.filter(({ path }) => existsSync(join(path, 'initial.safetensors')))
  assert.ok(left.length <= 3 * size + 2, `${left.length} files of heirs`)
  const kept = all.filter(({ path }) => readdirSync(join(path, 'run.1', 'checkpoints')).length > 0)
  assert.ok(kept.length >= 3 * size && kept.length <= 3 * size + 13, `${kept.length} with checkpoints`)
  // The weights went on: one epoch alone brings nobody so far.
  const best = (some) => Math.min(...some.map(({ last }) => last.record.value))
  assert.ok(best(all) < best(all.slice(0, size)) / (isSoak ? 1000 : 20), `${best(all)}`)
})

test('workers that are killed leave no heir without its file', async () => {
  const [dir, kills, trials] = [places.next(), isSoak ? 6 : 2, isSoak ? 50 : 30]
  const file = join(places.root, 'told.jsonl')
  const program = fileURLToPath(new URL('support/population-study.js', import.meta.url))
  const begun = () => (existsSync(join(dir, 'trials')) ? readdirSync(join(dir, 'trials')).length : 0)
  const start = (name) => spawn(process.execPath, [program, dir, file, String(trials), name], { stdio: 'inherit' })
  for (let kill = 0; kill < kills; kill++) {
    const child = start(`killed.${kill}`)
    const ended = once(child, 'exit')
    try {
      const before = begun()
      // At another moment each time.
      await until(() => begun() > before + 2 + (kill % 3) || child.exitCode !== null)
    } finally {
      child.kill('SIGKILL')
      await ended
    }
  }
  const last = start('last')
  const [code] = await once(last, 'exit')
  assert.is(code, 0)
  const told = readFileSync(file, 'utf8').trim().split('\n').map(JSON.parse)
  const { trials: all } = await checkHeirs(dir, told, 4)
  assert.is(all.filter(({ state }) => state === 'complete').length, trials)
})

test('trials that keep no checkpoint are refused in words', async () => {
  const dir = places.next()
  const { defineStudy } = await import('../dist/search/definition/define-study.js')
  const definition = defineStudy({
    ...{ metric: 'score', direction: 'maximize', trials: 8, space: { x: uniform(0, 1) } },
    sampler: population({ size: 2 }),
    trial: ({ params }) => params.x,
  })
  const study = await createStudy(definition, { dir })
  const error = await study.optimize({ quiet: true }).then(
    () => null,
    (thrown) => thrown,
  )
  assert.match(error?.message ?? '', /population goes on from trial \d, which has no checkpoint/)
})

test.run()
