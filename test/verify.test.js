/** bench/cuda/verify.sh, with programs in its build that only say something: what becomes of stages, and what is left of them. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('verify.sh')
const script = fileURLToPath(new URL('../bench/cuda/verify.sh', import.meta.url))

/** What it prints and leaves with these programs, and its status. */
function verify(programs) {
  const build = mkdtempSync(join(tmpdir(), 'gradus-verify-'))
  try {
    for (const [name, text] of Object.entries(programs)) writeFileSync(join(build, name), text, { mode: 0o755 })
    const { status, stdout } = spawnSync(script, ['--emulated', build], { encoding: 'utf8' })
    return { status, stdout, results: JSON.parse(readFileSync(join(build, 'verify/results.json'), 'utf8')) }
  } finally {
    rmSync(build, { recursive: true })
  }
}
const shell = (body) => `#!/bin/sh\n${body}\n`

test('a stage that fails stops no other, the table comes last, and results.json has all of it', () => {
  const { status, stdout, results } = verify({
    gradus_emulated_tests: shell(`case $1 in
conformance_test) echo 'says "this" \\ and that';;
engine_test) echo 'not those bits'; exit 3;;
*) echo '35 passed, 0 failed';;
esac`),
    gradus_device_bench: shell("printf 'adam\\t1.5e-05\\nlayer 2 3 4\\t0.001\\n'"),
    'gradus_emulated.so': 'no library',
  })
  assert.is(status, 1)
  const stages = Object.fromEntries(results.stages.map(({ name, ...stage }) => [name, stage]))
  const none = ['card', 'ptx', 'memcheck', 'racecheck', 'initcheck', 'synccheck']
  assert.equal(
    Object.keys(stages).toSorted(),
    [...none, 'conformance', 'kernels', 'engine', 'bench', 'steps', 'models', 'lifecycles', 'mnist'].toSorted(),
  )
  for (const name of none) assert.is(stages[name].status, 'no card')
  for (const name of ['conformance', 'kernels', 'bench']) assert.is(stages[name].status, 'ok', name)
  assert.is(stages.conformance.says, 'says "this" \\ and that')
  assert.is(stages.engine.status, 'failed (3)')
  for (const name of ['steps', 'models', 'lifecycles', 'mnist']) assert.is(stages[name].status, 'failed (1)', name)
  assert.equal(results.times, [
    { name: 'adam', seconds: 1.5e-5, pytorch: null },
    { name: 'layer 2 3 4', seconds: 1e-3, pytorch: null },
  ])
  assert.is(results.device, 'emulated')
  for (const source of ['cuda/matmul.cu', 'cpu/losses-inl.h', 'cpu/updates/rules-inl.h', 'kernels.def'])
    assert.match(results.seen[`native/kernels/${source}`], /^[0-9a-f]{64}$/)
  assert.not('native/kernels/cpu/avx2.cc' in results.seen)
  const table = stdout.trimEnd().split('\n').slice(-results.stages.length)
  assert.equal(
    table.map((line) => line.split(' ')[0]),
    results.stages.map(({ name }) => name),
  )
})

test('sources of kernels that fail are not seen', () => {
  const { status, results } = verify({ gradus_emulated_tests: shell('exit 1') })
  assert.is(status, 1)
  assert.equal(results.seen, {})
  assert.equal(results.times, [])
  assert.is(results.stages.find(({ name }) => name === 'bench').status, 'failed (1)')
})

test.run()
