// node test/soak/ensemble.js [--seed N] [--kills N]: members from several seeds whose process is killed by SIGKILL again and again,
// at places and at moments that the seed picks, each process with threads, an instruction set and so many fits at once of its own.
// Each must end with the models and histories of members that were not interrupted. Last line: N passed, N failed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { chain, chooser } from '../support/mortal-chain.js'
import { mortalEnsemble } from '../support/mortal-ensemble.js'

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, kills: { type: 'string', default: '200' } },
})
const [seed, wanted] = [Number(values.seed), Number(values.kills)]
const choose = chooser(seed)
const folder = mkdtempSync(join(tmpdir(), 'gradus-soak-ensemble-'))
const whole = JSON.parse(JSON.stringify(await mortalEnsemble({ parallel: 1, threads: 1 })))
const place = { script: 'mortal-ensemble.js', vary: (choose) => ({ parallel: [undefined, 1, 2, 3, 4][choose(5)] }) }
/** Each with how often it happens at most. */
const events = Object.entries({ make: 4, begin: 4, steps: 150, checkpoint: 80, epoch: 25, end: 4 })

function death() {
  if (choose(3) === 0) return { after: choose(400) }
  const [event, most] = events[choose(events.length)]
  return { event, count: 1 + choose(most) }
}

const counts = { kills: 0, calls: 0, passed: 0, failed: 0 }
while (counts.kills < wanted) {
  const spec = { dir: join(folder, `call ${counts.calls}`), pause: choose(2) }
  const deaths = Array.from({ length: 1 + choose(7) }, death)
  const { kills, problem } = await chain(spec, deaths, choose, place).then(
    ({ kills, result }) => ({ kills, problem: isDeepStrictEqual(result, whole) ? null : 'other bits' }),
    ({ message }) => ({ kills: 1, problem: message }),
  )
  counts.calls++
  counts.kills += kills
  counts[problem === null ? 'passed' : 'failed']++
  if (problem !== null) console.log(`call ${counts.calls}: ${problem} of ${JSON.stringify({ ...spec, deaths })}`)
  else rmSync(spec.dir, { recursive: true })
  if (counts.calls % 10 === 0) console.log(`${counts.calls} calls, ${counts.kills} kills`)
}
if (counts.failed === 0) rmSync(folder, { recursive: true })
else console.log(`what is left of the failed ones: ${folder}`)
console.log(
  `seed ${seed}: ${counts.kills} kills in ${counts.calls} calls\n${counts.passed} passed, ${counts.failed} failed`,
)
process.exitCode = counts.failed > 0 ? 1 : 0
