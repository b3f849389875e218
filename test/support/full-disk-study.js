// node full-disk-study.js DIR: a study on a disk that is full for a while. Says what was refused meanwhile, and what there is at the end.
import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Beats, createTrial, makeStudy, StudyReader } from '../../dist/study/index.js'
import { description, draft, ending, suggestion } from './studies.js'
import { until } from './until.js'

const [dir] = process.argv.slice(2)
const filler = join(dir, 'filler')
const study = join(dir, 'study')
await makeStudy(study, description())
const beats = new Beats({ every: 5 })
const held = []
for (const number of [0, 1]) held.push(await createTrial(study, number, suggestion(), { ...draft, beats }))
for (const [number, one] of held.entries()) await one.report(1, number)
for (let size = 1 << 20; size >= 1; size >>= 1) {
  while (statfsSync(dir).bavail * statfsSync(dir).bsize >= size)
    writeFileSync(filler, Buffer.alloc(size), { flag: 'a' })
}
const codes = []
const refused = async (work) =>
  codes.push(
    await work().then(
      () => 'done',
      ({ code, message }) => `${code} ${/ENOSPC/.test(message)}`,
    ),
  )
await refused(() => createTrial(study, 2, suggestion(), draft))
await refused(() => held[0].finish(ending()))
await refused(() => held[0].pause({ epoch: 1, value: 0, details: null }))
// More than what is left of a page that is there.
await refused(() => held[1].report(2, 1, { loss: 'x'.repeat(10_000) }))
const beat = () => readFileSync(join(held[1].path, 'beats.1'), 'utf8')
const before = beat()
await until(() => beat() !== before)
const meanwhile = (await StudyReader.open(study)).trials.map(({ state, epochs }) => `${state} ${epochs}`)
rmSync(filler)
await held[1].report(2, 1)
await held[0].finish(ending())
await createTrial(study, 2, suggestion(), draft)
const { trials } = await StudyReader.open(study)
const after = trials.map(({ state, epochs, problem }) => `${state} ${epochs} ${problem}`)
console.log(JSON.stringify({ codes, meanwhile, after }))
