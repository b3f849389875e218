// `npm test`: native tests, then each uvu file in a process of its own. Arguments pick the files whose name has one of
// them. The native tests are built here, and with them what has changed of the addon; `npm ci` builds the addon alone.
// Last line: N passed, N failed; the status is 1 if anything failed.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const filters = process.argv.slice(2)
const isPicked = (name) => filters.length === 0 || filters.some((filter) => name.includes(filter))
const total = { passed: 0, failed: 0 }
/** Milliseconds after which a file counts as hanging: many times what the longest takes. */
const patience = 400_000

/** Runs a program, shows what it wrote and returns its status and output. */
function run(name, command, args) {
  console.log(`\n— ${name}`)
  const {
    status,
    signal,
    stdout = '',
    stderr = '',
    error,
  } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout: patience,
    killSignal: 'SIGKILL',
    env: { ...process.env, FORCE_COLOR: '0' },
  })
  process.stdout.write(stdout ?? '')
  process.stdout.write(stderr ?? '')
  if (error) console.log(`${name}: ${error.message}`)
  if (signal) console.log(`${name}: ended by ${signal}`)
  return { ok: status === 0, output: stdout ?? '' }
}

/** Adds what a program counted; one that failed without counting a failure, or counted nothing, is a failure. */
function add(name, ok, passed, failed) {
  total.passed += passed
  total.failed += failed
  if (passed + failed === 0 || (!ok && failed === 0)) {
    console.log(`${name}: did not finish`)
    total.failed++
  }
}

function native() {
  const name = 'build/Release/gradus_tests'
  if (!run('npm run build:native', 'npm', ['run', '--silent', 'build:native']).ok) return add(name, false, 0, 0)
  const { ok, output } = run(name, `./${name}`, [])
  const [, passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? []
  add(name, ok, Number(passed), Number(failed))
}

function suite(file) {
  const { ok, output } = run(file, process.execPath, [`test/${file}`])
  const [, count = 0] = /^\s*Total:\s+(\d+)/m.exec(output) ?? []
  const [, passed = 0] = /^\s*Passed:\s+(\d+)/m.exec(output) ?? []
  add(file, ok, Number(passed), count - passed)
}

if (!existsSync(new URL('../build/Release/gradus.node', import.meta.url))) {
  console.log('Not built: run `npm ci` or `npm run compile` first.')
  total.failed++
} else {
  if (isPicked('native')) native()
  for (const file of readdirSync(new URL('.', import.meta.url)).sort()) {
    if (file.endsWith('.test.js') && isPicked(file)) suite(file)
  }
}
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed || total.passed === 0 ? 1 : 0
