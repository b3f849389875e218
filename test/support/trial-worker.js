// node trial-worker.js STUDY [milliseconds from beat to beat]. For each line of standard input it does one thing, and says what came.
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Beats, createTrial, readTrial, takeTrial } from '../../dist/study/index.js'
import { trialPath } from '../../dist/study/layout.js'
import { draft, ending, suggestion } from './studies.js'

const [study, every] = process.argv.slice(2)
const beats = new Beats({ every: Number(every ?? 5) })
let held = null

const does = {
  async create(number) {
    held = await createTrial(study, Number(number), suggestion(), { ...draft, worker: `${process.pid}`, beats })
    return held ? `won ${number}` : `lost ${number}`
  },
  /** All that want it see it as it is before. */
  async take(number) {
    held = await takeTrial(seen, { ...draft, worker: `${process.pid}`, beats })
    return held ? `won ${number}` : `lost ${number}`
  },
  async see(number) {
    seen = readTrial(Number(number), trialPath(study, Number(number)))
    return `saw ${seen.next}`
  },
  async finish(value) {
    await held.finish(ending({ value: Number(value) }))
    return 'finished'
  },
  async report(epoch) {
    await held.report(Number(epoch), Number(epoch) / 10)
    return 'reported'
  },
  /** Its event loop stands still until the file is there. */
  async block(file) {
    console.log('blocks')
    const word = new Int32Array(new SharedArrayBuffer(4))
    while (!existsSync(file)) Atomics.wait(word, 0, 0, 5)
    return 'goes on'
  },
}
let seen = null

console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const [what, given] = line.split(' ')
  console.log(await does[what](given).catch(({ code, message }) => `${code} ${message}`))
}
