// node test/soak/search.js [--seed N] [SCENARIO…]: searches whose workers and masters are killed, stopped, blocked, whose disk is
// full, whose files are torn and whose clocks jump, at places and moments that the seed picks. Last line: N passed, N failed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chooser } from '../support/mortal-chain.js'
import { blocked } from './search/blocked.js'
import { clocks } from './search/clocks.js'
import { fullDisk } from './search/full-disk.js'
import { kills } from './search/kills.js'
import { masters } from './search/masters.js'
import { memory } from './search/memory.js'
import { planted } from './search/planted.js'
import { reproducible } from './search/reproducible.js'
import { stopped } from './search/stopped.js'
import { stops } from './search/stops.js'
import { torn } from './search/torn.js'

const scenarios = { kills, masters, stopped, blocked, clocks, reproducible, stops, fullDisk, torn, memory, planted }
const { values, positionals } = parseArgs({
  options: { seed: { type: 'string', default: '1' } },
  allowPositionals: true,
})
const names = positionals.length > 0 ? positionals : Object.keys(scenarios)
const counts = { passed: 0, failed: 0 }
for (const name of names) {
  const folder = mkdtempSync(join(tmpdir(), `gradus-soak-${name}-`))
  const began = performance.now()
  const { figures, found } = await scenarios[name]({ folder, choose: chooser(Number(values.seed)) }).catch(
    ({ stack }) => ({ figures: '', found: [stack] }),
  )
  console.log(`${name}: ${figures} (${Math.round((performance.now() - began) / 1000)} s)`)
  for (const problem of found) console.log(`  ${problem}`)
  counts[found.length === 0 ? 'passed' : 'failed']++
  if (found.length === 0) rmSync(folder, { recursive: true })
  else console.log(`  what is left of it: ${folder}`)
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed > 0 ? 1 : 0
