// Studies for tests of their files.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeStudy, readTrial } from '../../dist/study/index.js'

/** A place for the studies of a test, which goes with it: `next()` is a folder that is not there yet. */
export function studyPlace(test, name) {
  const root = mkdtempSync(join(tmpdir(), `gradus-${name}-`))
  let folders = 0
  test.after(() => rmSync(root, { recursive: true, force: true }))
  const next = () => join(root, `${++folders}`)
  return { root, next, make: async () => (await makeStudy(next(), description())).path }
}

export const description = (change = {}) => ({
  metric: 'valAccuracy',
  direction: 'maximize',
  epochs: 3,
  trials: 100,
  space: { learningRate: { type: 'uniform', low: 0, high: 1 } },
  sampler: { name: 'random' },
  pruner: null,
  stages: null,
  seed: 7,
  details: {},
  module: { path: 'study.js', sha256: 'a'.repeat(64) },
  versions: { gradus: '0.1.0' },
  ...change,
})

export const suggestion = (change = {}) => ({
  params: { learningRate: 0.25 },
  seed: 11,
  stage: 1,
  suggestedBy: 'random',
  results: [],
  ...change,
})

/** A trial by its number. */
export const readNumbered = (study, number) => readTrial(number, join(study, 'trials', String(number).padStart(5, '0')))

export const draft = { worker: 'here.1', budget: 3 }

export const ending = (change = {}) => ({
  state: 'complete',
  epoch: 3,
  value: 0.75,
  reason: null,
  details: null,
  ...change,
})
