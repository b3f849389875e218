// Studies in programs: made, trained, asked, looked at, and what their best models are good for.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import * as gradus from 'gradus'
import { asha, createStudy, defineStudy, integer, logUniform, openStudy, random, uniform } from 'gradus/search'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { studyPlace } from './support/studies.js'

const test = suite('search study')
const place = studyPlace(test, 'study')
const quiet = { quiet: true }

const square = (change = {}) =>
  defineStudy({
    metric: 'value',
    direction: 'minimize',
    trials: 10,
    sampler: random(),
    space: { x: uniform(-1, 1) },
    trial: ({ params }) => params.x ** 2,
    ...change,
  })

const x = Float32Array.from({ length: 120 * 3 }, (_, i) => Math.sin(i * 1.7))
const y = Int32Array.from({ length: 120 }, (_, i) => (x[3 * i] > 0 ? 1 : 0))
const { adam, dense, ensemble, relu, sequential, softmaxCrossEntropy } = gradus
const build = ({ learningRate, hidden }) =>
  sequential({ input: [3], seed: hidden }, [dense(hidden), relu(), dense(2)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate }),
    metrics: ['accuracy'],
  })
const nets = () =>
  defineStudy({
    metric: 'valAccuracy',
    direction: 'maximize',
    epochs: 2,
    trials: 4,
    sampler: random(),
    space: { learningRate: logUniform(1e-3, 0.1), hidden: integer(2, 8) },
    trial: ({ params, fit }) => fit(build(params), { x, y }, { validationSplit: 0.25, batchSize: 16 }),
  })

test('optimize trains all, in this process on any number of workers, and goes on for more', async () => {
  const dir = place.next()
  const study = await createStudy(square(), { dir })
  const told = []
  assert.is(await study.optimize({ ...quiet, workers: 2, onTrial: ({ number }) => told.push(number) }), 'done')
  assert.equal(
    told.sort((a, b) => a - b),
    [...Array(10).keys()],
  )
  const trials = await study.trials()
  const least = trials.reduce((a, b) => (a.value <= b.value ? a : b))
  assert.equal(await study.best(), least)
  assert.is(least.value, least.params.x ** 2)
  assert.is(await study.optimize({ ...quiet, trials: 13 }), 'done')
  // Whoever looks sees the same.
  assert.is((await (await openStudy(dir)).trials()).length, 13)
})

test('ask and tell: until all are begun; the pruner says what is worse', async () => {
  const study = await createStudy(square({ epochs: 4, pruner: asha({ reduction: 2, pauses: false }) }), {
    dir: place.next(),
  })
  for (let trial = await study.ask(); trial; trial = await study.ask()) {
    if (trial.number === 3) {
      await trial.tell({ state: 'failed', reason: 'no power' })
      continue
    }
    let decision = 'continue'
    for (let epoch = 1; epoch <= 3 && decision === 'continue'; epoch++) {
      decision = await trial.report(trial.params.x ** 2 + 1 / epoch)
    }
    await trial.tell(decision === 'stop' ? { state: 'pruned' } : trial.params.x ** 2)
  }
  const trials = await study.trials()
  assert.is(trials.length, 10)
  assert.is(trials[3].state, 'failed')
  assert.is(trials[3].reason, 'no power')
  const states = new Set(trials.map(({ state }) => state))
  assert.equal([...states].sort(), ['complete', 'failed', 'pruned'])
  // The first has nobody to be worse than.
  assert.is(trials[0].state, 'complete')
  await study.close()
})

test('what a person puts before the others is trained, and must fit the space', async () => {
  const study = await createStudy(square({ trials: 3 }), { dir: place.next() })
  assert.is(await study.enqueue({ x: 0.125 }), 0)
  const error = await study.enqueue({ x: 2 }).catch((error) => error)
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(error.message, 'x: expected a number from -1 to 1, received 2')
  await study.optimize(quiet)
  const trials = await study.trials()
  assert.is(trials.length, 3)
  assert.is(trials[0].value, 0.125 ** 2)
  await study.stop(1).catch((error) => assert.is(error.code, 'GRADUS_INVALID_ARGUMENT'))
  await study.retry(0)
  await study.optimize(quiet)
  assert.is((await study.trials())[0].state, 'complete')
})

test('what a person puts there is of the stage that the study is at, also outside its ranges', async () => {
  const stages = [
    { trials: 6, epochs: 1 },
    { trials: 6, epochs: 2 },
  ]
  const study = await createStudy(square({ trials: undefined, stages }), { dir: place.next() })
  const notes = []
  assert.is(await study.optimize({ ...quiet, onNote: (text) => notes.push(text) }), 'done')
  assert.match(notes[0], 'stage 2 looks at x')
  assert.is(await study.enqueue({ x: -1 }), 12)
  await study.optimize(quiet)
  const last = (await study.trials()).at(-1)
  assert.equal([last.number, last.stage, last.state, last.value], [12, 2, 'complete', 1])
})

test('the best models: loaded, together as an ensemble, and tested once', async () => {
  const study = await createStudy(nets(), { dir: place.next() })
  assert.is(await study.optimize({ ...quiet, workers: 2 }), 'done')
  const files = await study.topFiles(10)
  assert.is(files.length, 4)
  const best = await study.best()
  assert.is(files[0].trial, best.number)
  assert.is(files[0].score, best.value)
  const validation = { x: x.subarray(90 * 3), y: y.subarray(90) }
  const model = await study.bestModel()
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] })
  assert.is((await model.evaluate(validation)).accuracy, best.value)
  const together = await ensemble.fromSearch(study, { top: 3 })
  assert.is((await together.predict(validation.x)).length, 30)
  together.dispose()

  const score = await study.finalTest(({ trial }) => trial + 0.5)
  assert.is(score, best.number + 0.5)
  const error = await study.finalTest(() => 1).catch((error) => error)
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(error.message, 'it was taken before')
  assert.ok(existsSync(join(study.dir, 'test.json')))
})

test('a folder by a path from here, or by a link: the best are kept all the same', async () => {
  const [dir, link] = [place.next(), place.next()]
  mkdirSync(dir)
  symlinkSync(dir, link)
  for (const given of [relative(process.cwd(), dir), link]) {
    const study = await createStudy(nets(), { dir: join(given, 'study') })
    await study.optimize(quiet)
    const best = await study.best()
    assert.is(readdirSync(join(dir, 'study', 'best')).length, 4)
    assert.is((await study.topModels(1)).length, 1)
    const { file, trial } = (await study.topFiles(1))[0]
    assert.is(trial, best.number)
    assert.ok(file.startsWith(join(dir, 'study', 'trials')), file)
    rmSync(join(dir, 'study'), { recursive: true })
  }
})

test('a study in a file: its workers are processes', async () => {
  const dir = place.next()
  const file = join(dirname(dir), 'study-file.mjs')
  mkdirSync(dirname(dir), { recursive: true })
  const search = new URL('../dist/search/index.js', import.meta.url).href
  writeFileSync(
    file,
    `import { defineStudy, random, uniform } from ${JSON.stringify(search)}
export default defineStudy({ metric: 'process', direction: 'maximize', trials: 4, sampler: random(),
  space: { x: uniform(0, 1) }, trial: () => process.pid })`,
  )
  const study = await createStudy(file, { dir })
  assert.is(await study.optimize({ ...quiet, workers: 2 }), 'done')
  for (const { value } of await study.trials()) assert.is.not(value, process.pid)
  assert.match(readFileSync(join(dir, 'study.json'), 'utf8'), 'study-file.mjs')
})

test('what is no study, and what was opened to look, is refused by name', async () => {
  const refused = async (promise, text) => {
    const error = await promise.then(assert.unreachable, (error) => error)
    assert.match(error.code, /^GRADUS_(INVALID_ARGUMENT|BAD_FILE)$/)
    assert.ok(error.message.includes(text), error.message)
  }
  const dir = place.next()
  await refused(createStudy({}, { dir }), 'study: expected a study made by defineStudy')
  await refused(createStudy(square(), {}), 'dir: expected a path')
  await refused(createStudy(square(), { dir, folder: dir }), 'there is no option "folder"')
  await refused(createStudy('nowhere.js', { dir }), 'there is no such file')
  await refused(openStudy(dir), 'it holds no study')
  await refused(openStudy(false), 'dir: expected a path, received false')
  await createStudy(square(), { dir })
  const looked = await openStudy(dir)
  await refused(looked.optimize(), 'optimize:')
  await refused(looked.ask(), 'ask:')
  await refused(looked.bestModel(), 'no complete trial keeps a checkpoint')
  await refused(looked.retry(7), 'number: there is no trial 7')
  await refused((await createStudy(square(), { dir })).optimize({ workers: 0 }), 'workers')
  await refused(createStudy(square({ direction: 'maximize' }), { dir }), 'another study')
  await refused(ensemble.fromSearch({}), 'study: expected a study')
  // What the package gives is loaded when it is called.
  assert.is(gradus.openStudy, openStudy)
})

test.run()
