// Power that is lost while checkpoints are written: what was not synced may be on the disk or not, in any order. In each of a
// thousand such states (`npm run soak:faults`; a few in `npm test`) the directory holds the old checkpoint or the new one.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { checkpoint, checkpoints, loadModel } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeFiles, operationsOf, surviving } from './support/lost-writes.js'
import { numbers } from './support/reference.js'
import { isSoak, progress } from './support/sampled.js'
import { digestOf, fitTiny, tinyModel, uninterrupted } from './support/tiny-run.js'
import { traceSave, whyNoStrace } from './support/traced-save.js'

process.env.UV_THREADPOOL_SIZE = '1'
const states = isSoak ? 1000 : 40
const root = mkdtempSync(join(tmpdir(), 'gradus-lost-writes-'))
test.after(() => rmSync(root, { recursive: true }))

const lacking = whyNoStrace()
if (lacking) console.log(`Not tested: writes that are lost or reordered. ${lacking}`)
else {
  const outer = join(root, 'traced')
  const dir = join(outer, 'runs', 'own')
  const options = ['-xx', '-s', '1000000']
  const { said, errors } = await traceSave(dir, { log: join(root, 'log'), waitsIn: 0, options })
  assert.is(said.at(-1), `digest ${await uninterrupted(2)}`, errors)
  const operations = operationsOf(join(root, 'log'), root)
  test('the calls that were seen are all: together they make the directory as it is', () => {
    const again = join(root, 'again')
    makeFiles(operations, again)
    const files = (folder) =>
      readdirSync(folder, { recursive: true })
        .filter((name) => statSync(join(folder, name)).isFile())
        .sort()
        .map((name) => [name, readFileSync(join(folder, name)).toString('latin1')])
    assert.equal(files(join(again, 'traced')), files(outer))
  })

  /** Behind which operation each checkpoint is promised to be there: by epoch. */
  const promised = new Map()
  const folder = join(dir, 'checkpoints')
  for (const [i, { type, path }] of operations.entries()) {
    if (type !== 'name' || !path.startsWith(`${folder}/epoch=`)) continue
    const isSync = (operation, later) => later > i && operation.type === 'syncFolder' && operation.path === folder
    promised.set(Number(/epoch=(\d+)/.exec(path)[1]), operations.findIndex(isSync) + 1)
  }
  const loads = await reference()
  const final = await uninterrupted(3)

  /** What is wrong with the directory after a loss of power; null where nothing is. */
  async function lose(operations, number) {
    const chance = chances(number + 1)
    const count = Math.floor(chance() * (operations.length + 1))
    const place = join(root, 'lost')
    makeFiles(surviving(operations, count, chance), place)
    try {
      const lost = join(place, relative(root, dir))
      const least = [...promised].reduce((most, [epoch, at]) => (at <= count ? Math.max(most, epoch) : most), 0)
      await check(lost, least)
      return null
    } catch (error) {
      return `state ${number}, power lost behind ${count} of ${operations.length} operations: ${error.stack}`
    } finally {
      rmSync(place, { recursive: true })
    }
  }

  async function check(lost, least) {
    const list = await checkpoints(lost)
    assert.ok((list.at(-1)?.epoch ?? 0) >= least, `${list.at(-1)?.epoch} is there, ${least} was promised`)
    for (const { path, epoch, sound, problem } of list) {
      assert.ok(sound, problem)
      assert.is(await digestOf(await loadModel(path)), loads.get(epoch))
    }
    const model = tinyModel()
    assert.is(
      await digestOf(model, await fitTiny(model, lost, { callbacks: [checkpoint({ every: 'epoch', keep: 1 })] })),
      final,
    )
    assert.equal(
      readdirSync(lost, { recursive: true }).filter((name) => name.endsWith('.tmp')),
      [],
    )
  }

  test(`in ${states} states after a loss of power the old checkpoint or the new one is there, and the run goes on`, async () => {
    assert.is(promised.size, 2)
    for (let number = 0; number < states; number++) {
      progress(number, states, 'power lost')
      assert.is(await lose(operations, number), null)
    }
  })

  for (const [mistake, forgotten] of [
    ['a rename without sync of its folder', ({ type, path }) => type === 'syncFolder' && path === folder],
    ['data that are not synced', ({ type }) => type === 'sync'],
    ['folders whose own names are not synced', ({ type, path }) => type === 'syncFolder' && path !== folder],
  ]) {
    test(`${mistake} would be found`, async () => {
      const without = operations.map((operation) => (forgotten(operation) ? { type: 'none' } : operation))
      let number = 0
      while (number < 1000 && (await lose(without, number)) === null) number++
      assert.ok(number < 1000)
    })
  }
}

/** Numbers from 0 to 1. */
function chances(seed) {
  const drawn = numbers(4000, seed * 7919)
  let i = 0
  return () => (drawn[i++ % drawn.length] + 1) / 2
}

/** What loads from a checkpoint of each epoch. */
async function reference() {
  const dir = join(root, 'reference')
  await fitTiny(tinyModel(), dir, { epochs: 2, callbacks: [checkpoint({ every: 'epoch', keep: 'all' })] })
  const loads = new Map()
  for (const { path, epoch } of await checkpoints(dir)) loads.set(epoch, await digestOf(await loadModel(path)))
  return loads
}

test.run()
