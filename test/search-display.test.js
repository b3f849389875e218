// What a person sees of a study: pure functions of its files.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { trialLine } from '../dist/search/display/lines.js'
import { liveLines } from '../dist/search/display/live-table.js'
import { durationText, roughly } from '../dist/search/display/numbers.js'
import { viewOf } from '../dist/search/display/view.js'
import { createTrial, makeStudy, readStudy, StudyReader, takeTrial } from '../dist/study/index.js'
import { description, draft, ending, studyPlace, suggestion } from './support/studies.js'

const { next } = studyPlace(test, 'search-display')
const at = (seconds) => new Date(1e12 + 1000 * seconds).toISOString()

/** A trial as a folder would tell of it: claims and what ended them, each with its second. */
function trial(number, params, records, { values = [], stage = 1, worker = 'here.1' } = {}) {
  const changes = new Map(
    records.map(([state, second, value = null, reason = null], i) => {
      const common = { time: at(second), details: null }
      if (state === 'claim') return [i + 1, { type: 'claim', worker, ...common }]
      const type = state === 'paused' ? 'paused' : 'result'
      return [
        i + 1,
        { type, of: i, epoch: values.length, value, reason, ...(type === 'result' && { state }), ...common },
      ]
    }),
  )
  const [last] = [...changes].reverse()
  const state = records.at(-1)[0] === 'claim' ? 'running' : records.at(-1)[0]
  return {
    ...{ number, state, changes, values, epochs: values.map((_, i) => i + 1), takeovers: 0, problem: null },
    ...{
      suggestion: { params, stage },
      last: { number: last[0], record: last[1] },
      claim: { number: 1, record: changes.get(1) },
    },
  }
}

const params = (learningRate, l2, hidden, dropout, optimizer) => ({ learningRate, l2, hidden, dropout, optimizer })
const plain = params(0.01, 0.01, 64, 0.5, { name: 'adam', beta1: 0.9 })

function manyTrials() {
  const ended = (count, state) => Array.from({ length: count }, () => ['claim', state])
  const states = [
    ...ended(41, 'complete'),
    ...ended(17, 'paused'),
    ...ended(6, 'pruned'),
    ...ended(5, 'exploded'),
    ...ended(1, 'lost'),
  ]
  const trials = states.map(([, state], number) =>
    trial(
      number,
      plain,
      [
        ['claim', 0],
        [state, 10, state === 'exploded' ? Number.NaN : 0.5],
      ],
      { stage: 2 },
    ),
  )
  const adam = { name: 'adam', beta1: 0.9123 }
  trials[35] = trial(
    35,
    params(0.00211111, 0.0000314444, 412, 0.314444, { ...adam, beta1: 0.91234 }),
    [
      ['claim', 0],
      ['complete', 10, 0.98314],
    ],
    { stage: 2 },
  )
  const running = [
    trial(70, params(0.00083111, 0.000012111, 288, 0.22123, adam), [['claim', 0]], {
      values: [0.1, 0.2, 0.97123],
      stage: 2,
    }),
    trial(71, params(0.0311111, 0.0040111, 1024, 0.551111, { name: 'nesterov', momentum: 0.9 }), [['claim', 0]], {
      values: [0.92333],
      stage: 2,
      worker: 'here.2',
    }),
  ]
  return [...trials, ...running]
}

const stages = [
  { trials: 60, epochs: 1 },
  { trials: 90, epochs: 5 },
  { trials: 10, epochs: 50 },
]
const options = (change = {}) => ({
  name: 'studies/mnist',
  study: description({ stages }),
  trials: manyTrials(),
  planned: 100,
  stage: 2,
  workers: 2,
  seconds: 252,
  isStuck: () => false,
  ...change,
})

test('a study that runs is drawn as a header, the best, a bar with states, and what runs', () => {
  const lines = liveLines(viewOf(options()), { columns: 100, rows: 40 })
  assert.equal(lines, [
    // Two workers, ten seconds a trial: 18 more and half of two that run, then ten of ten times the epochs.
    'studies/mnist · stage 2 of 3, 5 epochs · 70 of 100 trials · 2 workers · 4 min 12 s · about 10 min left',
    'best valAccuracy 0.9831 (trial 35): learningRate 0.0021, l2 3.1e-5, hidden 412, dropout 0.31, adam beta1 0.91',
    `${'█'.repeat(20)}${'░'.repeat(8)} 70 %   complete 41 · paused 17 · pruned 6 · exploded 5 · lost 1`,
    'trial  worker  epoch  valAccuracy  learningRate      l2  hidden  dropout  optimizer',
    '   70  here.1    3/5       0.9712        8.3e-4  1.2e-5     288     0.22  adam',
    '   71  here.2    1/5       0.9233         0.031  0.0040   1,024     0.55  nesterov',
  ])
})

test('the table is no wider and no higher than the terminal, and says what is stuck', () => {
  const view = viewOf(options({ isStuck: ({ number }) => number === 71 }))
  const narrow = liveLines(view, { columns: 60, rows: 40 }).slice(3)
  assert.is(narrow[0], 'trial  worker        epoch  valAccuracy  learningRate')
  assert.match(narrow[2], /here\.2 stuck {4}1\/5/)
  const low = liveLines(view, { columns: 100, rows: 7 })
  assert.equal([low.length, low.at(-1)], [6, 'and 1 more'])
  assert.is(liveLines(view, { columns: 100, rows: 5 }).length, 3, 'no room for a table')
})

test('without stages and results the header says what is known', () => {
  const view = viewOf(options({ study: description({ epochs: null }), trials: [], planned: 8, workers: 1, seconds: 3 }))
  assert.equal(liveLines(view), ['studies/mnist · 0 of 8 trials · 1 worker · 3 s', `${'░'.repeat(28)} 0 %`])
  const one = trial(0, plain, [['claim', 0]], { values: [0.5] })
  const begun = viewOf(options({ study: description({ epochs: null }), trials: [one], planned: 8 }))
  assert.match(liveLines(begun).at(-1), /^ {4}0 {2}here\.1 {6}1 {7}0\.5000 /)
})

test('the time of trials that paused counts the time in which they ran; the median leads to what is left', () => {
  const twice = (number) =>
    trial(number, plain, [
      ['claim', 0],
      ['paused', 4, 0.1],
      ['claim', 1000],
      ['complete', 1006, 0.5],
    ])
  const quick = [0, 1].map((number) =>
    trial(number, plain, [
      ['claim', 0],
      ['complete', 10, 0.5],
    ]),
  )
  const slow = trial(2, plain, [
    ['claim', 0],
    ['complete', 3600, 0.5],
  ])
  const trials = [...quick, slow, twice(3), trial(4, plain, [['claim', 0]])]
  const view = (change) => viewOf(options({ study: description(), trials, planned: 20, ...change }))
  // 15 to begin, half of one that runs, ten seconds each, on two workers.
  assert.is(view({}).secondsLeft, 77.5)
  assert.is(view({ planned: 5 }).secondsLeft, 2.5)
  assert.is(view({ trials: [trial(0, plain, [['claim', 0]])] }).secondsLeft, null)
  const backwards = trial(0, plain, [
    ['claim', 50],
    ['complete', 0, 0.5],
  ])
  assert.is(view({ trials: [backwards] }).secondsLeft, null, 'a clock that was set back')
})

test('the best is the first of equals, by direction, among complete ones', () => {
  const values = [0.5, 0.75, 0.25, 0.75]
  const trials = values.map((value, number) =>
    trial(number, plain, [
      ['claim', 0],
      ['complete', 1, value],
    ]),
  )
  trials.push(
    trial(4, plain, [
      ['claim', 0],
      ['pruned', 1, 0.9],
    ]),
    trial(5, plain, [
      ['claim', 0],
      ['pruned', 1, 0.1],
    ]),
  )
  assert.is(viewOf(options({ trials })).best.number, 1)
  assert.is(viewOf(options({ trials, study: description({ direction: 'minimize' }) })).best.number, 2)
})

test('without a terminal a finished trial is a line', () => {
  const done = trial(
    64,
    params(0.00211111, 3.14159e-5, 412, 0.31, { name: 'adam', beta1: 0.91 }),
    [
      ['claim', 0],
      ['complete', 12, 0.98311],
    ],
    {
      values: [0.9, 0.98311],
    },
  )
  assert.is(
    trialLine(done, 'valAccuracy'),
    'trial 64 complete · valAccuracy 0.9831 · 2 epochs · 12 s · here.1 · learningRate 0.0021, l2 3.1e-5, hidden 412, dropout 0.31, adam beta1 0.91',
  )
  const failed = trial(3, { x: 1 }, [
    ['claim', 0],
    ['failed', 0, null, 'Error: no\n  at there'],
  ])
  assert.is(trialLine(failed, 'loss'), 'trial 3 failed · 0 s · here.1 · x 1 · Error: no')
})

test('times stand as people say them', () => {
  assert.equal([0, 42, 60, 252, 3600, 11_100, 187_200].map(durationText), [
    '0 s',
    '42 s',
    '1 min',
    '4 min 12 s',
    '1 h',
    '3 h 5 min',
    '2 d 4 h',
  ])
  assert.equal([4, 42, 130, 4000, 187_000].map(roughly), ['some seconds', '40 s', '2 min', '1 h 10 min', '2 d 4 h'])
})

test('a view of a real folder agrees with what was written', async () => {
  const { path } = await makeStudy(next(), description())
  const first = await createTrial(path, 0, suggestion(), draft)
  await first.report(1, 0.5)
  await first.pause({ epoch: 1, value: 0.5, details: null })
  const second = await createTrial(path, 1, suggestion({ params: { learningRate: 0.5 } }), draft)
  await second.finish(ending({ value: 0.75 }))
  const reader = await StudyReader.open(path)
  const view = () => viewOf(options({ study: reader.study, trials: reader.trials, planned: 3, stage: 1 }))
  assert.equal(view().counts, [
    ['complete', 1],
    ['paused', 1],
  ])
  assert.equal([view().done, view().best.params, view().running], [2, { learningRate: 0.5 }, []])
  await takeTrial(reader.trial(0), { ...draft, worker: 'far.7' })
  await reader.refresh()
  const [{ worker, epoch, value }] = view().running
  assert.equal([worker, epoch, value, view().workers], ['far.7', 1, 0.5, 2])
  assert.is((await readStudy(path)).metric, 'valAccuracy')
})

test.run()
