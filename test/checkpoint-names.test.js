// What checkpoints are called, which of them are kept, and when they are due.
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { checkpoint, checkpoints } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { superfluous } from '../dist/checkpoint/folder.js'
import { nameOf, ownName } from '../dist/checkpoint/names.js'
import { failure } from './support/reference.js'
import { digestOf, fitTiny, tinyModel, uninterrupted } from './support/tiny-run.js'
import { until } from './support/until.js'

const root = mkdtempSync(join(tmpdir(), 'gradus-checkpoint-names-'))
test.after(() => rmSync(root, { recursive: true }))
let folders = 0
const newFolder = () => join(root, `${++folders}`)
const filesOf = (dir) => readdirSync(join(dir, 'checkpoints')).sort()

const atEnd = (epoch, score, monitor = 'valAccuracy') =>
  nameOf({ epoch, step: 70, score }, { isWithin: false, monitor })

test('names sort as the run went, and say the score in five digits, in every locale', () => {
  assert.is(
    nameOf({ epoch: 13, step: 56780, score: null }, { isWithin: true, monitor: 'loss' }),
    'epoch=013,step=056780.safetensors',
  )
  assert.is(
    nameOf({ epoch: 7, step: 1, score: null }, { isWithin: false, monitor: undefined }),
    'epoch=007.safetensors',
  )
  assert.is(
    nameOf({ epoch: 1234, step: 12345678, score: null }, { isWithin: true }),
    'epoch=1234,step=12345678.safetensors',
  )
  for (const [score, text] of [
    [0.9812, '0.9812'],
    [0.981249, '0.98125'],
    [1, '1'],
    [-0.5, '-0.5'],
    [-1234567, '-1234600'],
    [1.23456e-9, '1.2346e-9'],
    [-2.5e30, '-2.5e+30'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [0, '0'],
  ]) {
    assert.is(atEnd(12, score), `epoch=012,valAccuracy=${text}.safetensors`)
  }
})

test('a process in which numbers have a comma gives the same names', () => {
  const script = `import { nameOf } from '${new URL('../dist/checkpoint/names.js', import.meta.url)}'
    console.log((0.5).toLocaleString(), nameOf({ epoch: 1, step: 1, score: 0.5 }, { isWithin: false, monitor: 'loss' }))`
  const env = { ...process.env, LC_ALL: 'de_DE.UTF-8' }
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' })
  assert.is(stdout, '0,5 epoch=001,loss=0.5.safetensors\n')
})

test('strange names of metrics become plain ones, and a name of one’s own is a name', () => {
  for (const [monitor, text] of [
    ['val/../x', 'val----x'],
    ['f1 (macro), %', 'f1--macro----'],
    ['genauigkeit_ä', 'genauigkeit_ä'],
    ['精度', '精度'],
    ['a=b\0\n', 'a-b--'],
    ['😀', '-'],
  ]) {
    assert.is(atEnd(1, 0.5, monitor), `epoch=001,${text}=0.5.safetensors`)
  }
  const name = atEnd(1, -1.2345e-100, 'ä'.repeat(1000))
  assert.ok(Buffer.byteLength(name) <= 255, `${Buffer.byteLength(name)} bytes`)
  assert.match(name, /^epoch=001,ä+=-1\.2345e-100\.safetensors$/)
  const facts = { epoch: 2, step: 9, score: 0.5 }
  assert.is(
    ownName(({ epoch, step, score }) => `${epoch} ${step} ${score}`, facts),
    '2 9 0.5.safetensors',
  )
  assert.is(
    ownName(() => 'best.safetensors', facts),
    'best.safetensors',
  )
  for (const bad of ['a/b', '../a', 'a\\b', '', '.hidden', 'a\0b', 7, undefined, 'x'.repeat(250)]) {
    assert.throws(() => ownName(() => bad, facts), /^filename: expected /)
  }
})

/** As found in a folder: each `[name, epochs, score]`, or of one within an epoch `[name, epochs, rows in it]`. */
const found = (list, id = 'own') =>
  list.map(([path, epochs, score, isWithin = false]) => ({
    path,
    head: {
      ...{ id, kind: isWithin ? 'steps' : 'epoch', epochs, rows: isWithin ? score : 0, step: 10 * epochs },
      record: isWithin ? null : { score },
    },
  }))
const gone = (list, { keep, mode = 'min', watched = { column: 'score', mode } }) =>
  superfluous(list, 'own', { keep, watched })
const epochsOf = (...scores) => found(scores.map((score, i) => [`${i + 1}`, i + 1, score]))

test('the best are kept and the newest; of equal ones the earlier, NaN is worst', () => {
  assert.equal(gone(epochsOf(3, 1, 2, 5, 4), { keep: 2 }), ['1', '4'])
  assert.equal(gone(epochsOf(3, 1, 2, 5, 4), { keep: 2, mode: 'max' }), ['1', '2', '3'])
  assert.equal(gone(epochsOf(1, 1, 1, 1), { keep: 2 }), ['3'])
  assert.equal(gone(epochsOf(1, 1, 1, 1), { keep: 2, mode: 'max' }), ['3'])
  const { NaN: none, POSITIVE_INFINITY: most, NEGATIVE_INFINITY: least } = Number
  assert.equal(gone(epochsOf(none, most, 5, least, none), { keep: 2 }), ['1', '2'])
  assert.equal(gone(epochsOf(none, most, 5, least, none), { keep: 2, mode: 'max' }), ['1', '4'])
  assert.equal(gone(epochsOf(most, most, most), { keep: 1 }), ['2'])
  assert.equal(gone(epochsOf(none, none, none), { keep: 1 }), ['2'])
  assert.equal(gone(epochsOf(-0, 0, 1), { keep: 1 }), ['2'])
  assert.equal(gone(epochsOf(3, 1, 2), { keep: Number.POSITIVE_INFINITY }), [])
  assert.equal(gone(epochsOf(3, 1, 2, 4), { keep: 2, watched: null }), ['1', '2'])
  assert.equal(gone([], { keep: 2 }), [])
})

test('of those within an epoch the newest of all is kept; other files and other runs are left alone', () => {
  const within = found([
    ['a', 1, 5],
    ['b', 1, 8, true],
    ['c', 1, 16, true],
  ])
  assert.equal(gone(within, { keep: 1 }), ['b'])
  assert.equal(gone([...within, ...found([['d', 2, 6]])], { keep: 1 }), ['b', 'c'])
  assert.equal(gone([...within, ...found([['d', 2, 6]])], { keep: Number.POSITIVE_INFINITY }), ['b', 'c'])
  assert.equal(gone([...found([['e', 1, 9]], 'other'), { path: 'f', head: null }, ...epochsOf(2, 1)], { keep: 1 }), [
    '1',
  ])
  assert.equal(gone([...within].reverse(), { keep: 1 }), ['b'])
  assert.equal(superfluous(within, 'own', { keep: 1, watched: null }, 'b'), [])
})

test('what others have put among the checkpoints stays, whatever it is', async () => {
  const dir = newFolder()
  const other = newFolder()
  await fitTiny(tinyModel({ seed: 4 }), other, { epochs: 2, callbacks: [checkpoint()] })
  const folder = join(dir, 'checkpoints')
  mkdirSync(join(folder, 'folder.safetensors'), { recursive: true })
  const [stranger] = filesOf(other).slice(-1)
  writeFileSync(join(folder, 'other run.safetensors'), readFileSync(join(other, 'checkpoints', stranger)))
  writeFileSync(join(folder, 'note.txt'), 'mine')
  writeFileSync(join(folder, 'broken.safetensors'), 'mine')
  const others = filesOf(dir)
  await fitTiny(tinyModel(), dir, { epochs: 3, resume: false, callbacks: [checkpoint({ keep: 1 })] }).done.catch(
    (error) => assert.match(error.message, /holds a run already/),
  )
  rmSync(folder, { recursive: true })
  const put = {
    async onTrainBegin() {
      mkdirSync(join(folder, 'folder.safetensors'), { recursive: true })
      writeFileSync(join(folder, 'other run.safetensors'), readFileSync(join(other, 'checkpoints', stranger)))
      writeFileSync(join(folder, 'note.txt'), 'mine')
      writeFileSync(join(folder, 'broken.safetensors'), 'mine')
    },
  }
  await fitTiny(tinyModel(), dir, { epochs: 3, resume: false, callbacks: [put, checkpoint({ keep: 1 })] })
  assert.equal(filesOf(dir), ['epoch=003.safetensors', ...others].sort())
})

/** The files that a run leaves, all of epochs' ends, and the paths that its callbacks have seen. */
async function written(options, fit = {}) {
  const dir = newFolder()
  const keeping = checkpoint({ keep: 'all', ...options })
  const seen = new Set()
  const note = () => void (keeping.path !== null && seen.add(keeping.path))
  const model = tinyModel()
  const history = await fitTiny(model, dir, {
    ...fit,
    callbacks: [{ onStepsEnd: note, onEpochEnd: note, onTrainEnd: note }, keeping],
  })
  note()
  assert.is(await digestOf(model, history), await uninterrupted(history.epochs))
  const short = (name) => name.slice(0, -'.safetensors'.length)
  return { files: filesOf(dir).map(short), seen: [...seen].map((path) => short(basename(path))) }
}

test('checkpoints are due by epochs, steps and minutes, and at the end; the bits do not depend on it', async () => {
  // Those that the disk keeps up with.
  const usual = (await written({})).files
  assert.ok(usual.at(-1) === 'epoch=003' && usual.every((name) => /^epoch=00[123]$/.test(name)), usual.join())
  assert.equal((await written({ every: 'epoch' })).files, ['epoch=001', 'epoch=002', 'epoch=003'])
  assert.equal((await written({ every: { epochs: 2 } }, { epochs: 5 })).files, ['epoch=002', 'epoch=004', 'epoch=005'])
  // Six steps an epoch, two a call.
  const bySteps = (await written({ every: { steps: 4 } })).seen
  assert.is(bySteps.at(-1), 'epoch=003')
  assert.ok(bySteps.length > 1 && bySteps.every((name) => /^epoch=\d{3}(,step=\d{6})?$/.test(name)), bySteps.join())
})

test('what is due goes by the updates and by the clock, whether or not anything took long', async () => {
  const { now } = performance
  let minutes = 0
  performance.now = () => minutes * 60_000
  /** From a checkpoint after epoch 3 and step 18 on, at minute 0: a moment within epoch 4, or at its end. */
  const keeperOf = async (every) => {
    minutes = 0
    const keeping = checkpoint({ every })
    await fitTiny(tinyModel(), newFolder(), { callbacks: [keeping] })
    return ({ step, at = 0, kind = 'steps', epochs = kind === 'steps' ? 3 : 4 }) => {
      minutes = at
      return keeping.keeper.isDue({ kind, epochs, rows: kind === 'steps' ? (step - 18) * 4 : 0, step, record: null })
    }
  }
  try {
    for (const [every, ...cases] of [
      [undefined, [{ step: 19, at: 4.9 }, false], [{ step: 19, at: 5 }, true], [{ step: 24, kind: 'epoch' }, true]],
      [{ minutes: 0.5 }, [{ step: 19, at: 0.49 }, false], [{ step: 19, at: 0.5 }, true]],
      [{ minutes: 10 }, [{ step: 24, kind: 'epoch', at: 9 }, false], [{ step: 24, kind: 'epoch', at: 10 }, true]],
      ['epoch', [{ step: 19, at: 1000 }, false], [{ step: 24, kind: 'epoch' }, true]],
      [{ epochs: 2 }, [{ step: 24, kind: 'epoch' }, true], [{ step: 30, kind: 'epoch', epochs: 5 }, false]],
      // By multiples, which a call of several updates may step over.
      [{ steps: 4 }, [{ step: 19 }, false], [{ step: 20 }, true], [{ step: 23 }, true]],
      [{ steps: 6 }, [{ step: 23 }, false], [{ step: 24, kind: 'epoch' }, true]],
      [{ steps: 100 }, [{ step: 99 }, false], [{ step: 99, kind: 'end' }, true]],
    ]) {
      const isDue = await keeperOf(every)
      for (const [moment, expected] of cases) assert.is(await isDue(moment), expected, JSON.stringify([every, moment]))
      assert.is(await isDue({ step: 18, epochs: 3, kind: 'end', at: 1000 }), false, 'nothing has changed')
    }
  } finally {
    performance.now = now
  }
})

test('a damaged checkpoint that is further than the run goes on from does not cost the ones that come', async () => {
  const dir = newFolder()
  const stopAt = (step) => ({
    onStepsEnd: ({ steps }) => steps.firstStep + steps.updates >= step && steps.updates && stopNow(),
  })
  let run
  const stopNow = () => run.stop()
  run = fitTiny(tinyModel(), dir, { epochs: 9, callbacks: [stopAt(16), checkpoint({ every: 'epoch', keep: 1 })] })
  await run
  const [before, newest] = await checkpoints(dir)
  assert.equal([before.epoch, newest.epoch, newest.step], [2, 3, 16])
  const bytes = readFileSync(newest.path)
  bytes[bytes.length - 1] ^= 1
  writeFileSync(newest.path, bytes)
  const warned = []
  const onWarning = ({ code }) => warned.push(code)
  process.on('warning', onWarning)
  run = fitTiny(tinyModel(), dir, { epochs: 9, callbacks: [stopAt(14), checkpoint({ every: 'epoch', keep: 1 })] })
  await run
  await new Promise(setImmediate)
  process.off('warning', onWarning)
  assert.equal(warned, ['GRADUS_BAD_CHECKPOINT'])
  const steps = (await checkpoints(dir)).filter(({ sound }) => sound).map(({ step }) => step)
  assert.equal(steps, [12, 14])
  const model = tinyModel()
  assert.is(
    await digestOf(model, await fitTiny(model, dir, { epochs: 3, callbacks: [checkpoint({ keep: 1 })] })),
    await uninterrupted(3),
  )
  assert.equal(filesOf(dir), ['epoch=003.safetensors'])
})

test('what could not be written at the end of the last epoch is tried once more', async () => {
  const dir = newFolder()
  const [here, away] = [join(dir, 'checkpoints'), join(dir, 'away')]
  const asked = []
  const disk = {
    async onCheckpoint({ epoch }) {
      asked.push(epoch)
      if (asked.length === 2) {
        await until(() => filesOf(dir).includes('epoch=001.safetensors'))
        renameSync(here, away)
      }
      if (asked.length === 3) renameSync(away, here)
    },
  }
  const warned = []
  const onWarning = ({ code }) => warned.push(code)
  process.on('warning', onWarning)
  await fitTiny(tinyModel(), dir, { epochs: 2, callbacks: [disk, checkpoint({ every: 'epoch' })] })
  await new Promise(setImmediate)
  process.off('warning', onWarning)
  assert.equal(warned, ['GRADUS_NOT_SAVED'])
  assert.equal(asked, [1, 2, 2])
  assert.equal(
    (await checkpoints(dir)).map(({ epoch }) => epoch),
    [1, 2],
  )
})

test('a callback is told of the end when what it does for a checkpoint is done', async () => {
  const told = []
  const slow = {
    async onCheckpoint({ epoch }) {
      await new Promise((resolve) => setTimeout(resolve, 30))
      told.push(epoch)
    },
    onTrainEnd: () => void told.push('end'),
  }
  await fitTiny(tinyModel(), newFolder(), { epochs: 2, callbacks: [slow, checkpoint()] })
  assert.equal(told, [1, 2, 'end'])
})

test('each mistake in the options has a sentence', async () => {
  assert.ok(!existsSync(join(root, 'none')))
  const wrong = (options) => failure(() => fitTiny(tinyModel(), newFolder(), { callbacks: [checkpoint(options)] }).done)
  for (const [options, sentence] of [
    [{ filename: () => 'a/b' }, /^filename: expected the name of a file, without slashes, received "a\/b"$/],
    [{ filename: () => 7 }, /^filename: expected the name of a file, without slashes, received 7$/],
  ]) {
    const { code, message } = await wrong(options)
    assert.is(code, 'GRADUS_INVALID_ARGUMENT')
    assert.match(message, sentence)
  }
})

test.run()
