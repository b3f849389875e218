// Members from seeds that are killed and go on by the same call end with the bits of those that were not; `npm run soak:ensemble`
// has more.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chain, chooser } from './support/mortal-chain.js'
import { mortalEnsemble } from './support/mortal-ensemble.js'

const test = suite('ensemble kills')
const folder = mkdtempSync(join(tmpdir(), 'gradus-ensemble-kills-'))
test.after(() => rmSync(folder, { recursive: true }))

const choose = chooser(3)
const whole = JSON.parse(JSON.stringify(await mortalEnsemble({ parallel: 1, threads: 1 })))
/** Side by side or in turn, other than the process before. */
const place = { script: 'mortal-ensemble.js', vary: (choose) => ({ parallel: 1 + choose(4) }) }

const cases = [
  [
    'within steps',
    [
      ['steps', 9],
      ['steps', 20],
      ['steps', 3],
    ],
    3,
  ],
  [
    'between epochs, and as members end',
    [
      ['epoch', 4],
      ['end', 1],
      ['end', 2],
    ],
    3,
  ],
  [
    'as models are made, runs begin and checkpoints are written',
    [
      ['make', 3],
      ['begin', 2],
      ['checkpoint', 3],
    ],
    3,
  ],
  ['at any time', [30, 60, 10], 0],
]

for (const [name, deaths, least] of cases) {
  test(`killed ${name}, the same call ends with the same bits`, async () => {
    const dir = join(folder, name)
    const told = deaths.map((death) => (Array.isArray(death) ? { event: death[0], count: death[1] } : { after: death }))
    const { result, kills } = await chain({ dir, pause: least === 0 ? 1 : 0 }, told, choose, place)
    assert.ok(kills >= least, `${kills} kills`)
    assert.equal(result, whole)
    assert.equal(readdirSync(dir).sort(), ['seed=1', 'seed=2', 'seed=3', 'seed=4'])
  })
}

test('members that are done are loaded: nothing is trained again', async () => {
  const dir = join(folder, 'done')
  assert.equal(JSON.parse(JSON.stringify(await mortalEnsemble({ dir, parallel: 2, threads: 2 }))), whole)
  // A single step would end the process.
  const { result, kills } = await chain({ dir }, [{ event: 'steps', count: 1 }], choose, place)
  assert.is(kills, 0)
  assert.equal(result, whole)
})

test('these members are stopped early, and differ', () => {
  assert.ok(whole.results.some(({ stoppedBy }) => stoppedBy === 'earlyStopping'))
  assert.ok(whole.results.some(({ stoppedBy }) => stoppedBy === 'epochs'))
  assert.is(new Set(whole.results.map(({ model }) => model)).size, 4)
})

test.run()
