// Members from several seeds: the same as fits one by one, however they are shared out, and what stops them.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import {
  adam,
  checkpoints,
  dataset,
  dense,
  dropout,
  earlyStopping,
  ensemble,
  monitor,
  normalization,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SeedsProgress } from '../dist/ensemble/seeds-progress.js'
import { numbers } from './support/reference.js'
import { warningsOf } from './support/warnings.js'

const test = suite('ensemble from seeds')
const folder = mkdtempSync(join(tmpdir(), 'gradus-seeds-'))
test.after(() => rmSync(folder, { recursive: true }))

const [rows, features] = [150, 4]
const x = Array.from({ length: rows }, (_, row) => [...numbers(features, row + 1)])
const y = x.map(([a, b, c]) => (a * b > 0 ? 'yes' : c > 0.5 ? 'perhaps' : 'no'))
const layers = () => [normalization(), dense(8), relu(), dropout(0.2), dense(3)]
const compiled = { loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 0.01 }), metrics: ['accuracy'] }
const make = (seed) => sequential({ input: [features], seed }, layers()).compile(compiled)
const fit = { epochs: 4, batchSize: 16, validation: { x: x.slice(0, 30), y: y.slice(0, 30) } }
const weightsOf = ({ members }) => members.map((member) => JSON.stringify(member.getWeights()))

const alone = []
for (const seed of [1, 2, 3]) {
  const model = make(seed)
  await model.fit({ x, y }, fit)
  alone.push(JSON.stringify(model.getWeights()))
}

async function refusal(act) {
  try {
    await act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

for (const options of [{}, { parallel: 1 }, { parallel: 2 }, { parallel: 8, threads: 2 }, { threads: 1 }]) {
  test(`with ${JSON.stringify(options)} the members are those of three fits by themselves, to the last bit`, async () => {
    const together = await ensemble.fromSeeds(make, { x, y }, { count: 3, fit, ...options })
    assert.equal(weightsOf(together), alone)
    assert.equal(together.classes, ['no', 'perhaps', 'yes'])
    const { members } = together
    together.dispose()
    assert.throws(
      () => members[0].getWeights(),
      ({ code }) => code === 'GRADUS_DISPOSED',
    )
  })
}

test('GRADUS_THREADS says how many threads all have together', async () => {
  const before = process.env.GRADUS_THREADS
  const seen = []
  try {
    process.env.GRADUS_THREADS = '3'
    const told = (seed) => ({
      ...fit,
      callbacks: [{ onTrainBegin: ({ call }) => seen.push([seed, call.settings.threads]) }],
    })
    await ensemble.fromSeeds(make, { x, y }, { count: 2, fit: told, parallel: 2 })
    await ensemble.fromSeeds(make, { x, y }, { seeds: [5], fit: told })
  } finally {
    if (before === undefined) delete process.env.GRADUS_THREADS
    else process.env.GRADUS_THREADS = before
  }
  assert.equal(seen, [
    [1, 1],
    [2, 1],
    [5, 3],
  ])
})

test('seeds, a dataset, a stream that each member opens for itself, and models that are made later', async () => {
  const later = (seed) => turn().then(() => make(seed))
  const of = (data, options) => ensemble.fromSeeds(later, data, { fit, ...options })
  assert.equal(weightsOf(await of(dataset({ x, y }), { seeds: [3, 1] })), [alone[2], alone[0]])
  const opened = []
  const classes = ['no', 'perhaps', 'yes']
  const stream = ({ epoch }) => {
    opened.push(epoch)
    return [0, 50, 100].map((first) => ({ x: x.slice(first, first + 50), y: y.slice(first, first + 50), classes }))
  }
  const bare = (seed) => sequential({ input: [features], seed }, layers().slice(1)).compile(compiled)
  const streamed = (options) => ensemble.fromSeeds(bare, stream, { fit: { ...fit, epochs: 2 }, count: 2, ...options })
  const inTurn = weightsOf(await streamed({}))
  assert.equal(opened, [1, 2, 1, 2])
  assert.equal(weightsOf(await streamed({ parallel: 2 })), inTurn)
})

test('so many are trained at once', async () => {
  for (const parallel of [1, 2]) {
    let [now, most] = [0, 0]
    const counted = () => ({
      ...fit,
      callbacks: [
        {
          onTrainBegin: () => {
            most = Math.max(most, ++now)
          },
          // Waits for the others that are to be there.
          onEpochEnd: () => turn(),
          onTrainEnd: () => {
            now--
          },
        },
      ],
    })
    await ensemble.fromSeeds(make, { x, y }, { count: 4, fit: counted, parallel })
    assert.is(most, parallel)
  }
})

test('a directory holds a run of each member; the same call loads them, and more seeds come beside them', async () => {
  const dir = join(folder, 'runs')
  const histories = []
  const all = (count, options) =>
    ensemble.fromSeeds(
      make,
      { x, y },
      {
        ...{ count, fit, dir, parallel: 2 },
        onMember: ({ seed, model, history }) =>
          histories.push([seed, model.seed, history.epochs, history.valAccuracy.length]),
        ...options,
      },
    )
  assert.equal(weightsOf(await all(2)), alone.slice(0, 2))
  assert.equal(readdirSync(dir).sort(), ['seed=1', 'seed=2'])
  assert.ok((await checkpoints(join(dir, 'seed=2'))).at(-1).sound)
  const begun = []
  const told = (seed) => ({ ...fit, callbacks: [{ onEpochBegin: () => begun.push(seed) }] })
  assert.equal(weightsOf(await all(3, { fit: told })), alone)
  assert.equal(new Set(begun), new Set([3]))
  assert.equal(histories.sort(), [
    [1, 1, 4, 4],
    [1, 1, 4, 4],
    [2, 2, 4, 4],
    [2, 2, 4, 4],
    [3, 3, 4, 4],
  ])
  assert.match(
    await refusal(() => all(1, { fit: { ...fit, batchSize: 17 } })),
    /^GRADUS_INVALID_ARGUMENT seed 1: resume: [\s\S]*batchSize: 16 before, 17 now/,
  )
})

test('a signal stops all, and the same call goes on to the same bits', async () => {
  const dir = join(folder, 'aborted')
  const halt = new AbortController()
  const reason = new Error('enough')
  let ended = 0
  const stopping = () => ({
    ...fit,
    callbacks: [
      {
        onEpochEnd({ epoch }) {
          if (epoch === 2) halt.abort(reason)
        },
        onTrainEnd: () => {
          ended++
        },
      },
    ],
  })
  const made = []
  const kept = (seed) => {
    made.push(make(seed))
    return made.at(-1)
  }
  const call = ensemble.fromSeeds(kept, { x, y }, { count: 3, fit: stopping, dir, parallel: 2, signal: halt.signal })
  assert.is(await call.catch((error) => error), reason)
  assert.is(ended, 2)
  for (const model of made)
    assert.throws(
      () => model.getWeights(),
      ({ code }) => code === 'GRADUS_DISPOSED',
    )
  assert.not(existsSync(join(dir, 'seed=3')))
  assert.equal(weightsOf(await ensemble.fromSeeds(make, { x, y }, { count: 3, fit, dir })), alone)
  assert.is(
    await ensemble.fromSeeds(make, { x, y }, { signal: AbortSignal.abort(reason) }).catch((error) => error),
    reason,
  )
})

test('one that fails stops the others, and the error says its seed', async () => {
  const own = new Error('mine')
  let [ended, begun] = [0, 0]
  const failing = (seed) => ({
    ...fit,
    epochs: 1_000_000,
    callbacks: [
      {
        onTrainBegin: () => {
          begun++
        },
        onEpochEnd() {
          if (seed === 2) throw own
        },
        onTrainEnd: () => {
          ended++
        },
      },
    ],
  })
  const error = await ensemble
    .fromSeeds(make, { x, y }, { count: 5, fit: failing, parallel: 3 })
    .catch((error) => error)
  assert.is(error.message, 'seed 2: mine')
  assert.is(error.cause, own)
  assert.equal([begun, ended], [3, 3])
})

const object = () => ({ onEpochEnd() {} })
const shared = earlyStopping()
const refused = {
  'a count of 0': [make, { count: 0 }, /INVALID_ARGUMENT count: expected a positive integer, received 0/],
  'no seeds': [make, { seeds: [] }, /INVALID_ARGUMENT seeds: expected a list of one seed or more/],
  'a seed twice': [
    make,
    { seeds: [4, 1, 4] },
    /INVALID_ARGUMENT seeds\[2\]: expected each seed once, received 4 again/,
  ],
  'a seed that is none': [make, { seeds: [-1] }, /INVALID_ARGUMENT seeds\[0\]: expected an integer from 0/],
  'both of them': [make, { seeds: [1], count: 1 }, /INVALID_ARGUMENT count: expected none beside seeds/],
  'an unknown option': [
    make,
    { parallell: 2 },
    /INVALID_ARGUMENT fromSeeds: there is no option "parallell"; did you mean parallel/,
  ],
  'no function': [make(1), {}, /INVALID_ARGUMENT make: expected a function/],
  'no models': [() => 3, {}, /INVALID_ARGUMENT the result of make\(1\): expected a compiled model, received 3/],
  'models that are not compiled': [
    (seed) => sequential({ input: [features], seed }, layers()),
    {},
    /NOT_COMPILED make: .* for seed 1/,
  ],
  'a function that ignores its seed': [
    () => make(7),
    {},
    /INVALID_ARGUMENT make: expected models that begin differently, .* seed 2 .* pass the seed on/,
  ],
  'models of other outputs': [
    (seed) => sequential({ input: [features], seed }, [dense(seed + 2)]).compile(compiled),
    {},
    /SHAPE_MISMATCH members\[1\]/,
  ],
  'no way to combine': [make, { combine: 'mean' }, /INVALID_ARGUMENT combine: expected one of/],
  'a dir for fit': [make, { fit: { dir: 'x' } }, /INVALID_ARGUMENT fit\.dir: expected none, as fromSeeds takes dir/],
  'resume for fit': [
    make,
    { fit: () => ({ resume: true }) },
    /INVALID_ARGUMENT the result of fit\.resume: expected none/,
  ],
  'an unknown option for fit': [
    make,
    { fit: { epoch: 2 } },
    /INVALID_ARGUMENT seed 1: fit: there is no option "epoch"/,
  ],
  'a callback for all': [
    make,
    { fit: { callbacks: [object()] } },
    /INVALID_ARGUMENT fit\.callbacks\[0\]: .*received one object; give a function/,
  ],
  'early stopping for all': [
    make,
    { fit: { callbacks: [() => {}, shared] } },
    /fit\.callbacks\[1\]: .*received earlyStopping\(…\)/,
  ],
  'a monitor for all': [make, { fit: { callbacks: [monitor()] } }, /fit\.callbacks\[0\]: .*; give a function/],
  'one callback from a function': [make, { fit: () => ({ callbacks: [shared] }) }, /received one object for 1 and 2/],
  'a schedule of one’s own that watches': [
    make,
    { fit: { schedule: Object.assign((_, rate) => rate, { observe() {} }) } },
    /INVALID_ARGUMENT fit\.schedule: .*give a function/,
  ],
}
for (const [name, [maker, options, message]] of Object.entries(refused)) {
  test(`${name}: one error`, async () => {
    assert.match(await refusal(() => ensemble.fromSeeds(maker, { x, y }, options)), message)
  })
}

test('one model twice, an iterator and bad data: one error each', async () => {
  const one = make(1)
  assert.match(await refusal(() => ensemble.fromSeeds(() => one, { x, y })), /expected a new model for each seed/)
  const iterator = [{ x, y }][Symbol.iterator]()
  assert.match(await refusal(() => ensemble.fromSeeds(make, iterator)), /INVALID_ARGUMENT data: .* gone through once/)
  assert.match(await refusal(() => ensemble.fromSeeds(make, null)), /INVALID_ARGUMENT data/)
  assert.match(
    await refusal(() => ensemble.fromSeeds(make, { x, y: x }, { count: 2 })),
    /^GRADUS_(INVALID_DATA|INVALID_ARGUMENT|SHAPE_MISMATCH) seed 1: /,
  )
  assert.match(
    await refusal(() => ensemble.fromSeeds(make, { x, y }, { fit: { ...fit, validation: { x } } })),
    /seed 1: validation/,
  )
})

test('models that begin alike but shuffle differently are members, and no warning comes of any', async () => {
  const weights = make(1).getWeights()
  const tuned = (seed) => {
    const model = make(seed)
    model.setWeights(weights)
    return model
  }
  const warnings = await warningsOf(async () => {
    const together = await ensemble.fromSeeds(tuned, { x, y }, { count: 2, fit })
    assert.is.not(weightsOf(together)[0], weightsOf(together)[1])
  })
  assert.equal(warnings, [])
})

/** A terminal that keeps what it is told. */
const terminal = (isTTY) => ({
  ...{ isTTY, columns: 200, rows: 40, text: '' },
  on() {},
  off() {},
  write(text) {
    this.text += text
  },
})

test('a terminal shows one line for all; elsewhere each member that is done has a line', async () => {
  const screen = terminal(true)
  const [context, epochs] = [{ lineage: null }, 10]
  const shown = new SeedsProgress(4, screen, 0, () => 0)
  shown.say('2 at once')
  const [first, second] = [shown.of(1), shown.of(2)]
  const steps = (rowsDone) => ({ rowsDone, rowsTotal: 100, updates: 2, loss: Float64Array.of(9, 0.25) })
  first.onEpochBegin({ epoch: 5, epochs })
  first.onStepsEnd({ epoch: 5, epochs, steps: steps(50) })
  second.onEpochBegin({ epoch: 10, epochs })
  assert.is(
    shown.line(),
    `4 members ${'█'.repeat(8)}${'░'.repeat(16)} 33% · 2 at once · seed 1 epoch 5/10 loss 0.25 · seed 2 epoch 10/10`,
  )
  assert.ok(screen.text.includes(shown.line()))
  const history = { epochs: 10, seconds: [1, 2], samplesPerSecond: [1, 3], loss: [4, 0.5], stoppedBy: 'epochs' }
  second.onTrainEnd({ call: context, epoch: 10, epochs, history })
  assert.ok(screen.text.includes('seed 2 · epoch 10/10 · 2.0 s · 3 examples/s · loss 0.5'))
  assert.ok(shown.line().includes(' 36% · 2 at once · seed 1'))
  first.onTrainEnd({ call: context, epoch: 5, epochs, history, error: new Error('x') })
  assert.not(shown.line().includes('seed 1'))
  shown.close()
  const pipe = terminal(false)
  const plain = new SeedsProgress(2, pipe)
  plain.say('measuring')
  plain.of(7).onEpochBegin({ epoch: 1, epochs })
  plain.of(7).onTrainEnd({ call: { lineage: { from: { path: 'x' } } }, epoch: 10, epochs, history })
  plain.close()
  assert.is(pipe.text, 'seed 7 · epoch 10/10 · 2.0 s · 3 examples/s · loss 0.5 (went on)\n')
})

test.run()
