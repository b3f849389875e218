// What lifecycles.js runs in processes of its own, on a card that has little memory or fails: see
// native/emulator/options.cc. Prints what has become of it as JSON.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkpoint, ensemble } from 'gradus'
import { data, dataOf, model, options } from './small-model.js'

const refusalOf = async (call) => {
  try {
    await call()
    return null
  } catch ({ code, message }) {
    return { code, message }
  }
}
const roles = {
  /** Batches that do not fit, then those that are said to. */
  async memory() {
    const many = dataOf(4000)
    const results = {}
    const check = async (of, calls) => {
      for (const [name, call] of Object.entries(calls)) {
        const before = of.getWeights()
        const refusal = await refusalOf(() => call(4000))
        const hasChanged = JSON.stringify(of.getWeights()) !== JSON.stringify(before)
        const room = Number(/ a batchSize of (\d+)$/.exec(refusal?.message)?.[1])
        results[name] = { refusal, hasChanged, room, after: await refusalOf(() => call(room)) }
      }
    }
    const alone = model('cuda')
    await check(alone, {
      fit: (batchSize) => alone.fit(many, { epochs: 1, batchSize, quiet: true }),
      evaluate: (batchSize) => alone.evaluate(many, { batchSize }),
      predict: (batchSize) => alone.predict(many.x, { batchSize }),
    })
    alone.dispose()
    const members = [model('cuda'), model('cuda')]
    const together = ensemble(members)
    await check(members[0], {
      'evaluate together': (batchSize) => together.evaluate(many, { batchSize }),
      'predict together': (batchSize) => together.predict(many.x, { batchSize, spread: true }),
    })
    return results
  },

  /** A card that fails in the middle of a run with checkpoints; before its first one where `every` is long. */
  async lost(every) {
    const folder = mkdtempSync(join(tmpdir(), 'gradus-lost-'))
    try {
      const [of, other, here] = [model('cuda'), model('cuda'), model('cpu')]
      const keeping = checkpoint({ every: { epochs: Number(every) } })
      const run = { ...options, epochs: 1000, dir: folder, callbacks: [keeping] }
      const refusal = await refusalOf(() => of.fit(data, run))
      const later = [
        await refusalOf(() => of.fit(data, options)),
        await refusalOf(() => other.predict(data.x)),
        await refusalOf(() => model('cuda')),
      ]
      return { refusal, later, path: keeping.path, here: await refusalOf(() => here.fit(data, options)) }
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

const [, , role, ...words] = process.argv
console.log(JSON.stringify(await roles[role](...words)))
