// What is wrong with a run that is to be kept or gone on with, each in one sentence with a code.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkpoint } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { failure } from './support/reference.js'
import { fitTiny, tinyData, tinyModel } from './support/tiny-run.js'

// Of damaged checkpoints, which are passed over before the error comes.
process.removeAllListeners('warning')
const root = mkdtempSync(join(tmpdir(), 'gradus-checkpoint-messages-'))
test.after(() => rmSync(root, { recursive: true }))
let folders = 0
const newFolder = () => join(root, `${++folders}`)

const dir = newFolder()
await fitTiny(tinyModel(), dir, { epochs: 2, callbacks: [checkpoint()] })
const file = join(dir, 'checkpoints', 'epoch=002.safetensors')

/** A checkpoint that says in its entry `run` that it is of format 9, and is sound. */
function ofNewerFormat() {
  const place = newFolder()
  const bytes = readFileSync(file)
  const entry = '\\"format\\":'
  bytes.write('9', bytes.indexOf(entry) + entry.length)
  const hash = bytes.indexOf('"sha256":"') + 10
  bytes.write('0'.repeat(64), hash)
  bytes.write(createHash('sha256').update(bytes).digest('hex'), hash)
  mkdirSync(join(place, 'checkpoints'), { recursive: true })
  writeFileSync(join(place, 'checkpoints', 'newer.safetensors'), bytes)
  return place
}
const newer = ofNewerFormat()

const keeping = (options) => () => fitTiny(tinyModel(), newFolder(), { callbacks: [checkpoint(options)] }).done
const every = "every: expected 'epoch', { epochs }, { steps } or { minutes }, received"
const name = 'filename: expected the name of a file, without slashes, received'
const another = `resume: ${file} is of a run that differs from this one in what decides its numbers; give the same again, or another dir for a new run:\n `
const shifted = { ...tinyData, x: tinyData.x.map((row) => row.map((value) => value + 1)) }

const mistakes = {
  'another model': [() => fitTiny(tinyModel({ units: 6 }), dir).done, `${another} model.layers[0][1]: 5 before, 6 now`],
  'another seed and batch size': [
    () => fitTiny(tinyModel({ seed: 4 }), dir, { batchSize: 8 }).done,
    `${another} model.seed: 3 before, 4 now\n  batchSize: 4 before, 8 now`,
  ],
  'other data': [
    () => tinyModel().fit(shifted, { dir, resume: true, batchSize: 4, quiet: true }).done,
    /^resume: .*\n {2}schedule: reduceOnPlateau before, none now\n {2}data: 24 examples with the fingerprint \w{16} before, 24 examples with the fingerprint \w{16} now\n {2}validation: 9 examples with the fingerprint \w{16} before, none now$/,
  ],
  'another run elsewhere': [
    () => fitTiny(tinyModel({ units: 6 }), newFolder(), { resume: file }).done,
    `${another} model.layers[0][1]: 5 before, 6 now`,
  ],
  'a run that is there': [() => fitTiny(tinyModel(), dir, { resume: false }).done, /^dir: .* holds a run already; /],
  'nothing to go on with': [
    () => fitTiny(tinyModel(), join(root, 'none'), { resume: 'must' }).done,
    `resume: there is no checkpoint in ${join(root, 'none')}; resume: true begins the run where there is none`,
  ],
  'no such file': [
    () => fitTiny(tinyModel(), newFolder(), { resume: join(root, 'nothing') }).done,
    `resume: there is no ${join(root, 'nothing')}`,
    'GRADUS_BAD_FILE',
  ],
  'a newer format': [
    () => fitTiny(tinyModel(), newer).done,
    `resume: none of the 1 checkpoints in ${newer} is sound: ${newer}/checkpoints/newer.safetensors: a newer Gradus wrote it: format 9, and this one reads 1`,
    'GRADUS_BAD_FILE',
  ],
  'resume without dir': [
    () => tinyModel().fit(tinyData, { resume: true }),
    "resume: expected dir beside it, the run's directory, received true",
  ],
  'checkpoint without dir': [
    () => tinyModel().fit(tinyData, { callbacks: [checkpoint()], quiet: true }).done,
    "checkpoint: expected a run directory, received none: give fit the option dir, as 'runs/mnist'",
  ],
  'every 0': [keeping({ every: 0 }), `${every} 0`],
  'every of nothing': [keeping({ every: {} }), `${every} an empty object`],
  'every of two': [keeping({ every: { epochs: 1, steps: 2 } }), `${every} an object with epochs, steps`],
  'every hours': [keeping({ every: { hours: 1 } }), `${every} an object with hours`],
  'every 0 epochs': [keeping({ every: { epochs: 0 } }), 'every.epochs: expected a positive integer, received 0'],
  'every half step': [keeping({ every: { steps: 0.5 } }), 'every.steps: expected a positive integer, received 0.5'],
  'every 0 minutes': [keeping({ every: { minutes: 0 } }), 'every.minutes: expected a positive number, received 0'],
  'keep -1': [keeping({ keep: -1 }), "keep: expected a positive integer or 'all', received -1"],
  'keep 0': [keeping({ keep: 0 }), "keep: expected a positive integer or 'all', received 0"],
  'keep best': [keeping({ keep: 'best' }), `keep: expected a positive integer or 'all', received "best"`],
  'a mode of nothing': [keeping({ mode: 'max' }), /^mode: expected monitor beside it, .*, received "max"$/],
  'a name in place of a function': [keeping({ filename: 'a/b' }), 'filename: expected a function, received "a/b"'],
  'a name with a slash': [keeping({ filename: () => 'a/b' }), `${name} "a/b"`],
  'a name that is promised': [keeping({ filename: async () => 'a' }), `${name} a Promise object`],
  'the function in place of a callback': [
    () => fitTiny(tinyModel(), newFolder(), { callbacks: [checkpoint] }),
    'callbacks[0]: received the function checkpoint; did you mean checkpoint()?',
  ],
  'no column': [
    keeping({ monitor: 'val_accuracy' }),
    /^callbacks\[0\]\.monitor: there is no column "val_accuracy"; did you mean valAccuracy\? the columns are loss, /,
  ],
}

for (const [what, [work, sentence, code = 'GRADUS_INVALID_ARGUMENT']] of Object.entries(mistakes)) {
  test(what, async () => {
    const error = await failure(work)
    assert.is(error.code, code, error.stack)
    if (typeof sentence === 'string') assert.is(error.message, sentence)
    else assert.match(error.message, sentence)
  })
}

test('a directory that was refused is as it was', async () => {
  const model = tinyModel()
  const history = await fitTiny(model, dir, { callbacks: [checkpoint()] })
  assert.equal([history.epochs, history.stoppedBy], [3, 'epochs'])
})

test.run()
