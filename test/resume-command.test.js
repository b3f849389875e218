// `gradus resume` and `gradus checkpoints`, as somebody types them, on runs that were killed.
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkpoints } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from './support/until.js'

const test = suite('gradus resume')
const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const program = fileURLToPath(new URL('support/resumable.js', import.meta.url))
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gradus-resume-')))
test.after(() => rmSync(folder, { recursive: true }))
const elsewhere = join(folder, 'else where')
mkdirSync(elsewhere)

const { KILL_IN: _, GRADUS_RESUME: __, ...env } = process.env
const node = (words, { cwd = folder, more = {} } = {}) =>
  spawnSync(process.execPath, words, { cwd, env: { ...env, ...more }, encoding: 'utf8' })
const gradus = (...words) => node([command, ...words], { cwd: elsewhere })
const train = (options, { words = [], flags = [], more = {} } = {}) =>
  node([...flags, program, JSON.stringify(options), ...words], { more })
const killed = (options, rest = {}) => {
  const { signal, stderr } = train(options, { ...rest, more: { KILL_IN: '3' } })
  assert.is(signal, 'SIGKILL', stderr)
}
const said = ({ stdout, stderr }) => {
  assert.ok(stdout, stderr)
  return JSON.parse(stdout)
}
const infoOf = (run) => JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'))
const change = (run, fields) => writeFileSync(join(run, 'run.json'), JSON.stringify({ ...infoOf(run), ...fields }))
const lines = (run) =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

const whole = said(train({ dir: 'whole' }))

test('a killed run with a name of its own goes on to the same bits, in its folder, by its own command', () => {
  for (const name of ['mnist', 'mnist-2']) {
    const words = ['a b', "it's", '$HOME', '--quiet']
    killed({ dir: 'runs', name: 'mnist' }, { words, flags: ['--stack-size=900'] })
    const run = join(folder, 'runs', name)
    assert.equal(infoOf(run).command, {
      script: program,
      arguments: [JSON.stringify({ dir: 'runs', name: 'mnist' }), ...words],
      nodeArguments: ['--stack-size=900'],
      folder,
    })
    const resumed = gradus('resume', run)
    assert.is(resumed.status, 0, resumed.stderr)
    const end = said(resumed)
    assert.equal(end, { hash: whole.hash, dir: join('runs', name), words, flags: ['--stack-size=900'], cwd: folder })
    assert.match(
      resumed.stderr,
      /^cd \S+ && GRADUS_RESUME=\S+ node --stack-size=900 .*'a b' 'it'\\''s' '\$HOME' --quiet\n/,
    )
    assert.is(lines(run).filter(({ type }) => type === 'begin').length, 2)
  }
  assert.equal(readdirSync(join(folder, 'runs')).sort(), ['mnist', 'mnist-2'])
})

test('so does one with a folder of its own, which a link may lead to', () => {
  killed({ dir: 'alone' })
  symlinkSync(join(folder, 'alone'), join(elsewhere, 'link'))
  assert.is(said(gradus('resume', 'link')).hash, whole.hash)
})

test('another run of the program is not concerned', () => {
  killed({ dir: 'concerned' })
  const more = { GRADUS_RESUME: join(folder, 'concerned') }
  assert.is(said(train({ dir: 'unconcerned' }, { more })).hash, whole.hash)
  assert.is(said(train({ dir: 'runs', name: 'concerned' }, { more })).dir, join('runs', 'concerned'))
  assert.is(
    said(train({ dir: 'runs', name: 'mni' }, { more: { GRADUS_RESUME: join(folder, 'runs', 'mnist') } })).dir,
    'runs/mni',
  )
  assert.is(lines(join(folder, 'concerned')).filter(({ type }) => type === 'begin').length, 1)
})

test('--dry-run prints a line that a shell understands, and runs nothing', () => {
  killed({ dir: 'dry', epochs: 4 }, { words: ["a'b\nc"] })
  const before = readFileSync(join(folder, 'dry', 'metrics.jsonl'))
  const { status, stdout } = gradus('resume', join(folder, 'dry'), '--dry-run')
  assert.is(status, 0)
  assert.equal(readFileSync(join(folder, 'dry', 'metrics.jsonl')), before)
  const { stdout: shell, stderr } = spawnSync('/bin/sh', ['-c', stdout], { cwd: elsewhere, env, encoding: 'utf8' })
  const end = JSON.parse(shell || stderr)
  assert.equal(end.words, ["a'b\nc"])
  assert.is(end.dir, 'dry')
})

test('exit code and signal are those of the program', async () => {
  killed({ dir: 'coded' })
  const run = join(folder, 'coded')
  assert.is(node([command, 'resume', run], { more: { EXIT_CODE: '7' } }).status, 7)
  killed({ dir: 'signalled' })
  const again = node([command, 'resume', join(folder, 'signalled')], { more: { KILL_IN: '5' } })
  assert.is(again.signal, 'SIGKILL', again.stderr)
})

test('a signal is passed on: the program writes its checkpoint and both end by it', async () => {
  const options = { dir: 'long', epochs: 1_000_000 }
  killed(options)
  const run = join(folder, 'long')
  const child = spawn(process.execPath, [command, 'resume', run], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text))
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
  try {
    await until(() => lines(run).some(({ type, epoch }) => type === 'epoch' && epoch > 5) || child.exitCode !== null)
    child.kill('SIGTERM')
    assert.equal(await ended, { code: null, signal: 'SIGTERM' }, errors)
    assert.is(lines(run).at(-1).type, 'end')
    assert.is(lines(run).at(-1).stoppedBy, 'SIGTERM')
  } finally {
    child.kill('SIGKILL')
  }
})

test('a program that goes on with another run is told of', () => {
  killed({ dir: 'missed' })
  const run = join(folder, 'missed')
  const { command: known } = infoOf(run)
  change(run, { command: { ...known, arguments: ['{"dir":"another"}'] } })
  const { status, stderr } = gradus('resume', run)
  assert.is(status, 0, stderr)
  assert.match(
    stderr,
    /\ngradus: no fit of the program went on with \S+missed: none has its dir, or its dir and name\n$/,
  )
  const other = gradus('resume', join(folder, 'another'))
  assert.not.match(other.stderr, /no fit/, 'one that went on')
})

test('what cannot go on is told in a sentence', () => {
  killed({ dir: 'refused' })
  const run = join(folder, 'refused')
  const refused = (pattern, name = run) => {
    const { status, stdout, stderr } = gradus('resume', name)
    assert.is(status, 2, stderr)
    assert.match(stderr, pattern)
    assert.is(stdout, '')
    assert.is(stderr.trimEnd().split('\n').length, 1, stderr)
  }
  refused(/nowhere does not exist/, 'nowhere')
  refused(/no run itself; name one of those in it: /, folder)
  refused(/run\.json: no such file: this is no run directory/, elsewhere)
  const { command: known } = infoOf(run)
  change(run, { command: { ...known, script: join(folder, 'gone.js') } })
  refused(/the script \S+gone\.js, which has begun it, is gone/)
  change(run, { command: { ...known, folder: join(folder, 'gone') } })
  refused(/the folder \S+gone, in which it began, is gone/)
  for (const command of [null, undefined]) {
    change(run, { command })
    refused(/no command is recorded.*resume: true/)
  }
  for (const [field, value] of [
    ['script', 'train.js'],
    ['folder', 7],
    ['arguments', 'a'],
    ['arguments', ['a', 1]],
    ['nodeArguments', ['a\0b']],
  ]) {
    change(run, { command: { ...known, [field]: value } })
    refused(new RegExp(`command\\.${field}.*expected`))
  }
  change(run, { command: known })
  for (const mode of [0o664, 0o646]) {
    chmodSync(join(run, 'run.json'), mode)
    refused(/others may write to it, so the command in it is not run/)
  }
  chmodSync(join(run, 'run.json'), 0o644)
  rmSync(join(run, 'checkpoints'), { recursive: true })
  refused(/there is no checkpoint to go on from/)
  rmSync(join(run, 'run.json'))
  symlinkSync(join(folder, 'whole', 'run.json'), join(run, 'run.json'))
  refused(/run\.json/)
})

test('the command of another user is not run', () => {
  if (process.getuid() !== 0) return
  killed({ dir: 'foreign' })
  // Who is root may give it away.
  spawnSync('chown', ['12345', join(folder, 'foreign', 'run.json')])
  const { status, stderr } = gradus('resume', join(folder, 'foreign'))
  assert.is(status, 2)
  assert.match(stderr, /belongs to another user/)
})

test('what has no script records no command', () => {
  const source = readFileSync(program, 'utf8').replace('process.argv.slice(2)', '[\'{"dir":"DIR"}\']')
  const text = (dir) =>
    source
      .replace('DIR', join(folder, dir))
      .replace("'gradus'", JSON.stringify(new URL('../dist/index.js', import.meta.url)))
  const worker = `new (require('node:worker_threads').Worker)(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(text('worker'))})))`
  writeFileSync(join(folder, 'worker.cjs'), worker)
  const calls = [
    ['eval', ['--input-type=module', '-e', text('eval')], ''],
    ['named', ['--input-type=module', '-e', text('named'), program], ''],
    ['piped', ['--input-type=module', '-'], text('piped')],
    ['worker', [join(folder, 'worker.cjs')], ''],
  ]
  for (const [dir, words, input] of calls) {
    const { status, stderr } = spawnSync(process.execPath, words, { env, input, encoding: 'utf8', cwd: folder })
    assert.is(status, 0, stderr)
    assert.is(infoOf(join(folder, dir)).command, null, dir)
    assert.match(gradus('resume', join(folder, dir)).stderr, /no command is recorded/)
  }
})

test('run.json can be written by its user alone, whatever the mask', () => {
  const { status, stderr } = spawnSync(
    '/bin/sh',
    ['-c', `umask 0; exec "$0" "$@"`, process.execPath, program, '{"dir":"open"}'],
    {
      cwd: folder,
      env,
      encoding: 'utf8',
    },
  )
  assert.is(status, 0, stderr)
  assert.is(gradus('resume', join(folder, 'open')).status, 0)
})

test('a run that had ended says so, and trains nothing', () => {
  const again = gradus('resume', join(folder, 'whole'))
  assert.is(said(again).hash, whole.hash)
  const shown = train({ dir: 'whole', resume: true, quiet: false })
  assert.is(said(shown).hash, whole.hash)
  assert.match(shown.stderr, /^the run had ended: by epochs, in epoch 6 of 6 \(whole\/checkpoints\/\S+\)$/m)
})

test('checkpoints are listed, with what is wrong with those that are damaged', async () => {
  const run = join(folder, 'whole')
  const found = await checkpoints(run)
  const listed = gradus('checkpoints', run)
  assert.is(listed.status, 0, listed.stderr)
  const rows = listed.stdout.trimEnd().split('\n')
  assert.match(rows[0], /^file +epoch +step +score +size$/)
  assert.is(rows.length, found.length + 1)
  const best = found.reduce((best, one) => (one.record.valAccuracy > best.record.valAccuracy ? one : best))
  for (const [i, { path, epoch, step, score, column, record }] of found.entries()) {
    assert.is(column, 'valAccuracy')
    assert.is(score, record.valAccuracy)
    assert.is(step, 15 * epoch)
    const state = [
      'sound',
      ...(path === best.path ? ['best'] : []),
      ...(i === found.length - 1 ? ['newest'] : []),
    ].join(', ')
    const row = rows[i + 1]
    assert.ok(row.startsWith(`${basename(path)} `), row)
    assert.match(
      row,
      new RegExp(` ${epoch} +${step} +valAccuracy ${Number(score.toPrecision(5))} +[\\d.]+ KiB +${state}$`),
    )
  }
  assert.equal(JSON.parse(gradus('checkpoints', run, '--json').stdout), found)
})

test('a damaged one is told by its status, and the run goes on from one before it', () => {
  train({ dir: 'damaged' })
  const run = join(folder, 'damaged')
  const names = readdirSync(join(run, 'checkpoints')).sort()
  const newest = join(run, 'checkpoints', names.at(-1))
  const bytes = readFileSync(newest)
  bytes[bytes.length - 10] ^= 1
  writeFileSync(newest, bytes)
  writeFileSync(join(run, 'checkpoints', '\u001b[31m.safetensors'), 'none')
  const { status, stdout } = gradus('checkpoints', run)
  assert.is(status, 1)
  const rows = stdout.trimEnd().split('\n').slice(1)
  assert.is(rows.length, names.length + 1)
  assert.match(rows[names.length - 1], /damaged: .*hash/)
  assert.match(rows[names.length - 2], /sound(, best)?, newest$/)
  assert.match(rows[names.length], /^\\u001b\[31m\.safetensors .*damaged: /)
  const found = JSON.parse(gradus('checkpoints', run, '--json').stdout)
  assert.equal(
    found.map(({ sound }) => sound),
    [...names.slice(1).map(() => true), false, false],
  )
  assert.is(said(gradus('resume', run)).hash, whole.hash)
})

test('a run without checkpoints has none', () => {
  const { status, stdout } = gradus('checkpoints', join(folder, 'runs', 'mnist'), '--json')
  assert.is(status, 0)
  assert.is.not(JSON.parse(stdout).length, 0)
  rmSync(join(folder, 'runs', 'mnist', 'checkpoints'), { recursive: true })
  const none = gradus('checkpoints', join(folder, 'runs', 'mnist'))
  assert.is(none.status, 0)
  assert.match(none.stdout, /^No checkpoints/)
  assert.is(gradus('checkpoints', 'nowhere').status, 2)
  assert.not.ok(existsSync(join(folder, 'runs', 'mnist', 'checkpoints')))
})

test.run()
