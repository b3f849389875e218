// node test/soak/queue.js [--seed N] [--server redis|postgres] [SCENARIO…]: searches through a queue whose workers, masters and
// servers are killed, stopped and blocked. Needs Redis and PostgreSQL. Last line: N passed, N failed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chooser } from '../support/mortal-chain.js'
import { blocked } from './queue/blocked.js'
import { kills } from './queue/kills.js'
import { masters } from './queue/masters.js'
import { restarted } from './queue/restarted.js'
import { servers } from './queue/servers.js'
import { stopped } from './queue/stopped.js'

const scenarios = { kills, masters, stopped, blocked, restarted }
const { values, positionals } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, server: { type: 'string' } },
  allowPositionals: true,
})
const counts = { passed: 0, failed: 0 }
for (const kind of values.server ? [values.server] : Object.keys(servers)) {
  for (const name of positionals.length > 0 ? positionals : Object.keys(scenarios)) {
    const folder = mkdtempSync(join(tmpdir(), `gradus-soak-${kind}-${name}-`))
    const began = performance.now()
    const server = await servers[kind](folder)
    const { figures, found } = await scenarios[name]({ folder, server, choose: chooser(Number(values.seed)) }).catch(
      ({ stack }) => ({ figures: '', found: [stack] }),
    )
    await server.end()
    console.log(`${kind}, ${name}: ${figures} (${Math.round((performance.now() - began) / 1000)} s)`)
    for (const problem of found) console.log(`  ${problem}`)
    counts[found.length === 0 ? 'passed' : 'failed']++
    if (found.length === 0) rmSync(folder, { recursive: true })
    else console.log(`  what is left of it: ${folder}`)
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed > 0 ? 1 : 0
