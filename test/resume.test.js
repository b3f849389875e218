// A run that is killed and goes on in another process ends with the bits of one that was not; `npm run soak:resume` has more.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chain, chooser, differences, wholeRuns } from './support/mortal-chain.js'

const test = suite('resume')
const folder = mkdtempSync(join(tmpdir(), 'gradus-resume-'))
test.after(() => rmSync(folder, { recursive: true }))

const choose = chooser(1)
const whole = await wholeRuns(folder)
const { best } = whole.false.result

const steps = { every: { steps: 4 } }
const cases = [
  ['within an epoch, several times', steps, times('first steps', 8, 2, 3), 3],
  ['within an epoch of a stream, several times', { ...steps, stream: true }, times('piece', 13, 4, 6), 3],
  ['as steps are told to the last callback', { every: { steps: 1 } }, times('last steps', 1, 9), 2],
  ['in validation', { every: { steps: 1 } }, times('validation', 2, 4), 2],
  ['in validation, with checkpoints after epochs', { every: 'epoch', stream: true }, times('validation', 7, 2), 2],
  ['between epochs', {}, [...times('first epoch', 3), ...times('last epoch', 2), ...times('last begin', 1)], 3],
  ['between the best epoch and the stop', {}, times('last epoch', best + 1, 2, 2), 3],
  ['as a checkpoint begins', steps, [...times('first checkpoint', 3), ...times('last checkpoint', 4)], 2],
  ['before the first checkpoint', { every: { epochs: 2 } }, [...times('first steps', 3), ...times('last epoch', 1)], 2],
  ['at any time', { ...steps, stream: true, pause: 1 }, [30, 60, 10].map((after) => ({ after })), 0],
]

function times(event, ...counts) {
  return counts.map((count) => ({ event, count }))
}

for (const [name, spec, deaths, leastKills] of cases) {
  test(`killed ${name}, a run goes on to the same bits, and so does what is recorded`, async () => {
    const dir = join(folder, name)
    const { result, kills } = await chain({ ...spec, dir }, deaths, choose)
    assert.ok(kills >= leastKills, `${kills} kills`)
    assert.equal(await differences(dir, result, whole[Boolean(spec.stream)]), [])
  })
}

test('these runs refuse steps, have a best epoch before the last and are stopped early', () => {
  for (const { result, recording } of Object.values(whole)) {
    assert.is(result.stoppedBy, 'earlyStopping')
    assert.ok(result.best < result.epochs - 3)
    assert.ok(recording.epochs.every(({ refusedSteps }) => refusedSteps > 0))
  }
})

test.run()
