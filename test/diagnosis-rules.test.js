// Each rule on a picture drawn for it, which no other rule takes for its own; and on recordings with next to nothing in them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diagnose, rules } from '../dist/watch/diagnosis/diagnose.js'
import { counts, even, stack, stuck, weights } from './support/picture-parts.js'
import { pictures } from './support/pictures.js'
import { draw, empty, falling } from './support/recordings.js'

const test = suite('diagnosis: rules')

for (const [name, { rule, severity, since, message, advice, given }] of Object.entries(pictures)) {
  test(`${name}: ${rule}`, () => {
    const findings = diagnose(draw(given))
    const texts = findings.map((finding) => `${finding.rule}: ${finding.message}`).join('\n')
    assert.equal(
      findings.map((finding) => finding.rule),
      [rule],
      texts,
    )
    const [finding] = findings
    assert.is(finding.severity, severity, texts)
    if (since) assert.equal(finding.since, since)
    if (message) assert.match(finding.message, message)
    if (advice) assert.match(finding.advice, advice)
    assert.ok(Number.isFinite(finding.since.step))
    assert.match(finding.message, /^[A-Z].*[^.]$/)
    assert.not.match(finding.message + finding.advice, /NaN %|undefined|Infinity/)
    if (rule !== 'healthy') assert.ok(finding.advice.length > 1)
    assert.equal(JSON.parse(JSON.stringify(finding)), finding, 'plain data')
  })
}

test('every rule has a picture', () => {
  const drawn = new Set(Object.values(pictures).map(({ rule }) => rule))
  for (const { name, explains } of rules) {
    assert.ok(drawn.has(name), name)
    for (const other of explains)
      assert.ok(
        rules.some((rule) => rule.name === other),
        `${name} explains ${other}`,
      )
  }
})

test('a cause is told without what comes of it, but never hides what is worse', () => {
  const dead = draw({
    loss: stuck,
    tensors: weights(0),
    layers: stack('relu', 2, () => ({ dead: 1 })),
    predictions: [{ epoch: 1, step: 20, predicted: counts(0, 1), actual: even }],
  })
  assert.equal(
    diagnose(dead).map(({ rule }) => rule),
    ['deadRelus'],
  )
  const both = draw({
    layers: stack('tanh', 2, () => ({ saturated: 0.8 })),
    predictions: [1, 2].map((epoch) => ({ epoch, step: 20 * epoch, predicted: counts(0, 1), actual: even })),
  })
  assert.equal(
    diagnose(both).map(({ rule, severity }) => [rule, severity]),
    [
      ['classCollapse', 'severe'],
      ['saturatedUnits', 'warning'],
    ],
  )
})

test('a class that has a name is called by it', () => {
  const predictions = [5, 10, 20].map((epoch) => ({ epoch, step: 20 * epoch, predicted: counts(3, 1), actual: even }))
  const classNames = even.map((_, label) => `animal ${label}`)
  const [finding] = diagnose(draw({ predictions, info: { classNames } }))
  assert.is(finding.rule, 'classCollapse')
  assert.match(finding.message, /The model predicts animal 3 for/)
  assert.is(finding.evidence.class, 'animal 3')
})

test('biases do not count: they begin at 0', () => {
  const tensors = { ...weights(1e-3), 'dense3.bias': { shape: [10], ratio: 300 } }
  assert.is(diagnose(draw({ tensors }))[0].rule, 'healthy')
})

test('a negative loss, which has no level to measure by, is left alone', () => {
  const given = { loss: (t) => -4 * t, info: { descriptor: { loss: { kind: 'custom' } } } }
  assert.equal(
    diagnose(draw(given)).map(({ rule }) => rule),
    ['healthy'],
  )
})

const nothing = Number.NaN
const hostile = {
  nothing: empty(),
  'one step': draw({ count: 1, looks: 1, epochCount: 0 }),
  'ten steps': draw({ count: 10, looks: 1, epochCount: 1, layers: stack('relu', 3, () => ({ dead: 1 })) }),
  'all refused': draw({
    loss: nothing,
    noise: nothing,
    refused: 1,
    tensors: weights(nothing),
    refusal: { step: 0, layer: null, tensor: null },
  }),
  'infinite everywhere': draw({
    loss: Number.POSITIVE_INFINITY,
    tensors: weights(Number.POSITIVE_INFINITY),
    layers: stack('relu', 3, () => ({ deviation: Number.POSITIVE_INFINITY, dead: nothing })),
  }),
  'epochs without numbers': draw({ epochs: { loss: null, valLoss: 'many', accuracy: {} } }),
  'frozen tensors only': draw({ tensors: {} }),
  'all weights still': draw({ tensors: weights(0) }),
  'empty predictions': draw({ predictions: [{ epoch: 1, step: 1, predicted: [], actual: [] }] }),
  'two million classes': draw({
    predictions: [{ epoch: 1, step: 1, predicted: new Array(2e6).fill(1), actual: new Array(2e6).fill(1) }],
  }),
  'curved nowhere': draw({
    sharpness: [{ epoch: 1, step: 1, eigenvalue: -1, learningRateLimit: null }],
    info: { descriptor: { optimizer: { kind: 'sgd' } } },
  }),
  'a descriptor of nothing, where rules look into it': draw({
    epochs: { valLoss: falling(1.5, 0.1) },
    tensors: { 'a.weight': { shape: [9, 9] }, 'b.weight': { shape: [9, 9], ratio: 1e-7 } },
    info: {
      descriptor: {
        loss: { kind: 'constructor' },
        optimizer: { kind: 'toString' },
        nodes: [null],
        parameters: [null, {}],
      },
    },
    sharpness: [{ epoch: 1, step: 1, eigenvalue: 9, learningRateLimit: 0.001 }],
  }),
}
for (const [name, recording] of Object.entries(hostile)) {
  test(`${name} is no reason to throw`, () => {
    const findings = diagnose(recording)
    assert.ok(findings.length > 0)
    for (const { message, page } of findings) {
      assert.not.match(message, /undefined/)
      assert.match(page, /^docs\/diagnosis\/[a-z-]+\.md$/)
    }
  })
}

test('every rule has its page and every page its rule', () => {
  const folder = new URL('../docs/diagnosis/', import.meta.url)
  const names = [...rules.map(({ name }) => name), 'healthy', 'tooShort']
  const pages = names.map((name) => `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.md`)
  assert.equal(readdirSync(folder).sort(), [...pages].sort())
  for (const [i, page] of pages.entries()) {
    assert.ok(existsSync(new URL(page, folder)))
    assert.ok(readFileSync(new URL(page, folder), 'utf8').startsWith(`# \`${names[i]}\`: `), page)
  }
})

test.run()
