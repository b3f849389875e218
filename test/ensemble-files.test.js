// Ensembles of one run's checkpoints and of files: which are taken, and what is said where there are none.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  adam,
  checkpoint,
  checkpoints,
  cosine,
  customLayer,
  dense,
  ensemble,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'
import { until } from './support/until.js'

const test = suite('ensemble from files')
const folder = mkdtempSync(join(tmpdir(), 'gradus-ensemble-files-'))
test.after(() => rmSync(folder, { recursive: true }))

const [rows, features] = [120, 4]
const x = Array.from({ length: rows }, (_, row) => [...numbers(features, row + 1)])
const y = x.map(([a, b]) => Number(a * b > 0))
const validation = { x: x.slice(0, 40), y: y.slice(0, 40) }
const make = (seed) =>
  sequential({ input: [features], seed }, [dense(8), relu(), dense(2)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.05 }),
    metrics: ['accuracy'],
  })
const bits = (model) => JSON.stringify(model.getWeights())

/** A run in a folder of that name; gives its path and the weights at the end of each epoch. */
async function run(name, { every = 'epoch', keep = 'all', monitor, ...fit }) {
  const dir = join(folder, name)
  const ends = {}
  const model = make(1)
  const note = ({ epoch }) => {
    ends[epoch] = bits(model)
  }
  const callbacks = [checkpoint({ every, keep, monitor }), note]
  const history = await model.fit({ x, y }, { validation, batchSize: 16, dir, callbacks, ...fit })
  return { dir, ends, history }
}

async function refusal(act) {
  try {
    await act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

/** The epochs whose ends the members are. */
const epochsOf = ({ members }, ends) =>
  members.map((member) => Number(Object.keys(ends).find((epoch) => ends[epoch] === bits(member))))

const whole = await run('whole', { epochs: 8, monitor: 'valLoss' })

test('the last, the best, each so many and named epochs are the members, oldest first', async () => {
  const { dir, ends, history } = whole
  const of = async (options) => epochsOf(await ensemble.fromCheckpoints(dir, options), ends)
  assert.equal(await of({ last: 3 }), [6, 7, 8])
  assert.equal(await of({ every: 3 }), [3, 6])
  assert.equal(await of({ epochs: [7, 2] }), [2, 7])
  assert.equal(await of({ last: 8 }), [1, 2, 3, 4, 5, 6, 7, 8])
  const best = history.valLoss.map((loss, i) => ({ loss, epoch: i + 1 })).sort((a, b) => a.loss - b.loss)
  const expected = best.slice(0, 4).map(({ epoch }) => epoch)
  assert.equal(await of({ best: 4 }), expected.sort())
  const byURL = await ensemble.fromCheckpoints(pathToFileURL(dir), { last: 2, combine: 'vote' })
  assert.is(byURL.combine, 'vote')
  const { members } = byURL
  byURL.dispose()
  assert.throws(
    () => members[0].getWeights(),
    ({ code }) => code === 'GRADUS_DISPOSED',
  )
})

test('one member has the loss and metrics that its checkpoint had in the run', async () => {
  const one = await ensemble.fromCheckpoints(whole.dir, { epochs: [5] })
  const { loss, accuracy } = await one.evaluate(validation)
  assert.equal([loss, accuracy], [whole.history.valLoss[4], whole.history.valAccuracy[4]])
})

test('snapshots: the members are the ends of the cycles of a schedule, also of cycles that grow', async () => {
  const even = await run('even', { epochs: 6, schedule: cosine({ length: 2, cycles: 3 }), every: { epochs: 2 } })
  assert.equal(epochsOf(await ensemble.fromCheckpoints(even.dir, { every: 2 }), even.ends), [2, 4, 6])
  assert.equal(epochsOf(await ensemble.fromCheckpoints(even.dir, { last: 3 }), even.ends), [2, 4, 6])
  // What a cycle ends with was trained at the lowest rate, and the next one begins at the highest.
  const { learningRate } = even.history
  for (const end of [2, 4]) assert.ok(learningRate[end - 1] < learningRate[end] && learningRate[end] === 0.05)
  const schedule = cosine({ length: 1, cycles: 3, cycleFactor: 2 })
  const growing = await run('growing', { epochs: 7, schedule, every: { epochs: [1, 3, 7] } })
  assert.equal(
    (await checkpoints(growing.dir)).map(({ epoch }) => epoch),
    [1, 3, 7],
  )
  for (const end of [1, 3]) assert.is(growing.history.learningRate[end], 0.05)
  assert.equal(epochsOf(await ensemble.fromCheckpoints(growing.dir, { last: 3 }), growing.ends), [1, 3, 7])
})

test('a list of epochs that is none is refused', () => {
  const message = (epochs) => {
    try {
      checkpoint({ every: { epochs } })
    } catch (error) {
      return `${error.code} ${error.message}`
    }
    return 'nothing was thrown'
  }
  assert.match(message([]), /INVALID_ARGUMENT every\.epochs: expected a list of one epoch or more/)
  assert.match(message([3, 0]), /INVALID_ARGUMENT every\.epochs\[1\]: expected a positive integer, received 0/)
})

test('a run that is under way gives what it has, and one that was left within an epoch its ends of epochs', async () => {
  const dir = join(folder, 'under way')
  const model = make(1)
  const found = []
  const looking = {
    async onEpochBegin({ epoch }) {
      if (epoch < 4) return
      await until(async () => (await checkpoints(dir)).length === 3)
      found.push((await ensemble.fromCheckpoints(dir, { every: 1 })).members.length)
      found.push(await refusal(() => ensemble.fromCheckpoints(dir, { last: 4 })))
    },
    onStepsEnd: ({ epoch, stop }) => epoch === 4 && stop(),
  }
  const callbacks = [checkpoint({ every: 'epoch', keep: 'all' }), looking]
  await model.fit({ x, y }, { epochs: 9, batchSize: 16, stepsPerCall: 2, dir, callbacks })
  assert.is(found[0], 3)
  assert.match(
    found[1],
    /^GRADUS_INVALID_ARGUMENT last: expected 4 checkpoints at the ends of epochs in .*, which has 3, of epochs 1, 2, 3; checkpoint\(\{ keep: 'all' \}\)/,
  )
  assert.is((await checkpoints(dir)).length, 4)
  assert.is((await ensemble.fromCheckpoints(dir, { last: 3 })).members.length, 3)
  assert.match(await refusal(() => ensemble.fromCheckpoints(dir, { last: 4 })), /which has 3/)
})

test('too few, none, a damaged one and bad options: one error each', async () => {
  const { dir } = whole
  const of = (options, from = dir) => refusal(() => ensemble.fromCheckpoints(from, options))
  assert.match(
    await of({}),
    /INVALID_ARGUMENT fromCheckpoints: expected one of last, best, every and epochs, received none/,
  )
  assert.match(await of(undefined), /expected one of last, best, every and epochs/)
  assert.match(await of({ last: 1, best: 1 }), /expected one of .*, received last and best/)
  assert.match(await of({ last: 0 }), /INVALID_ARGUMENT last: expected a positive integer/)
  assert.match(await of({ newest: 2 }), /INVALID_ARGUMENT fromCheckpoints: there is no option "newest"/)
  assert.match(await of({ best: 9 }), /INVALID_ARGUMENT best: expected 9 checkpoints .* which has 8, of epochs 1, 2/)
  assert.match(await of({ every: 9 }), /INVALID_ARGUMENT every: expected checkpoints of each 9 epochs/)
  assert.match(
    await of({ epochs: [2, 9, 10] }),
    /INVALID_ARGUMENT epochs: expected checkpoints of the ends of epochs 9, 10 in/,
  )
  assert.match(await of({ epochs: [] }), /INVALID_ARGUMENT epochs: expected a list of one epoch or more/)
  assert.match(await of({ epochs: [2, 2] }), /INVALID_ARGUMENT epochs\[1\]: expected each epoch once/)
  assert.match(await of({ last: 1, combine: 'mean' }), /INVALID_ARGUMENT combine: expected one of/)
  assert.match(await of({ last: 1, layers: 3 }), /INVALID_ARGUMENT layers/)
  assert.match(await of({ last: 1 }, 3), /INVALID_ARGUMENT dir/)
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  for (const none of [empty, join(folder, 'not there')]) {
    assert.match(
      await of({ last: 1 }, none),
      /INVALID_ARGUMENT last: expected a run with checkpoints .*, which has none/,
    )
  }
  const damaged = join(folder, 'damaged')
  mkdirSync(join(damaged, 'checkpoints'), { recursive: true })
  for (const name of readdirSync(join(dir, 'checkpoints'))) {
    copyFileSync(join(dir, 'checkpoints', name), join(damaged, 'checkpoints', name))
  }
  const last = (await checkpoints(damaged)).at(-1).path
  const bytes = readFileSync(last)
  bytes[bytes.length - 40] ^= 1
  writeFileSync(last, bytes)
  assert.match(await of({ last: 2 }, damaged), /GRADUS_BAD_FILE .*epoch=008.*damaged/)
  assert.is((await ensemble.fromCheckpoints(damaged, { every: 3 })).members.length, 2)
  writeFileSync(last, bytes.subarray(0, 100))
  assert.match(await of({ every: 3 }, damaged), /GRADUS_BAD_FILE .*epoch=008/)
})

test('models with layers of one’s own are given them', async () => {
  const twice = customLayer({
    name: 'twice',
    forward: (input) => input.map((value) => 2 * value),
    backward: (of) => of,
  })
  const file = join(folder, 'custom.safetensors')
  const layers = [dense(2), twice]
  const model = sequential({ input: [features], seed: 1 }, layers)
  await model.save(file)
  assert.match(await refusal(() => ensemble.fromFiles([file])), /GRADUS_MISSING_FUNCTIONS/)
  const { members } = await ensemble.fromFiles([file], { layers: { twice } })
  assert.is(bits(members[0]), bits(model))
})

/** Files of models by seed. */
const files = {}
for (const seed of [1, 2, 3, 4]) {
  files[seed] = join(folder, `seed ${seed}.safetensors`)
  await make(seed).save(files[seed])
}
const scored = (scores) => scores.map((score, i) => ({ file: files[i + 1], score }))
const seedsOf = ({ members }) => members.map((member) => member.seed)

test('the best of a list, in its order; of equal ones the first', async () => {
  const of = async (...call) => seedsOf(await ensemble.fromFiles(...call))
  assert.equal(await of(Object.values(files)), [1, 2, 3, 4])
  assert.equal(await of(scored([0.9, 0.7, 0.8, 0.95]), { top: 2 }), [1, 4])
  assert.equal(await of(scored([0.9, 0.7, 0.8, 0.95]), { top: 2, direction: 'minimize' }), [2, 3])
  assert.equal(await of(scored([0.5, 0.9, 0.5, 0.5]), { top: 2 }), [1, 2])
  assert.equal(await of(scored([0.5, 0.9, 0.5, 0.5]), { top: 3, direction: 'minimize' }), [1, 3, 4])
  assert.equal(await of([pathToFileURL(files[2]), { file: pathToFileURL(files[1]) }]), [2, 1])
})

test('checkpoints bring their scores, compared as their runs do', async () => {
  const byAccuracy = await run('by accuracy', { epochs: 5, monitor: 'valAccuracy' })
  for (const { dir, ends, history } of [whole, byAccuracy]) {
    const column = dir === whole.dir ? history.valLoss.map((loss) => -loss) : history.valAccuracy
    const paths = (await checkpoints(dir)).map(({ path }) => path)
    const expected = column
      .map((value, i) => ({ value, epoch: i + 1 }))
      .sort((a, b) => b.value - a.value || a.epoch - b.epoch)
    const together = await ensemble.fromFiles(paths, { top: 3 })
    assert.equal(
      epochsOf(together, ends),
      expected
        .slice(0, 3)
        .map(({ epoch }) => epoch)
        .sort(),
    )
  }
  const mixed = [(await checkpoints(whole.dir))[0].path, (await checkpoints(byAccuracy.dir))[0].path]
  assert.match(
    await refusal(() => ensemble.fromFiles(mixed, { top: 1 })),
    /INVALID_ARGUMENT files\[1\]: expected a checkpoint compared by valLoss as files\[0\], received one by valAccuracy/,
  )
})

test('files that are not there, twice there, without scores or damaged: one error each', async () => {
  const of = (list, options) => refusal(() => ensemble.fromFiles(list, options))
  assert.match(await of([]), /INVALID_ARGUMENT files: expected a list of one file or more/)
  assert.match(await of('x'), /INVALID_ARGUMENT files: expected a list/)
  assert.match(await of([3]), /INVALID_ARGUMENT files\[0\]: expected an options object/)
  assert.match(await of([{ path: files[1] }]), /INVALID_ARGUMENT files\[0\]: there is no option "path"/)
  assert.match(
    await of([{ file: files[1], score: Number.NaN }]),
    /INVALID_ARGUMENT files\[0\]\.score: expected a finite number/,
  )
  assert.match(
    await of(scored([1, 2]), { top: 3 }),
    /INVALID_ARGUMENT top: expected at most the 2 files that there are, received 3/,
  )
  assert.match(await of(scored([1, 2]), { top: 0 }), /INVALID_ARGUMENT top/)
  assert.match(await of(scored([1]), { direction: 'up' }), /INVALID_ARGUMENT direction/)
  assert.match(await of([files[1], files[2], files[1]]), /INVALID_ARGUMENT files\[2\]: expected each file once/)
  assert.match(
    await of([files[1], files[2]], { top: 1 }),
    /INVALID_ARGUMENT files\[0\]: expected \{ file, score \}, or a checkpoint/,
  )
  assert.match(
    await of([{ file: files[1], score: 1 }, files[2]], { top: 1 }),
    /INVALID_ARGUMENT files\[1\]: expected \{ file, score \} as the others/,
  )
  assert.match(await of([files[1], join(folder, 'no.safetensors')]), /GRADUS_BAD_FILE .*no\.safetensors/)
  assert.match(
    await of([files[1], join(folder, 'no.safetensors')], { top: 1 }),
    /INVALID_ARGUMENT files\[0\]|GRADUS_BAD_FILE/,
  )
  const short = join(folder, 'short.safetensors')
  writeFileSync(short, readFileSync(files[1]).subarray(0, 300))
  assert.match(await of([files[2], short]), /GRADUS_BAD_FILE .*short/)
  const other = join(folder, 'other.safetensors')
  await sequential({ input: [features], seed: 1 }, [dense(5)]).save(other)
  assert.match(await of([files[1], other]), /SHAPE_MISMATCH members\[1\]/)
})

test.run()
