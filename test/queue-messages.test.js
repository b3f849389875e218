// What comes over a queue: whole, it is what was sent; of anybody else, it is refused with one coded error.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as messages from '../dist/search/queue/messages.js'

const tests = suite('queue messages')
const sha256 = 'ab'.repeat(32)
const file = { path: 'checkpoints/epoch=001.safetensors', bytes: 12, sha256 }
const job = {
  ...{ trial: 3, claim: 2, params: { a: 1, b: { name: 'adam' } }, seed: 5, epochs: null, resume: true },
  ...{
    epoch: 2,
    value: Number.NaN,
    files: [file],
    initial: file,
    isHeir: true,
    ending: { how: 'pause', reason: 'pruner' },
  },
}
const progress = {
  ...{ execution: 'x', attempt: 2, node: 'n', files: [file], sendings: 3 },
  reports: [{ epoch: 1, value: -Infinity, record: { loss: 0.5 } }],
}
/** Through JSON, as the queue keeps it. */
const sent = (data) => JSON.parse(JSON.stringify(data))

tests('jobs, progress and results arrive as they were sent, with numbers that JSON does not know', () => {
  assert.equal(messages.read('job', sent(messages.jobData(job)), messages.jobOf), job)
  assert.equal(messages.read('it', sent(messages.progressData(progress)), messages.progressOf), progress)
  const outcomes = [
    { type: 'value', value: { value: Infinity, epoch: 3, details: { bestEpoch: 2 } } },
    { type: 'ending', ending: { how: 'stop', state: 'exploded', reason: 'it is NaN' } },
    { type: 'error', code: 'GRADUS_NON_FINITE', text: 'GradusError: so' },
  ]
  for (const outcome of outcomes) {
    const data = sent(messages.returnData({ ...progress, outcome }))
    assert.equal(messages.read('it', data, messages.returnOf), { ...progress, outcome })
  }
  const toMaster = [
    { type: 'progress', job: 'a.1.1', progress },
    { type: 'done', job: 'a.1.1', returned: { ...progress, outcome: outcomes[0] } },
    { type: 'done', job: 'a.1.1', returned: null },
  ]
  for (const told of toMaster)
    assert.equal(messages.read('it', sent(messages.toMasterData(told)), messages.toMasterOf), told)
})

const paths = [
  '',
  '/etc/passwd',
  '../x',
  'a/../../x',
  'a//b',
  'a/./b',
  'C:\\x',
  'a\0b',
  '.',
  'x/'.repeat(20),
  '.gradus-x.tmp',
]
const hostile = {
  'no object': 7,
  'a list': [],
  'no format': { trial: 1 },
  'a newer format': { ...messages.jobData(job), format: 2 },
  'a trial below zero': messages.jobData({ ...job, trial: -1 }),
  'a claim of text': messages.jobData({ ...job, claim: 'x' }),
  'parameters that are none': messages.jobData({ ...job, params: 'x' }),
  'a file without its SHA-256': messages.jobData({ ...job, files: [{ path: 'a', bytes: 1 }] }),
  'a file of less than nothing': messages.jobData({ ...job, files: [{ ...file, bytes: -1 }] }),
  'an ending that is none': messages.jobData({ ...job, ending: { how: 'explode', reason: '' } }),
  'a way to complete early': messages.jobData({ ...job, ending: { how: 'stop', state: 'complete', reason: '' } }),
  'too many files': messages.jobData({ ...job, files: Array(20_000).fill(file) }),
  'what lies too deep': messages.jobData({ ...job, params: JSON.parse(`${'{"a":'.repeat(99)}1${'}'.repeat(99)}`) }),
  ...Object.fromEntries(
    paths.map((path) => [`the path ${path}`, messages.jobData({ ...job, files: [{ ...file, path }] })]),
  ),
}

for (const [name, data] of Object.entries(hostile)) {
  tests(`refused: ${name}`, () => {
    for (const given of [data, JSON.stringify(data)]) {
      try {
        messages.read('job 7', given, messages.jobOf)
        assert.unreachable('it was taken')
      } catch (error) {
        assert.is(error.code, 'GRADUS_REFUSED', error.stack)
        assert.match(error.message, 'queue: job 7')
      }
    }
  })
}

tests('refused: JSON that is cut short, and anything with a field of another type', () => {
  const text = JSON.stringify(messages.returnData({ ...progress, outcome: { type: 'error', code: null, text: 'x' } }))
  for (let end = 0; end < text.length; end++) {
    assert.throws(
      () => messages.read('it', text.slice(0, end), messages.returnOf),
      ({ code }) => code === 'GRADUS_REFUSED',
    )
  }
  const whole = JSON.parse(text)
  for (const field of Object.keys(whole).filter((field) => field !== 'files')) {
    for (const value of [true, { a: 1 }, -3.5]) {
      const data = { ...whole, [field]: value }
      assert.throws(
        () => messages.read('it', data, messages.returnOf),
        ({ code }) => code === 'GRADUS_REFUSED',
        field,
      )
    }
  }
})

tests.run()
