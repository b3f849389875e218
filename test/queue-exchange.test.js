// A trial's job at its master: who has it, what is heard once, how it ends. And which workers are taken in.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Exchange } from '../dist/search/queue/exchange.js'
import { Fleet, proofOf } from '../dist/search/queue/fleet.js'
import { TrialControl } from '../dist/search/worker/trial-control.js'

const tests = suite('queue exchange')

// What waits for a worker keeps no process alive by itself.
let alive
tests.before(() => {
  alive = setInterval(() => undefined, 1000)
})
tests.after(() => clearInterval(alive))

/** A trial that keeps what is reported in a list. */
function trial({
  decide = async () => 'continue',
  attempts = 4,
  patience = 10_000,
  place = async () => undefined,
  isWaiting = false,
  placed = null,
} = {}) {
  const [reported, answers, endings] = [[], [], []]
  const holder = {
    report: async (epoch, value) => void reported.push([epoch, value]),
    ending: async () => null,
    watch: () => () => undefined,
  }
  const control = new TrialControl(holder, { epoch: 0, value: null }, { epochs: 100, decide })
  const exchange = new Exchange({
    ...{ control, attempts, patience, place, placed },
    answer: (...answer) => answers.push(answer),
    end: async (ending) => endings.push(ending) > 0 && isWaiting,
  })
  const outcome = exchange.outcome().then(
    (value) => ({ value }),
    (error) => ({ error }),
  )
  void outcome.then(() => control.close())
  return { control, exchange, outcome, reported, answers, endings }
}

const by = (execution, attempt, epochs = [], files = null, sendings = 1) => ({
  ...{ execution, attempt, node: `node of ${execution}`, files, sendings },
  reports: epochs.map((epoch) => ({ epoch, value: epoch / 10, record: {} })),
})
const value = { value: 7, epoch: 3, details: {} }
const turn = () => new Promise((resolve) => setImmediate(resolve))

tests('reports that are told again are recorded once, and answered each time', async () => {
  const { exchange, outcome, reported, answers } = trial()
  exchange.progress(by('a', 1, [1]))
  exchange.progress(by('a', 1, [1, 2]))
  exchange.progress(by('a', 1, [1, 2, 3]))
  exchange.done({ ...by('a', 1, [2, 3, 4]), outcome: { type: 'value', value } })
  assert.equal(await outcome, { value })
  assert.equal(
    reported,
    [1, 2, 3, 4].map((epoch) => [epoch, epoch / 10]),
  )
  assert.equal(
    answers.map(([node, epoch]) => [node, epoch]),
    [1, 2, 3, 4].map((epoch) => ['node of a', epoch]),
  )
})

tests('whoever began last has the trial: what those before it still say is refused', async () => {
  const { exchange, outcome, reported, answers } = trial()
  exchange.progress(by('a', 1, [1]))
  exchange.progress(by('b', 2))
  exchange.progress(by('a', 1, [2]))
  exchange.done({ ...by('a', 1, [9]), outcome: { type: 'value', value: { ...value, value: 666 } } })
  exchange.done({ ...by('b', 2, [2]), outcome: { type: 'value', value } })
  assert.equal(await outcome, { value })
  assert.equal(reported, [
    [1, 0.1],
    [2, 0.2],
  ])
  const lost = answers.filter(([, , ending]) => ending?.how === 'lost')
  assert.equal(
    lost.map(([node]) => node),
    ['node of a', 'node of a'],
  )
})

tests(
  'a trial that is to end: its worker hears it, the job says it, and one that is gone is not waited for',
  async () => {
    const { control, exchange, outcome, answers, endings } = trial({ patience: 30 })
    exchange.progress(by('a', 1, [1]))
    await turn()
    control.end({ how: 'stop', state: 'stopped', reason: 'a person' })
    assert.is(endings.length, 1)
    assert.equal(answers.at(-1), ['node of a', 1, control.ending])
    assert.is((await outcome).error.how, 'stop')
  },
)

tests('a trial that nobody is at yet ends at once', async () => {
  const { control, outcome, answers } = trial({ patience: 1e6, isWaiting: true })
  control.end({ how: 'pause', reason: 'interrupted' })
  assert.is((await outcome).error.how, 'pause')
  assert.equal(answers, [])
})

tests('a pruner that pauses it: the answer to the report says so', async () => {
  const { exchange, outcome, answers } = trial({ decide: async (epoch) => (epoch === 2 ? 'pause' : 'continue') })
  exchange.progress(by('a', 1, [1]))
  exchange.progress(by('a', 1, [2]))
  exchange.done({ ...by('a', 1), outcome: { type: 'ending', ending: { how: 'pause', reason: 'pruner' } } })
  assert.is((await outcome).error.how, 'pause')
  assert.equal(answers.find(([, epoch]) => epoch === 2)[2], { how: 'pause', reason: 'pruner' })
})

tests('files come before what is reported of them; what cannot be placed ends it', async () => {
  const order = []
  const first = trial({ place: async () => void order.push('placed') })
  first.exchange.progress(by('a', 1, [1], []))
  first.exchange.done({ ...by('a', 1, [2], []), outcome: { type: 'value', value } })
  await first.outcome
  assert.equal(order, ['placed', 'placed'])
  const second = trial({ place: () => Promise.reject(new Error('no room')) })
  second.exchange.progress(by('a', 1, [1], []))
  assert.is((await second.outcome).error.message, 'no room')
  assert.equal(second.reported, [])
})

tests('what is told late of a run’s files has no place any more, and what is told again has', async () => {
  const order = []
  const place = async (_, { execution, sendings }) => void order.push(`${execution} ${sendings}`)
  // By a master before this one.
  const { exchange, outcome } = trial({ place, placed: { execution: 'a', sendings: 2 } })
  for (const sendings of [1, 2, 4, 3, 4]) exchange.progress(by('a', 1, [], [], sendings))
  exchange.progress(by('b', 2, [], [], 1))
  exchange.done({ ...by('b', 2, [], [], 2), outcome: { type: 'value', value } })
  assert.equal(await outcome, { value })
  assert.equal(order, ['a 2', 'a 4', 'a 4', 'b 1', 'b 2'])
})

tests('a trial that has lost its worker too often is lost; an error of its function is that error', async () => {
  const { control, exchange, outcome } = trial({ attempts: 2, patience: 0 })
  exchange.progress(by('a', 1))
  exchange.progress(by('b', 2))
  await turn()
  assert.is(control.ending, null)
  exchange.progress(by('c', 3))
  await outcome
  assert.is(control.ending.state, 'lost')
  for (const [code, text] of [
    ['GRADUS_NON_FINITE', 'GradusError: so'],
    [null, 'TypeError: x\n    at y'],
  ]) {
    const other = trial()
    other.exchange.done({ ...by('a', 1), outcome: { type: 'error', code, text } })
    const { error } = await other.outcome
    assert.equal([error.code ?? null, code ? `GradusError: ${error.message}` : error.stack], [code, text])
  }
})

function fleetOf(options = {}) {
  const [sent, lines] = [[], []]
  const fleet = new Fleet({
    ...{ version: '1', module: 'abc', token: null, lease: 50, welcome: () => ({ type: 'welcome' }), ...options },
    send: (node, message) => sent.push([node, message.type, message.reason]),
    onLine: (line) => lines.push(line),
    onChange: () => undefined,
  })
  return { fleet, sent, lines }
}
const hello = { type: 'hello', worker: 'w', node: 'n', version: '1', module: 'abc', proof: '' }

tests('workers: taken in, or refused by name for another version, another study file, a wrong token', async () => {
  const { fleet, sent, lines } = fleetOf()
  fleet.hear(hello)
  fleet.hear(hello)
  assert.is(fleet.count, 1)
  fleet.hear({ type: 'bye', worker: 'w', node: 'n' })
  assert.equal([fleet.count, lines], [0, ['worker w has come', 'worker w has ended']])
  fleet.hear({ ...hello, version: '2' })
  fleet.hear({ ...hello, module: 'def' })
  assert.is(fleet.count, 0)
  assert.match(sent[2][2], 'it is Gradus 2, and the master is 1')
  assert.match(sent[3][2], 'another one: SHA-256 def…')
  const guarded = fleetOf({ token: 'right', module: null })
  guarded.fleet.hear({ ...hello, module: 'any', proof: proofOf('wrong', 'n') })
  // Another worker's proof.
  guarded.fleet.hear({ ...hello, proof: proofOf('right', 'm') })
  assert.is(guarded.fleet.count, 0)
  assert.match(guarded.lines[0], 'worker w is refused: its token')
  guarded.fleet.hear({ ...hello, module: 'any', proof: proofOf('right', 'n') })
  assert.is(guarded.fleet.count, 1)
})

tests('a worker that has not been heard of for a lease is gone until it says hello again', async () => {
  const { fleet } = fleetOf({ lease: 0 })
  fleet.hear(hello)
  await new Promise((resolve) => setTimeout(resolve, 2))
  fleet.look()
  assert.is(fleet.count, 0)
  fleet.hear(hello)
  assert.is(fleet.count, 1)
})

tests.run()
