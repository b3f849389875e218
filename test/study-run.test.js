// A trial whose process is gone goes on in another directory, to the bits of a run that nobody ended.
import { appendFileSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkpoint, checkpoints, monitor } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createTrial, readTrial, takeTrial } from '../dist/study/index.js'
import { openRun } from '../dist/watch/recording/index.js'
import { draft, studyPlace, suggestion } from './support/studies.js'
import { digestOf, fitTiny, tinyModel, uninterrupted } from './support/tiny-run.js'

const { make } = studyPlace(test, 'study-run')
const epochs = 6
const train = async (dir, options = {}) => {
  const model = tinyModel()
  const callbacks = [...(options.callbacks ?? []), monitor(), checkpoint({ every: 'epoch', monitor: 'valAccuracy' })]
  const history = await fitTiny(model, dir, { epochs, ...options, callbacks }).done
  return digestOf(model, history)
}
/** Leaves the run in the middle of an epoch after its second one, as a process that is gone does. */
const dies = { onStepsEnd: ({ steps }) => (steps.firstStep >= 14 ? Promise.reject(new Error('gone')) : undefined) }

test('a trial that is taken over twice comes to the same bits, and its first process writes where nobody looks', async () => {
  const study = await make()
  const first = await createTrial(study, 0, suggestion(), draft)
  await train(first.run, { callbacks: [dies] }).catch(({ message }) => assert.is(message, 'gone'))
  const see = () => readTrial(0, first.path)
  const second = await takeTrial(see(), draft)
  assert.is(second.run, join(first.path, 'run.2'))
  assert.equal(existsSync(join(second.run, 'claims')), false)
  // Before it has trained, it is gone too.
  const third = await takeTrial(see(), draft)
  const [before] = await checkpoints(third.run)
  assert.is(statSync(before.path).ino, statSync((await checkpoints(first.run))[0].path).ino)
  appendFileSync(join(first.run, 'metrics.jsonl'), '{"type":"epoch","epoch":9,"step":99}\n')
  assert.is(await train(third.run), await uninterrupted(epochs))
  const { info, epochs: recorded } = (await openRun(third.run)).recording()
  assert.equal(
    recorded.map(({ epoch }) => epoch),
    [1, 2, 3, 4, 5, 6],
  )
  assert.is(info.options.epochs, epochs)
  const names = readdirSync(first.path).filter((name) => name.startsWith('run'))
  assert.equal(names, ['run.1', 'run.2', 'run.3'])
})

test('a trial that pauses and is promoted three times comes to the bits of one that never paused', async () => {
  const study = await make()
  let held = await createTrial(study, 0, suggestion(), draft)
  let digest
  for (const until of [1, 2, 4, epochs]) {
    digest = await train(held.run, { epochs: until })
    await held.pause({ epoch: until, value: 0.5, details: null })
    if (until === epochs) break
    const next = await takeTrial(readTrial(0, held.path), draft)
    assert.is(next.run, held.run)
    held = next
  }
  assert.is(digest, await uninterrupted(epochs))
})

test.run()
