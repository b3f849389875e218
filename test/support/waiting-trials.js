// node waiting-trials.js ROOT: a study of trials that wait first, and what becomes of each. A file in ROOT/promised says of a trial
// what is on the disk by then, whenever power is lost.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeStudy } from '../../dist/search/definition/describe.js'
import { enqueueTrial, makeStudy, readTrial, stopTrial, takeTrial } from '../../dist/study/index.js'
import { trialPath } from '../../dist/study/layout.js'
import { draft } from './studies.js'
import { definition, params, suggested } from './waiting-study.js'

const [, , root] = process.argv
const study = join(root, 'study')
mkdirSync(join(root, 'promised'))
const promise = (number, state) => writeFileSync(join(root, 'promised', `${number} ${state}`), '')
const read = (number) => readTrial(number, trialPath(study, number))
const take = (number) => takeTrial(read(number), draft)
const ending = (epoch, value) => ({ state: 'complete', epoch, value, reason: null, details: null })

await makeStudy(study, describeStudy(definition, null))
for (let number = 0; number < params.length; number++) await enqueueTrial(study, number, suggested(number), draft)
// One comes to its end.
const first = await take(0)
for (const epoch of [1, 2]) await first.report(epoch, epoch / 10)
await first.finish(ending(2, 0.2))
promise(0, 'complete')
// One pauses and goes on.
const second = await take(1)
await second.report(1, 0.3)
await second.pause({ epoch: 1, value: 0.3, details: null })
promise(1, 'paused')
const third = await take(1)
await third.report(2, 0.4)
await third.finish(ending(2, 0.4))
promise(1, 'complete')
// One is taken over before its first epoch, and one is begun by nobody else.
await take(2)
const taken = await take(2)
await taken.report(1, 0.5)
await taken.finish(ending(1, 0.5))
promise(2, 'complete')
await take(3)
// What took no time may be lost.
await (await take(4)).finish(ending(0, 0.6), { sync: false })
await stopTrial(read(5), { by: 'a person', why: 'enough' })
promise(5, 'stopped')
