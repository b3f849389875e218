// Workers as tasks of Slurm, with commands that only pretend: what is submitted, how ends are told apart, what is cancelled when.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { threadsHere } from '../dist/cli/study-options.js'
import { sbatchArguments } from '../dist/search/executors/slurm/script.js'
import { slurm } from '../dist/search/executors/slurm.js'
import { fakeSlurm } from './support/fake-slurm.js'
import { startCommand, startScript, writeStudy } from './support/search-studies.js'
import { studyPlace } from './support/studies.js'
import { until } from './support/until.js'

const test = suite('slurm')
const place = studyPlace(test, 'slurm')
const { PATH } = process.env
const fakes = []
test.after.each(() => {
  process.env.PATH = PATH
  // Whatever a test has left behind ends.
  for (const fake of fakes.splice(0)) fake.answer({ tasks: [], squeue: null })
})

/** An executor of a study in a folder of its own, whose commands pretend. */
function pretended(options = {}) {
  const folder = place.next()
  const dir = join(folder, "it's a study")
  mkdirSync(dir, { recursive: true })
  const fake = fakeSlurm(join(folder, 'bin'))
  fakes.push(fake)
  process.env.PATH = fake.path
  const lines = []
  const executor = slurm({
    ...{ file: join(folder, 'study.mjs'), dir, allowChanged: false, arguments: [], isDone: async () => false },
    ...{ pollEvery: 10, onLine: (text) => lines.push(text) },
    ...options,
  })
  const write = (task, text) => writeFileSync(join(dir, 'slurm', `${task}.out`), text)
  return { ...fake, folder, dir, executor, lines, write }
}
const submitted = ({ calls }, times = 1) => until(() => calls('sbatch').length === times)
/** Until squeue has been asked once more, and what it told has been seen. */
async function looked({ calls }) {
  const before = calls('squeue').length
  await until(() => calls('squeue').length > before + 1)
}
const exited = (code) => 256 * code

test('workers that are started at once are one array of as many tasks', async () => {
  const one = pretended({ arguments: ['--partition=long', '--signal=B:TERM@30'], allowChanged: true })
  one.answer({ tasks: ['1', '2', '3'].map((task) => [`7_${task}`, 'COMPLETED']) })
  process.env.SLURM_JOB_ID = '99'
  process.env.SLURM_CONF = '/etc/elsewhere.conf'
  const handles = ['here.1', 'here.2', 'here.3'].map((name) => one.executor.start(name, 2))
  const ends = await Promise.all(handles.map(({ ended }) => ended))
  delete process.env.SLURM_JOB_ID
  delete process.env.SLURM_CONF
  assert.equal(ends, ['done', 'done', 'done'])
  assert.equal(
    handles.map(({ name, process }) => [name, process]),
    ['7_1', '7_2', '7_3'].map((task) => [task, null]),
  )
  const [{ words, job, conf }, ...others] = one.calls('sbatch')
  assert.equal(others, [])
  assert.equal([job, conf], ['job=', 'conf=/etc/elsewhere.conf'], 'a job of its own')
  assert.match(words[2], /^--job-name=gradus\.it_s_a_study\.[0-9a-f]{8}$/)
  assert.equal(
    words.filter((_, i) => i !== 2),
    [
      ...['--parsable', '--array=1-3', '--requeue', '--open-mode=append', '--signal=B:TERM@120'],
      `--output=${join(one.dir, 'slurm', '%A_%a.out')}`,
      ...['--partition=long', '--signal=B:TERM@30'],
      join(one.dir, 'slurm', 'worker.sh'),
    ],
  )
  assert.ok(one.calls('squeue').every((call) => call.words.includes(one.format)))
  assert.equal(one.calls('squeue').at(-1).words.slice(0, -1), ['--noheader', '--array', '--states=all', '--jobs=7'])
  assert.equal(one.lines, ['slurm: submitted job 7, 3 tasks'])
  assert.match(
    readFileSync(join(one.dir, 'slurm', 'worker.sh'), 'utf8'),
    /--allow-changed --name|'--allow-changed' --name/,
  )
})

test('the script is the worker, whatever is in the names of folders; without the folder it ends with 2', async () => {
  const outer = place.next()
  const folder = join(outer, `odd 'one' "$HOME" %A`)
  const dir = join(folder, 'a study')
  mkdirSync(dir, { recursive: true })
  const fake = fakeSlurm(join(outer, 'bin'))
  process.env.PATH = fake.path
  fake.answer({ tasks: [['7_1', 'COMPLETED']] })
  const file = writeStudy(folder, { trials: 2 })
  const first = await startCommand('worker', file, '--dir', dir, '--trials', '1').ended
  assert.is(first.code, 0, first.err)
  const options = {
    file,
    dir,
    allowChanged: false,
    arguments: [],
    isDone: async () => false,
    onLine() {},
    pollEvery: 10,
  }
  await slurm(options).start('here.1', 1).ended
  const [{ words }] = fake.calls('sbatch')
  assert.ok(words.includes(`--output=${join(dir.replaceAll('%', '%%'), 'slurm', '%A_%a.out')}`))
  const env = { SLURM_ARRAY_JOB_ID: '7', SLURM_ARRAY_TASK_ID: '1', SLURM_RESTART_COUNT: '2' }
  const run = () => startScript(join(dir, 'slurm', 'worker.sh'), [], { env, program: 'sh' }).ended
  const seen = await run()
  assert.equal([seen.code, seen.out], [0, 'worker 7_1.2: done\n'], seen.err)
  assert.match(seen.err, 'trial 1 complete')
  rmSync(join(dir, 'study.json'))
  const unseen = await run()
  assert.is(unseen.code, 2)
  assert.match(unseen.err, /^gradus: .* does not see .*a study\/study\.json: expected a folder that all nodes share\n$/)
})

test('how a task has ended says what becomes of its worker', async () => {
  const cases = [
    [['7_1', 'COMPLETED'], 'worker 7_1: done\n', 'done'],
    [['7_1', 'COMPLETED'], 'worker 7_1: exhausted\n', 'exhausted'],
    [['7_1', 'CANCELLED', exited(130)], '', 'paused'],
    [['7_1', 'FAILED', exited(130)], '', { crashed: 'it was told to pause, as by its time limit' }],
    [['7_1', 'TIMEOUT', 15], '', { crashed: 'TIMEOUT' }],
    [['7_1', 'OUT_OF_MEMORY', 9], '', { crashed: 'OUT_OF_MEMORY' }],
    [['7_1', 'FAILED', 9, 'n4'], 'a\nb\n', { crashed: 'signal 9 on n4: b' }],
    [['7_1', 'FAILED', exited(127), 'n4'], 'node: not found', { crashed: 'exit code 127 on n4: node: not found' }],
    [null, '', { crashed: 'Slurm does not know it any more' }],
  ]
  for (const [task, output, expected] of cases) {
    const one = pretended()
    one.answer({ tasks: [['7_1', 'RUNNING']] })
    const { ended } = one.executor.start('here.1', 1)
    await submitted(one)
    one.write('7_1', output)
    await looked(one)
    one.answer(task ? { tasks: [task] } : { squeue: 'slurm_load_jobs error: Invalid job id specified' })
    assert.equal(await ended, expected, JSON.stringify(task))
  }
  for (const [output, pattern, status = exited(2)] of [
    ['gradus: study: it cannot be loaded\n', /^task 7_1 on n4: study: it cannot be loaded$/],
    [null, /^task 7_1 on n4: it has written nothing to .*7_1\.out: expected a folder that all nodes share$/, 53],
  ]) {
    const one = pretended()
    one.answer({ tasks: [['7_1', 'RUNNING']] })
    const { ended } = one.executor.start('here.1', 1)
    await submitted(one)
    if (output) one.write('7_1', output)
    one.answer({ tasks: [['7_1', 'FAILED', status, 'n4']] })
    const { failed } = await ended
    assert.is(failed.code, 'GRADUS_SEARCH_FAILED')
    assert.match(failed.message, pattern)
  }
})

test('a worker that is started again is an array of its own, and waits for nothing that another has done', async () => {
  const one = pretended()
  one.answer({
    tasks: [
      ['7_1', 'RUNNING'],
      ['7_2', 'RUNNING'],
    ],
  })
  const [first, second] = ['here.1', 'here.2'].map((name) => one.executor.start(name, 1))
  await submitted(one)
  one.answer({
    job: 8,
    tasks: [
      ['7_1', 'NODE_FAIL'],
      ['7_2', 'RUNNING'],
      ['8_1', 'PENDING', 0, '', 'Priority'],
    ],
  })
  assert.equal(await first.ended, { crashed: 'NODE_FAIL' })
  const again = one.executor.start('here.1', 1)
  await submitted(one, 2)
  await until(() => one.lines.includes('slurm: tasks wait: Priority'))
  assert.ok(one.calls('sbatch')[1].words.includes('--array=1-1'))
  // The search is over: what still waits never begins.
  one.answer({
    tasks: [
      ['7_2', 'COMPLETED'],
      ['8_1', 'PENDING', 0, '', 'Priority'],
    ],
  })
  assert.is(await second.ended, 'done')
  await until(() => one.calls('scancel').length > 0)
  assert.equal(one.calls('scancel')[0].words, ['--state=PENDING', '8_1'])
  one.answer({
    tasks: [
      ['7_2', 'COMPLETED'],
      ['8_1', 'CANCELLED'],
    ],
  })
  assert.is(await again.ended, 'done')
  assert.is(await one.executor.start('here.3', 1).ended, 'done', 'nothing more is submitted')
  assert.is(one.calls('sbatch').length, 2)
})

test('a pause signals each worker once and takes back what waits; a second call ends all', async () => {
  const one = pretended()
  one.answer({
    tasks: [
      ['7_1', 'RUNNING'],
      ['7_2', 'PENDING'],
      ['7_3', 'COMPLETING'],
    ],
  })
  const handles = ['here.1', 'here.2', 'here.3'].map((name) => one.executor.start(name, 1))
  await submitted(one)
  await looked(one)
  for (const handle of handles) handle.pause()
  await until(() => one.calls('scancel').length >= 2)
  // It has begun before it could be taken back.
  one.answer({
    tasks: [
      ['7_1', 'RUNNING'],
      ['7_2', 'RUNNING'],
      ['7_3', 'CANCELLED'],
    ],
  })
  await until(() => one.calls('scancel').some(({ words }) => words.includes('--batch') && words.includes('7_2')))
  await looked(one)
  const words = one.calls('scancel').map((call) => call.words)
  assert.equal(
    words.filter(([first]) => first === '--signal=TERM'),
    [
      ['--signal=TERM', '--batch', '7_1'],
      ['--signal=TERM', '--batch', '7_2'],
    ],
    'a second signal would end a worker at once',
  )
  assert.ok(words.some((line) => line.join(' ') === '--state=PENDING 7_2'))
  assert.is(await handles[2].ended, 'paused')
  for (const handle of handles.slice(0, 2)) handle.kill()
  assert.equal(await Promise.all(handles.map(({ ended }) => ended)), ['paused', 'paused', 'paused'])
  assert.equal(one.calls('scancel').at(-1).words, ['7_1', '7_2'])
})

test('what an earlier master has left is taken over, and what is beyond it pauses', async () => {
  const one = pretended()
  const left = [
    ['5_1', 'RUNNING'],
    ['5_2', 'PENDING'],
    ['5_3', 'RUNNING'],
  ]
  one.answer({ left, tasks: left })
  const handles = ['here.1', 'here.2'].map((name) => one.executor.start(name, 1))
  await until(() => one.calls('scancel').length === 2)
  assert.equal(one.lines, ['slurm: there are workers already: 5_1, 5_2, 5_3'])
  assert.ok(one.calls('scancel').every(({ words }) => words.at(-1) === '5_3'))
  assert.equal(one.calls('sbatch'), [])
  one.answer({ tasks: left.map(([task]) => [task, 'COMPLETED']) })
  assert.equal(await Promise.all(handles.map(({ ended }) => ended)), ['done', 'done'])
})

test('where Slurm does not answer for a while the workers go on; a study that is done submits nothing', async () => {
  const one = pretended()
  one.answer({ tasks: [['7_1', 'RUNNING']] })
  const { ended } = one.executor.start('here.1', 1)
  await submitted(one)
  const away = 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)'
  one.answer({ squeue: away })
  await looked(one)
  await looked(one)
  assert.equal(one.lines.slice(1), [`slurm: squeue: ${away}; it is asked again`], 'told once')
  one.answer({ squeue: null, tasks: [['7_1', 'COMPLETED']] })
  assert.is(await ended, 'done')
  const done = pretended({ isDone: async () => true })
  assert.is(await done.executor.start('here.1', 1).ended, 'done')
  assert.equal(done.calls('sbatch'), [])
})

test('sbatch that refuses, or is not there, ends the command with one sentence', async () => {
  const one = pretended()
  one.answer({
    sbatch:
      'sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified',
  })
  const file = writeStudy(one.folder)
  const search = (...more) =>
    startCommand('search', file, '--dir', join(one.folder, 'study'), '--no-page', ...more).ended
  const refused = await search('--slurm', '--slurm-arguments', '--partition=nope')
  assert.is(refused.code, 1)
  assert.match(
    refused.err,
    'gradus: sbatch: invalid partition specified: nope; Batch job submission failed: Invalid partition',
  )
  process.env.PATH = join(one.folder, 'nothing')
  const missing = await search('--slurm')
  assert.is(missing.code, 2, missing.err)
  assert.match(missing.err, /gradus: --slurm: there is no squeue here: .*apt-get install slurm-client/)
  for (const [pattern, ...more] of [
    [/--slurm-arguments: expected --slurm beside it, received "--time=60"/, '--slurm-arguments', '--time=60'],
    [/--slurm-arguments: expected nothing that Gradus tells/, '--slurm', '--slurm-arguments', '--time=60 --array=1-9'],
    [/--slurm-arguments: expected each quote closed/, '--slurm', '--slurm-arguments', `--comment="a`],
  ]) {
    const { code, err } = await search(...more)
    assert.is(code, 2)
    assert.match(err, pattern)
  }
})

test('arguments are split as a shell does', () => {
  assert.equal(sbatchArguments(''), [])
  assert.equal(sbatchArguments(` --time=60  -p long\t--comment='it is' --qos="a \\"b\\" \\c" d\\ e'f'"g" `), [
    ...['--time=60', '-p', 'long', '--comment=it is', '--qos=a "b" \\c', 'd efg'],
  ])
  for (const own of [
    '--array=1-3',
    '-a 1',
    '--job-name x',
    '-Jx',
    '--wrap=ls',
    '-W',
    '-o x',
    '--error=x',
    '--parsable',
  ])
    assert.throws(() => sbatchArguments(own), /nothing that Gradus tells sbatch itself/, own)
  assert.equal(sbatchArguments('--export=ALL --account=a'), ['--export=ALL', '--account=a'])
})

test('a worker takes no more threads than Slurm has given its job', () => {
  const all = threadsHere({})
  assert.is(threadsHere({ SLURM_CPUS_PER_TASK: '1', SLURM_CPUS_ON_NODE: '64' }), 1)
  assert.is(threadsHere({ SLURM_CPUS_ON_NODE: '1' }), 1)
  assert.is(threadsHere({ SLURM_CPUS_PER_TASK: '100000' }), all)
  assert.is(threadsHere({ SLURM_CPUS_PER_TASK: 'many' }), all)
})

test.run()
