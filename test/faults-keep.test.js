// Killed in each of 40 saves that keep the two best and the newest: they are there, always. `npm test` kills in a few of them.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkpoint, checkpoints } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { progress, sampled } from './support/sampled.js'
import { digestOf, fitTiny, tinyModel, uninterrupted } from './support/tiny-run.js'
import { pointsOf, traceSave, whyNoStrace } from './support/traced-save.js'

process.env.UV_THREADPOOL_SIZE = '1'
const epochs = 42
const keeping = { every: 'epoch', keep: 2, monitor: 'loss' }
const root = mkdtempSync(join(tmpdir(), 'gradus-keep-'))
test.after(() => rmSync(root, { recursive: true }))

/** The two best of the first epochs, and the newest; of equal ones the earlier. */
function wanted(scores) {
  const order = scores.map((score, i) => [score, i + 1]).sort(([a, i], [b, j]) => a - b || i - j)
  return [...new Set([...order.slice(0, 2).map(([, epoch]) => epoch), scores.length])].sort((a, b) => a - b)
}

const lacking = whyNoStrace()
if (lacking) console.log(`Not tested: saves that are killed while they keep the best. ${lacking}`)
else {
  const { loss: scores } = await fitTiny(tinyModel(), undefined, { epochs, resume: false })
  const options = { keeping, log: join(root, 'log') }
  const { calls } = await traceSave(join(root, 'traced'), { ...options, epochs: 4, waitsIn: 4 })
  // The calls that change what is there, and what comes before and after them.
  const points = pointsOf(calls).filter(({ path }) => /^checkpoints\/(TEMPORARY|epoch=004)/.test(path))

  test('the best two so far and the newest are there after a kill in any save', async () => {
    const dir = join(root, 'run')
    const saves = sampled(
      Array.from({ length: epochs - 2 }, (_, i) => i + 3),
      4,
      'saves',
    )
    let kills = 0
    for (const [i, epoch] of saves.entries()) {
      progress(i, saves.length, 'saves')
      const point = points[(epoch * 7919) % points.length]
      const path = point.path.replace(
        /epoch=004.*/,
        `epoch=${String(epoch).padStart(3, '0')},loss=${shown(scores[epoch - 1])}.safetensors`,
      )
      const killed = { point: { ...point, path }, effect: 'signal=KILL', keeping, epochs, waitsIn: epoch }
      const { signal, said, errors } = await traceSave(dir, killed)
      const what = `${point.call} ${point.number} of ${path} in epoch ${epoch}, ${said} ${errors}`
      if (signal === 'SIGKILL') kills++
      const list = await checkpoints(dir)
      assert.ok(
        list.every(({ sound }) => sound),
        what,
      )
      const there = list.map(({ epoch }) => epoch)
      if (signal === 'SIGKILL') assert.ok([epoch - 1, epoch].includes(there.at(-1)), `${what}: ${there}`)
      for (const one of wanted(scores.slice(0, there.at(-1))))
        assert.ok(there.includes(one), `${what}: ${there}, not ${one}`)
      if (signal !== 'SIGKILL') break
    }
    assert.ok(kills >= saves.length / 2, `${kills} kills`)
    const model = tinyModel()
    const history = await fitTiny(model, dir, { epochs, callbacks: [checkpoint(keeping)] })
    assert.is(await digestOf(model, history), await uninterrupted(epochs))
    assert.equal(
      (await checkpoints(dir)).map(({ epoch }) => epoch),
      wanted(scores),
    )
    assert.equal(readdirSync(join(dir, 'checkpoints')).length, wanted(scores).length)
  })
}

const shown = (score) => String(Number(score.toPrecision(5)))

test.run()
