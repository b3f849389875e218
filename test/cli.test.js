// The `gradus` command, as somebody types it.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RunWriter } from './support/write-run.js'

const cli = suite('command')
const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'gradus-cli-'))
const run = join(folder, 'runs', 'a & b')
const failing = join(folder, 'runs', 'failing')

cli.before(() => {
  new RunWriter(run, { epochs: 3 }).train(3, 200).end()
  const writer = new RunWriter(failing, { epochs: 3 })
  writer.steps(400, (step) => (step > 20 ? { refused: 1, loss: Number.NaN } : {}))
  writer.entry({ type: 'refusal', step: 21, layer: 'dense1', tensor: null })
  writer.end('error', { error: 'Too many refused steps' })
  mkdirSync(join(folder, 'broken'))
  writeFileSync(join(folder, 'broken', 'run.json'), '{"format":')
})
cli.after(() => rmSync(folder, { recursive: true }))

const gradus = (...args) => spawnSync(process.execPath, [command, ...args], { cwd: folder, encoding: 'utf8' })

cli('tells its version and what it can do', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  assert.is(gradus('--version').stdout.trim(), version)
  const { status, stdout } = gradus('--help')
  assert.is(status, 0)
  for (const name of ['watch', 'diagnose', 'report']) assert.ok(stdout.includes(name), name)
})

cli('bad usage and runs that cannot be read end with 2 and one sentence', () => {
  const calls = [
    [/required argument/, 'diagnose'],
    [/unknown command/, 'nothing'],
    [/unknown option/, 'diagnose', run, '--nothing'],
    [/does not exist/, 'diagnose', 'nowhere'],
    [/is a file/, 'diagnose', join(run, 'run.json')],
    [/run\.json/, 'diagnose', folder],
    [/run\.json/, 'diagnose', 'broken'],
    [/does not exist/, 'report', 'nowhere'],
    [/Cannot write/, 'report', run, '-o', join(folder, 'nowhere', 'a.html')],
    [/does not exist/, 'watch', 'nowhere'],
    [/port/, 'watch', folder, '--port', 'x'],
    [/token/, 'watch', folder, '--host', '0.0.0.0'],
    [/Allowed choices/, 'watch', folder, '--open', 'perhaps'],
  ]
  for (const [pattern, ...args] of calls) {
    const { status, stdout, stderr } = gradus(...args)
    assert.is(status, 2, `${args.join(' ')}: ${status} ${stderr}`)
    assert.match(stderr, pattern)
    assert.not.match(stderr, /\n {4}at /, 'no stack')
    assert.is(stdout, '')
  }
})

cli('diagnose prints findings, plain when piped, and ends with 1 when one is severe', () => {
  const severe = gradus('diagnose', failing)
  assert.is(severe.status, 1, severe.stderr)
  assert.match(severe.stdout, /^severe {2}\S/)
  assert.not.ok(severe.stdout.includes('\u001b'))
  const findings = JSON.parse(gradus('diagnose', failing, '--json').stdout)
  assert.is(findings[0].severity, 'severe')
  const isSevere = JSON.parse(gradus('diagnose', run, '--json').stdout).some(({ severity }) => severity === 'severe')
  assert.is(gradus('diagnose', run).status, isSevere ? 1 : 0)
})

cli('report writes one file that asks for nothing', () => {
  const { status, stdout, stderr } = gradus('report', run)
  assert.is(status, 0, stderr)
  assert.match(stdout, /^a & b\.html \(/)
  const html = readFileSync(join(folder, 'a & b.html'), 'utf8')
  assert.match(html, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/)
  assert.not.match(html, /<(script|link|img)[^>]*(src|href)="(?!data:)/)
  const [, json] = /<script type="application\/json" id="answers">([^<]*)<\/script>/.exec(html)
  assert.is(JSON.parse(json)['/api/runs'].runs.length, 1)
})

cli('watch prints an address, answers there, and ends in peace', async () => {
  const child = spawn(process.execPath, [command, 'watch', join(folder, 'runs'), '--open', 'no'])
  const url = await new Promise((resolve) => child.stdout.once('data', (text) => resolve(String(text).trim())))
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{22}$/)
  assert.is((await fetch(url)).status, 200)
  const token = new URL(url).searchParams.get('token')
  const listener = await fetch(new URL('/events', url), { headers: { authorization: `Bearer ${token}` } })
  assert.is(listener.status, 200)
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
  child.kill('SIGTERM')
  assert.equal(await ended, { code: 0, signal: null })
  await listener.text().catch(() => {})
})

cli('importing the package loads none of it', () => {
  const program = `
    await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)})
    const loaded = process.moduleLoadList.filter((name) => / (http|net|dgram|http2)$/.test(name))
    console.log(loaded.join())`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.is(stdout.trim(), '', stderr)
})

cli.run()
