// What cannot be searched is refused by name, and begins nothing; what a trial does wrong is said of that trial.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { dense, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { choice, createStudy, defineStudy, grid, integer, logUniform, openStudy, random, uniform } from 'gradus/search'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeFolders } from '../dist/files.js'
import { StudyReader } from '../dist/study/index.js'
import { failure } from './support/reference.js'
import { studyPlace } from './support/studies.js'

const test = suite('search: bad input')
const place = studyPlace(test, 'bad-input')

const settings = {
  metric: 'value',
  direction: 'minimize',
  trials: 2,
  sampler: random(),
  space: { x: uniform(0, 1) },
  trial: ({ params }) => params.x,
}
const define = (change) => defineStudy({ ...settings, ...change })

const x = Float32Array.from({ length: 80 }, (_, i) => Math.sin(i))
const y = Int32Array.from({ length: 40 }, (_, i) => i % 2)
const build = () =>
  sequential({ input: [2], seed: 1 }, [dense(2)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: sgd(),
    metrics: ['accuracy'],
  })

test('a definition that cannot be names the place, what was expected and what came', async () => {
  const cases = [
    [/^space: expected at least one parameter/, () => define({ space: {} })],
    [/^uniform: high: expected a number above low, which is 1, received 1/, () => uniform(1, 1)],
    [/^logUniform: low: expected a number above 0/, () => logUniform(0, 1)],
    [/^uniform: high: expected a whole number of steps of 0.3 from 0/, () => uniform(0, 1, { step: 0.3 })],
    [/^integer: low: /, () => integer(0.5, 3)],
    [/^choice: expected at least one value/, () => choice([])],
    [/^space: name of a parameter: .*"__proto__"/, () => define({ space: JSON.parse('{"__proto__":1}') })],
    [/^metric: expected a string, received 3/, () => define({ metric: 3 })],
    [/^direction: /, () => define({ direction: 'up' })],
    [/^trial: expected a function, received 3/, () => define({ trial: 3 })],
    [/^stages: expected a list of one stage or more/, () => define({ stages: [] })],
    [/^stages\[0\]\.trials: expected a positive integer, received 0/, () => define({ stages: [{ trials: 0 }] })],
    [/^grid: x has no steps, .*give it a step/, () => define({ sampler: grid() })],
    [/did you mean metric\?/, () => define({ metrik: 'value' })],
  ]
  for (const [pattern, make] of cases) {
    const error = await failure(make)
    assert.is(error.code, 'GRADUS_INVALID_ARGUMENT', `${pattern}: ${error.stack}`)
    assert.match(error.message, pattern)
  }
})

test('what a trial does wrong is its reason, in one sentence', async () => {
  const fit = (context, options) => context.fit(build(), { x, y }, options)
  const cases = [
    [/^GradusError: trial: expected a number, .* and it returned nothing$/, { trial: () => {} }],
    [/^GradusError: trial: expected a number, .* and it returned string$/, { trial: () => 'good' }],
    [
      /^GradusError: report: expected an epoch after 2, the last one reported, received 1$/,
      {
        trial: async ({ report }) => {
          await report(1, { epoch: 2 })
          await report(1, { epoch: 1 })
        },
      },
    ],
    [/^GradusError: report: expected a number, received string$/, { trial: ({ report }) => report('1') }],
    [
      /^GradusError: metric: there is no column "valAcuracy"; did you mean valAccuracy\?/,
      { metric: 'valAcuracy', epochs: 1, trial: (context) => fit(context, { validationSplit: 0.2 }) },
    ],
    [
      /^GradusError: metric: there is no column "valLoss"; fit has no validation;/,
      { metric: 'valLoss', epochs: 1, trial: (context) => fit(context) },
    ],
    [
      /^GradusError: fit: expected one call a trial/,
      { metric: 'loss', epochs: 1, trial: (context) => fit(context).then(() => fit(context)) },
    ],
    [
      /^GradusError: fit: epochs: expected none, as the study gives it/,
      { epochs: 1, trial: (c) => fit(c, { epochs: 2 }) },
    ],
    [/^RangeError: too far\n {4}at /, { trial: () => Promise.reject(new RangeError('too far')) }],
  ]
  for (const [pattern, change] of cases) {
    const study = await createStudy(define({ trials: 1, ...change }), { dir: place.next() })
    await study.optimize({ quiet: true })
    const [{ state, reason }] = await study.trials()
    assert.is(state, 'failed')
    assert.match(reason, pattern)
  }
})

test('a folder that cannot be a study’s is named, and nothing is made there', async () => {
  const [run, there] = [place.next(), place.next()]
  await build().fit({ x, y }, { epochs: 1, dir: run, quiet: true })
  await (await createStudy(define(), { dir: there })).optimize({ quiet: true })
  const cases = [
    ['GRADUS_INVALID_ARGUMENT', /holds a run; give a study a folder of its own/, {}, run],
    [
      'GRADUS_INVALID_ARGUMENT',
      /holds another study; .*\n {2}metric: "value" there, "other" now/,
      { metric: 'other' },
      there,
    ],
    ['GRADUS_INVALID_ARGUMENT', /was begun with another space/, { space: { x: uniform(0, 2) } }, there],
    // Node.js's own way of making folders above goes round for ever there.
    ['GRADUS_BAD_FILE', /^\/proc\/nothing\/study: no such folder/, {}, '/proc/nothing/study'],
    ['GRADUS_BAD_FILE', /study\.json/, {}, join(there, 'study.json')],
  ]
  for (const [code, pattern, change, dir] of cases) {
    const error = await failure(() => createStudy(define(change), { dir }))
    assert.is(error.code, code, `${dir}: ${error.stack}`)
    assert.match(error.message, pattern)
  }
  assert.not.ok(existsSync(join(run, 'trials')))
  assert.is((await StudyReader.open(there)).trials.length, 2)
  assert.is((await failure(() => openStudy(place.next()))).code, 'GRADUS_BAD_FILE')
})

test('folders above are made, also where another has just made them, and a file among them is named', async () => {
  const root = place.next()
  const path = join(root, 'a', 'b')
  const [one, two] = await Promise.all([makeFolders(path), makeFolders(path)])
  assert.is(one[0], path)
  assert.ok(existsSync(path))
  assert.ok(two.length <= 3)
  assert.equal(await makeFolders(path), [])
})

test.run()
