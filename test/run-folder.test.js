// The folders of runs: one each, whoever else begins at the same moment.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dense, monitor, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openRun } from '../dist/watch/recording/index.js'

const folder = mkdtempSync(join(tmpdir(), 'gradus-run-folder-'))
test.after(() => rmSync(folder, { recursive: true }))

const data = {
  x: [
    [1, 2],
    [3, 4],
  ],
  y: [0, 1],
}
const makeModel = () =>
  sequential({ input: [2], seed: 2 }, [dense(2)]).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })

test('runs with a name have a folder each, also those that begin at once; one folder never has two', async () => {
  const dir = join(folder, 'named')
  const named = { dir, name: 'mnist', quiet: true, epochs: 1 }
  const first = makeModel().fit(data, named)
  assert.is(first.dir, null)
  await first.done
  assert.is(first.dir, join(dir, 'mnist'))
  const runs = Array.from({ length: 8 }, () => makeModel().fit(data, named))
  await Promise.all(runs.map(({ done }) => done))
  const expected = Array.from({ length: 8 }, (_, i) => join(dir, `mnist-${i + 2}`))
  assert.equal(runs.map((run) => run.dir).sort(), expected)
  for (const path of expected) assert.is((await openRun(path)).recording().epochs.length, 1)

  const one = { dir: join(folder, 'one'), quiet: true, epochs: 1 }
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, () =>
      makeModel()
        .fit(data, one)
        .done.then(
          () => 'ran',
          ({ code, message }) => `${code} ${/holds a run already/.test(message)}`,
        ),
    ),
  )
  assert.equal(outcomes.sort(), [...new Array(7).fill('GRADUS_INVALID_ARGUMENT true'), 'ran'])
  assert.is((await openRun(one.dir)).recording().epochs.length, 1)
  assert.equal(
    readdirSync(one.dir).filter((name) => name.endsWith('.tmp')),
    [],
  )

  for (const [options, message] of [
    [{ name: 'a' }, /^name: expected dir beside it/],
    [{ dir, name: '../a' }, /^name: expected the name of a folder, without slashes, received "..\/a"/],
    [{ dir, name: '..' }, /^name: expected the name of a folder/],
    [{ dir, name: 'a', initialEpoch: 1 }, /^name: expected none with initialEpoch; dir alone/],
  ]) {
    assert.throws(() => makeModel().fit(data, options), message)
  }
})

test('a monitor whose second run fails on its data leaves the record of the first as it was', async () => {
  const watching = monitor()
  const dir = join(folder, 'first')
  await makeModel().fit(data, { dir, quiet: true, epochs: 2, callbacks: [watching] }).done
  const warnings = []
  const onWarning = ({ code }) => warnings.push(code)
  process.on('warning', onWarning)
  const bad = { x: data.x, y: [0, 7] }
  const error = await makeModel()
    .fit(bad, { dir: join(folder, 'second'), quiet: true, callbacks: [watching] })
    .done.catch((reason) => reason)
  assert.is(error.code, 'GRADUS_INVALID_DATA')
  await new Promise(setImmediate)
  process.off('warning', onWarning)
  assert.equal(warnings, [])
  const { end } = (await openRun(dir)).recording()
  assert.equal([end.stoppedBy, end.error, watching.dir], ['epochs', undefined, dir])
})

test.run()
