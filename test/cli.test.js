// The `gradus` command, as somebody types it.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from './support/until.js'
import { RunWriter } from './support/write-run.js'

const cli = suite('command')
const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'gradus-cli-'))
const run = join(folder, 'runs', 'a & b')
const failing = join(folder, 'runs', 'failing')

new RunWriter(run, { epochs: 3 }).train(3, 200).end()
const writer = new RunWriter(failing, { epochs: 3 })
writer.steps(400, (step) => (step > 20 ? { refused: 1, loss: Number.NaN } : {}))
writer.entry({ type: 'refusal', step: 21, layer: 'dense1', tensor: null })
writer.end('error', { error: 'Too many refused steps' })
for (const name of ['broken', 'empty', 'study']) mkdirSync(join(folder, name))
writeFileSync(join(folder, 'broken', 'run.json'), '{"format":')
writeFileSync(join(folder, 'study', 'study.json'), '{}')
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
    [/run\.json/, 'diagnose', 'empty'],
    [/no run itself; name one of those in it: broken/, 'diagnose', folder],
    [/no run itself; name one of those in it: /, 'diagnose', join(run, '..')],
    [/run\.json/, 'diagnose', 'broken'],
    [/does not exist/, 'report', 'nowhere'],
    [/Cannot write/, 'report', run, '-o', join(folder, 'nowhere', 'a.html')],
    [/holds no run/, 'report', join(run, '..', '..', 'empty')],
    [/holds no run that can be read; \.: .*run\.json/, 'report', 'broken'],
    [/is a study, not a run: see gradus trials study/, 'report', 'study'],
    [/is a study, not a run: see gradus trials study/, 'diagnose', 'study'],
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

cli('report writes over no file and through no link, unless it is forced', () => {
  const [file, link] = ['kept.html', 'link.html'].map((name) => join(folder, name))
  writeFileSync(file, 'somebody wrote this')
  symlinkSync(file, link)
  for (const output of [file, link]) {
    const { status, stderr, stdout } = gradus('report', run, '-o', output)
    assert.is(status, 2)
    assert.match(stderr, /is there already.*--force/)
    assert.is(stdout, '')
  }
  assert.is(gradus('report', run, '-o', link, '--force').status, 0)
  assert.is(readFileSync(file, 'utf8'), 'somebody wrote this', 'the link is replaced, not what it leads to')
  assert.match(readFileSync(link, 'utf8'), /^<!doctype html>/)
  assert.is(gradus('report', run, '-o', file, '--force').status, 0)
  assert.match(readFileSync(file, 'utf8'), /^<!doctype html>/)
})

cli('report says what it leaves out', () => {
  const both = join(folder, 'both')
  new RunWriter(join(both, 'sound')).steps(20)
  mkdirSync(join(both, 'torn'))
  writeFileSync(join(both, 'torn', 'run.json'), '{"format":')
  const { status, stdout, stderr } = gradus('report', both)
  assert.is(status, 0, stderr)
  assert.match(stderr, /left out torn: .*run\.json/)
  assert.match(stdout, /^both\.html \(/)
})

cli('what a run directory holds cannot talk to the terminal', () => {
  const rogue = join(folder, 'rogue')
  const writer = new RunWriter(rogue, { epochs: 3 })
  writer.steps(100, (step) => (step > 4 ? { refused: 1, loss: Number.NaN } : {}))
  writer.entry({ type: 'refusal', step: 5, layer: '\u001b]0;OWNED\u0007\u009b31m\u202e', tensor: null })
  mkdirSync(join(folder, 'rogue-info'))
  writeFileSync(join(folder, 'rogue-info', 'run.json'), '\u001b]0;OWNED\u0007')
  for (const args of [
    ['diagnose', rogue],
    ['diagnose', rogue, '--json'],
    ['diagnose', 'rogue-info'],
  ]) {
    const { stdout, stderr } = gradus(...args)
    const all = stdout + stderr
    assert.match(all, /OWNED/, `${args}`)
    assert.match(all, /\\u001b/, `${args}`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.not.match(all, /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/, `${args}`)
  }
  assert.is(JSON.parse(gradus('diagnose', rogue, '--json').stdout)[0].severity, 'severe')
})

cli('a run that is damaged on purpose is told of like any other', () => {
  const crowded = join(folder, 'crowded')
  const many = Array.from({ length: 300_000 }, () => 1)
  const writer = new RunWriter(crowded, { epochs: 3 }).train(1, 100)
  writer.entry({ type: 'predictions', epoch: 2, step: 100, predicted: many, actual: many })
  const diagnosed = gradus('diagnose', crowded)
  assert.ok(diagnosed.status < 2, diagnosed.stderr)
  assert.not.match(diagnosed.stderr, /\n {4}at /)
  // Two histograms that claim to end near 2⁶⁴, one a little behind the other.
  const looks = join(crowded, 'layers.f32')
  const bytes = readFileSync(looks)
  const width = bytes.length / 10
  for (const [look, low] of [0, 4096].entries()) {
    bytes.writeUInt32LE(low, look * width + 4)
    bytes.writeUInt32LE(2 ** 32 - 1, look * width + 8)
  }
  writeFileSync(looks, bytes)
  const reported = gradus('report', crowded)
  assert.is(reported.status, 0, reported.stderr)
})

cli('watch prints an address, answers there, and ends in peace', async () => {
  const child = spawn(process.execPath, [command, 'watch', join(folder, 'runs'), '--open', 'no'])
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
  try {
    const first = new Promise((resolve) => child.stdout.once('data', (text) => resolve(String(text).trim())))
    const url = await Promise.race([first, ended])
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{22}$/)
    assert.is((await fetch(url)).status, 200)
    const token = url.split('#token=')[1]
    const listener = await fetch(new URL('/events', url), { headers: { authorization: `Bearer ${token}` } })
    assert.is(listener.status, 200)
    child.kill('SIGTERM')
    assert.equal(await ended, { code: 0, signal: null })
    await listener.text().catch(() => {})
  } finally {
    child.kill('SIGKILL')
  }
})

cli('a browser is opened without the token among the arguments, by a file for this user alone', async () => {
  const [bin, runtime] = ['bin', 'runtime'].map((name) => join(folder, name))
  for (const path of [bin, runtime]) mkdirSync(path)
  const heard = join(folder, 'opened')
  for (const name of ['xdg-open', 'open']) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "$@" > '${heard}.tmp' && mv '${heard}.tmp' '${heard}'\n`, {
      mode: 0o755,
    })
  }
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, XDG_RUNTIME_DIR: runtime }
  const child = spawn(process.execPath, [command, 'watch', join(folder, 'runs'), '--open', 'yes'], { env })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    const first = new Promise((resolve) => child.stdout.once('data', (text) => resolve(String(text).trim())))
    const url = await Promise.race([first, ended])
    const token = url.split('#token=')[1]
    await until(() => existsSync(heard))
    const words = readFileSync(heard, 'utf8').trim()
    assert.not.ok(words.includes(token), words)
    const file = fileURLToPath(words)
    assert.ok(file.startsWith(runtime), file)
    assert.is(statSync(file).mode & 0o777, 0o600)
    assert.is(statSync(dirname(file)).mode & 0o777, 0o700)
    assert.ok(readFileSync(file, 'utf8').includes(`content="0;url=${url}"`))
    child.kill('SIGTERM')
    await ended
    assert.not.ok(existsSync(file), 'taken away again')
  } finally {
    child.kill('SIGKILL')
  }
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
