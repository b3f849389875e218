// node test/soak/resume.js [--seed N] [--kills N]: runs that are killed by SIGKILL again and again, at places and at moments that
// the seed picks, each process with threads and an instruction set of its own. Every one must end with the weights, the
// optimizer's state, the average, the history and the recording of a run that was not interrupted. Last line: N passed, N failed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chain, chooser, deathEvents, differences, wholeRuns } from '../support/mortal-chain.js'

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, kills: { type: 'string', default: '200' } },
})
const [seed, wanted] = [Number(values.seed), Number(values.kills)]
const choose = chooser(seed)
const folder = mkdtempSync(join(tmpdir(), 'gradus-soak-'))
const whole = await wholeRuns(folder)
/** Of most runs, and of all checkpoints: milliseconds for the kills from outside. */
const longest = 400
const everies = [undefined, 'epoch', { epochs: 3 }, { steps: 1 }, { steps: 4 }, { steps: 50 }, { minutes: 0.0005 }]
const events = Object.entries(deathEvents)

function death() {
  if (choose(3) === 0) return { after: choose(longest) }
  const [event, most] = events[choose(events.length)]
  return { event, count: 1 + choose(most) }
}

const counts = { kills: 0, runs: 0, passed: 0, failed: 0 }
while (counts.kills < wanted) {
  const dir = join(folder, `run ${counts.runs}`)
  const spec = {
    dir,
    stream: choose(2) === 1,
    every: everies[choose(everies.length)],
    keep: [1, 3, 'all'][choose(3)],
    pause: choose(2),
  }
  const deaths = Array.from({ length: 1 + choose(7) }, death)
  const { kills, found } = await chain(spec, deaths, choose).then(
    async ({ kills, result }) => ({ kills, found: await differences(dir, result, whole[spec.stream]) }),
    ({ message }) => ({ kills: 1, found: [message] }),
  )
  counts.runs++
  counts.kills += kills
  counts[found.length === 0 ? 'passed' : 'failed']++
  if (found.length > 0) console.log(`run ${counts.runs}: ${found.join(', ')} of ${JSON.stringify({ ...spec, deaths })}`)
  else rmSync(dir, { recursive: true })
  if (counts.runs % 10 === 0) console.log(`${counts.runs} runs, ${counts.kills} kills`)
}
if (counts.failed === 0) rmSync(folder, { recursive: true })
else console.log(`what is left of the failed ones: ${folder}`)
console.log(
  `seed ${seed}: ${counts.kills} kills in ${counts.runs} runs\n${counts.passed} passed, ${counts.failed} failed`,
)
process.exitCode = counts.failed > 0 ? 1 : 0
