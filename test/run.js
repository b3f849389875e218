// `npm test`: native tests, then each uvu file in a process of its own. Arguments pick the files whose name has one of
// them; after `--cluster` it is the files in cluster/, which start servers as root, and none where GRADUS_QUICK is set. The native tests are built here, and with them what has changed of the addon; `npm ci` builds the addon alone.
// Last line: N passed, N failed; the status is 1 if anything failed.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const isCluster = process.argv[2] === '--cluster'
const filters = process.argv.slice(isCluster ? 3 : 2)
/** Within test/. */
const folder = isCluster ? 'cluster/' : ''
const isPicked = (name) => filters.length === 0 || filters.some((filter) => name.includes(filter))
const total = { passed: 0, failed: 0 }
/** Milliseconds without a word after which a program counts as hanging: many times what the longest test takes. */
const patience = 600_000

/** Runs a program, shows what it writes when it writes it, and returns whether it went well, and its output. */
function run(name, command, args) {
  console.log(`\n— ${name}`)
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: '0' },
  })
  const hanging = setTimeout(() => {
    child.kill('SIGKILL')
    // What it started may live on and hold the other ends.
    for (const stream of [child.stdout, child.stderr]) stream.destroy()
  }, patience)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    from.on('data', () => hanging.refresh())
    from.pipe(to, { end: false })
  }
  return new Promise((resolve) => {
    child.once('error', (error) => console.log(`${name}: ${error.message}`))
    child.once('close', (status, signal) => {
      clearTimeout(hanging)
      if (signal) console.log(`${name}: ended by ${signal}`)
      resolve({ ok: status === 0, output })
    })
  })
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

async function native() {
  const name = 'build/Release/gradus_tests'
  const { ok: isBuilt } = await run('npm run build:native', 'npm', ['run', '--silent', 'build:native'])
  if (!isBuilt) return add(name, false, 0, 0)
  const { ok, output } = await run(name, `./${name}`, [])
  const [, passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? []
  add(name, ok, Number(passed), Number(failed))
}

async function suite(file) {
  const { ok, output } = await run(file, process.execPath, [`test/${file}`])
  const [, count = 0] = /^\s*Total:\s+(\d+)/m.exec(output) ?? []
  const [, passed = 0] = /^\s*Passed:\s+(\d+)/m.exec(output) ?? []
  add(file, ok, Number(passed), count - passed)
}

if (isCluster && process.env.GRADUS_QUICK) {
  console.log('Not run: GRADUS_QUICK is set.')
  process.exit()
}
if (!existsSync(new URL('../build/Release/gradus.node', import.meta.url))) {
  console.log('Not built: run `npm ci` or `npm run compile` first.')
  total.failed++
} else {
  if (!isCluster && isPicked('native')) await native()
  for (const file of readdirSync(new URL(`./${folder}`, import.meta.url)).sort()) {
    if (file.endsWith('.test.js') && isPicked(file)) await suite(folder + file)
  }
}
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed || total.passed === 0 ? 1 : 0
