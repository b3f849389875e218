// How the page writes numbers and times, where ticks lie, which curves share a scale, and where steps lie on other axes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bestOf } from '../dist/watch/server/scores.js'
import { settingsOf, stepsPerEpoch } from '../dist/watch/server/settings.js'
import { toHtml } from '../lib/watch/page/markdown.js'
import { pageModules } from './support/page-modules.js'
import { runInfo } from './support/write-run.js'

const test = suite('page numbers')
const {
  aligned,
  areExploded,
  Clock,
  columnsOf,
  duration,
  limitOf,
  logTexts,
  logTicks,
  matches,
  sortRuns,
  tick,
  ticks,
  words,
} = await pageModules('format', 'ticks', 'scaling', 'clock', 'run-columns')

test('durations are rounded before they are taken apart', () => {
  const cases = {
    0: '0 s',
    0.04: '0.04 s',
    8.54: '8.5 s',
    9.97: '10 s',
    59.4: '59 s',
    59.6: '1 min',
    119.7: '2 min',
    200: '3 min 20 s',
    3599.6: '1 h',
    3600: '1 h',
    11520: '3 h 12 min',
    86390: '1 d',
    190800: '2 d 5 h',
  }
  for (const [seconds, text] of Object.entries(cases)) assert.is(duration(Number(seconds)), text, seconds)
  // Whatever the time, no part is as large as the next unit.
  for (let seconds = 0; seconds < 400_000; seconds += 7.3) assert.not.match(duration(seconds), /\b60 (s|min)|\b24 h/)
  assert.is(duration(null), '–')
})

test('ticks stay short at any size, and are written alike', () => {
  assert.equal([9e26, 1e9, 2.5e6, 12_650, 800, 0.02, 1e-5].map(tick), [
    '9e26',
    '1e9',
    '2.5M',
    '12.65k',
    '800',
    '0.02',
    '1e−5',
  ])
  assert.equal(ticks([0, 2000, 4000]), ['0', '2000', '4000'])
  assert.equal(ticks([0, 5000, 10_000, 15_000]), ['0', '5k', '10k', '15k'])
  assert.equal(ticks([0, 2.5e26, 5e26]), ['0', '2.5e26', '5.0e26'])
  assert.equal(ticks([0, 2e-4, 4e-4]), ['0', '2e−4', '4e−4'])
  assert.equal(logTexts([1, 1e9, 1e18, 1e27]), ['1', '1e9', '1e18', '1e27'])
  for (let power = -30; power <= 38; power++) {
    for (const digits of [1, 2.5, 9.999]) {
      const apart = digits * 10 ** power
      const texts = ticks([0, apart, 2 * apart, 3 * apart])
      assert.ok(
        texts.every((text) => text.length <= 10),
        texts.join(' '),
      )
      assert.is(new Set(texts).size, 4, texts.join(' '))
    }
  }
  assert.equal(
    [0.959, 0.5, 3, 1e-5].map((value) => aligned(value)),
    ['0.9590', '0.5000', '3', '1.00e−5'],
  )
})

test('a logarithmic axis has labels over any number of decades', () => {
  for (const [low, high] of [
    [0, 1],
    [-3, 2],
    [0, 20],
    [-30, 38],
    [-44, 308],
  ]) {
    const found = logTicks(10 ** low, 10 ** high, 280)
    assert.ok(found.length >= 2 && found.length <= 12, `${low} to ${high}: ${found.length}`)
    const powers = found.map((value) => Math.log10(value))
    for (const [i, power] of powers.entries()) {
      assert.ok(Math.abs(power - Math.round(power)) < 1e-9, `${power}`)
      if (i > 1) assert.ok(Math.abs(power - powers[i - 1] - (powers[1] - powers[0])) < 1e-9)
    }
  }
  assert.equal(logTicks(0.15, 0.9, 280), [0.2, 0.5])
  assert.equal(logTicks(0.31, 0.34, 280), [0.31, 0.34])
})

const falling = Array.from({ length: 500 }, (_, i) => 2.3 / (1 + i / 50))
const diverged = falling.map((value, i) => (i > 100 ? Math.min(1e27, value * 10 ** ((i - 100) / 10)) : value))
const nan = diverged.map((value, i) => (i > 300 ? null : value))

test('a logarithm for runs that explode; a diverged one among others is cut', () => {
  assert.is(areExploded([falling]), false)
  assert.is(areExploded([diverged]), true)
  assert.is(areExploded([nan, diverged]), true)
  assert.is(areExploded([falling, diverged]), false)
  assert.is(areExploded([[], [null]]), false)
  assert.is(limitOf([falling]), undefined)
  assert.is(limitOf([falling, falling.map((value) => 3 * value)]), undefined)
  for (const bad of [diverged, nan]) assert.is(limitOf([falling, bad]), 2.3)
  const spike = falling.map((value, i) => (i === 250 ? 1e4 : value))
  const limit = limitOf([spike])
  assert.ok(limit >= 2 && limit < 4, `${limit}`)
  assert.is(limitOf([]), undefined)
  assert.is(limitOf([falling.map((value) => -value)]), undefined, 'losses below zero are left alone')
})

const view = (epochs, stepsPerEpoch = null) => ({ epochs, summary: { stepsPerEpoch } })

test('steps lie at their epochs and seconds, there and back', () => {
  const epochs = [
    { epoch: 1, step: 100 },
    { epoch: 2, step: 300 },
    { epoch: 3, step: 400 },
  ]
  const byEpoch = new Clock('epoch', view(epochs), null)
  assert.equal(byEpoch.places([0, 50, 100, 200, 300, 400, 450]), [0, 0.5, 1, 1.5, 2, 3, 3.5])
  assert.equal(byEpoch.steps({ from: 0.5, to: 2 }), { from: 50, to: 300 })
  assert.equal(new Clock('epoch', view([], 40), null).places([0, 20, 60]), [0, 0.5, 1.5])
  const steps = { step: [1, 11, 21], seconds: [0.5, 1.5, 5.5] }
  const byTime = new Clock('time', view(epochs), steps)
  assert.equal(byTime.places([1, 6, 11, 16]), [0.5, 1, 1.5, 3.5])
  assert.equal(byTime.steps({ from: 1, to: 3.5 }), { from: 6, to: 16 })
  const bySteps = new Clock('step', view(epochs), null)
  assert.equal(bySteps.places([3, 4]), [3, 4])
  assert.equal(bySteps.steps({ from: 3, to: 4 }), { from: 3, to: 4 })
  assert.is(bySteps.steps(null), null)
  assert.equal(new Clock('time', view([]), { step: [], seconds: [] }).places([1]), [0])
})

test('the best of a run: the first metric, on validation data where there are some, in its own direction', () => {
  const epochs = [
    { epoch: 1, step: 1, loss: 3, accuracy: 0.5, valLoss: 2, valAccuracy: 0.4 },
    { epoch: 2, step: 2, loss: 1, accuracy: 0.9, valLoss: 1.5, valAccuracy: 0.7 },
    { epoch: 3, step: 3, loss: 2, accuracy: 0.95, valLoss: 1.8, valAccuracy: 0.6 },
  ]
  const without = (pattern) =>
    epochs.map((entry) => Object.fromEntries(Object.entries(entry).filter(([name]) => !pattern.test(name))))
  assert.equal(bestOf({}, epochs), { column: 'valAccuracy', value: 0.7, epoch: 2 })
  assert.equal(bestOf({}, without(/^val/)), { column: 'accuracy', value: 0.95, epoch: 3 })
  assert.equal(bestOf({}, without(/ccuracy/)), { column: 'valLoss', value: 1.5, epoch: 2 })
  assert.equal(bestOf({}, without(/ccuracy|^val/)), { column: 'loss', value: 1, epoch: 2 })
  // What the run says of a metric counts more than its name.
  assert.is(bestOf({ metrics: [{ name: 'accuracy', better: 'smaller' }] }, epochs).epoch, 1)
  assert.is(bestOf({ metrics: [{ name: 'confusionMatrix' }, { name: 'accuracy', better: 'larger' }] }, epochs).epoch, 2)
  assert.is(bestOf({}, []), undefined)
  assert.is(bestOf({}, [{ epoch: 1, step: 1, loss: null }]), undefined)
})

const listing = (name, { settings = {}, ...more } = {}) => ({
  ...{ name, number: 0, status: 'finished', started: name, loss: 1, notes: { text: '', tags: [] } },
  settings: { ...settingsOf(runInfo()), ...settings },
  ...more,
})

test('runs are sorted by any column, and what is not known comes last', () => {
  const runs = [
    listing('b', { loss: 0.5, settings: { learningRate: 0.1 } }),
    listing('a', { loss: 30, settings: { learningRate: 1e-4 } }),
    listing('run-10', { loss: null }),
    listing('run-9', { loss: 7 }),
  ]
  const columns = columnsOf(runs, [])
  const order = (sort) => sortRuns(runs, columns, sort).map(({ name }) => name)
  assert.equal(order(''), ['run-9', 'run-10', 'b', 'a'])
  assert.equal(order('loss'), ['b', 'run-9', 'a', 'run-10'])
  assert.equal(order('-loss'), ['a', 'run-9', 'b', 'run-10'])
  assert.equal(order('name'), ['a', 'b', 'run-9', 'run-10'])
  assert.equal(order('-learningRate')[0], 'b')
  assert.equal(order('no such column'), order(''))
})

test('chosen runs show in what they differ, and nothing else', () => {
  const runs = [
    listing('a', { settings: { seed: 1, momentum: 0.9 } }),
    listing('b', { settings: { seed: 2, momentum: 0.8 } }),
  ]
  const [first, second] = runs
  delete second.settings.momentum
  const ids = (chosen) => columnsOf(runs, chosen).map(({ id }) => id)
  const always = ['best', 'loss', 'learningRate', 'batchSize', 'optimizer', 'epoch', 'time']
  assert.equal(ids([first]), always)
  assert.equal(ids(runs), [...always, 'momentum', 'seed'])
  assert.is(columnsOf(runs, runs).at(-1).text(first), '1')
})

test('the filter looks for each of its parts in all that is known of a run', () => {
  const run = listing('wide', { notes: { text: 'First try', tags: ['baseline'] }, settings: { optimizer: 'adam' } })
  for (const filter of ['', 'wid', 'ADAM', 'adam, wide', '#base', 'first', 'batch size 128, #base', 'finished']) {
    assert.is(matches(run, 'wide', filter), true, filter)
  }
  for (const filter of ['sgd', 'adam, narrow', 'adam wide', '#first', 'batch size 64'])
    assert.is(matches(run, 'wide', filter), false, filter)
})

test('settings are one flat list, and an epoch has as many steps as it had', () => {
  const settings = settingsOf(runInfo())
  assert.equal(
    [settings.layers, settings.parameters, settings.optimizer, settings.learningRate, settings.batchSize],
    ['dense 128, relu, dense 64, tanh, dense 10', 784 * 128 + 128 + 128 * 64 + 64 + 640 + 10, 'adam', 1e-3, 128],
  )
  const filters = (shape, more) => {
    const nodes = [{ op: 'convolution', parameters: { weight: 0 }, ...more }]
    return settingsOf({ ...runInfo(), descriptor: { ...runInfo().descriptor, nodes, parameters: [{ shape }] } }).layers
  }
  assert.is(filters([3, 3, 8, 16]), 'convolution 16')
  assert.is(filters([3, 3, 8, 16], { outputPadding: [0, 0], groups: 2 }), 'convolution 16')
  for (const value of Object.values(settings)) assert.ok(['string', 'number'].includes(typeof value))
  assert.is(stepsPerEpoch(runInfo(), null), Math.ceil(60_000 / 128))
  assert.is(stepsPerEpoch(runInfo(), { epoch: 4, step: 100 }), 25)
  assert.is(stepsPerEpoch({ ...runInfo(), examples: null }, null), null)
  assert.is(words('softmax_crossEntropy'), 'softmax cross entropy')
})

test('Markdown becomes HTML, and nothing in it becomes a tag', () => {
  assert.is(toHtml('# `a<b`: **c**\n'), '<h1><code>a&lt;b</code>: <strong>c</strong></h1>')
  assert.is(
    toHtml('one\ntwo *three* `*x*`\n\n- a\n  b\n- c'),
    '<p>one two <em>three</em> <code>*x*</code></p>\n<ul><li>a b</li><li>c</li></ul>',
  )
  assert.is(toHtml('1. a\n2. b'), '<ol><li>a</li><li>b</li></ol>')
  assert.is(toHtml('```js\nif (a < b) {\n\n  c()\n}\n```'), '<pre><code>if (a &lt; b) {\n\n  c()\n}\n</code></pre>')
  assert.is(
    toHtml('[x](other.md) [y](https://a.example/?b&c)'),
    '<p>x <a href="https://a.example/?b&amp;c" rel="noreferrer" target="_blank">y</a></p>',
  )
  assert.is(
    toHtml('<script>alert("1")</script> a_b_c 2 * 3 * 4'),
    '<p>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; a_b_c 2 * 3 * 4</p>',
  )
})

test.run()
