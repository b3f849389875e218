// What fit refuses at once: columns and events that there are not, and the data in other libraries' way.
import { dense, earlyStopping, reduceOnPlateau, sequential, sgd, softmaxCrossEntropy, warmup } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const train = {
  x: [
    [1, 2],
    [3, 4],
  ],
  y: [0, 1],
}
const validation = train

const model = () =>
  sequential({ input: [2], seed: 2 }, [dense(2)]).compile({
    ...{ loss: softmaxCrossEntropy(), optimizer: sgd() },
    metrics: ['accuracy'],
  })

test('a column that nobody will have is refused when fit begins, from whoever goes by it', () => {
  const refusal = (options) => {
    try {
      model().fit(train, { ...options, quiet: true })
    } catch (error) {
      return `${error.code} ${error.message}`
    }
    return 'nothing was thrown'
  }
  const stopping = (monitor) => ({ callbacks: [earlyStopping({ monitor })], validation })
  assert.match(
    refusal(stopping('val_loss')),
    /^GRADUS_INVALID_ARGUMENT callbacks\[0\].monitor: there is no column "val_loss"; did you mean valLoss\? the columns are loss, accuracy, valLoss, valAccuracy, /,
  )
  assert.match(refusal(stopping('f1')), /there is no column "f1"; the columns are loss, /)
  assert.match(
    refusal({ callbacks: [earlyStopping({ monitor: 'valLoss' })] }),
    /"valLoss"; fit has no validation; the columns/,
  )
  assert.match(refusal({ callbacks: [{ monitor: 'momentum' }] }), /^GRADUS_INVALID_ARGUMENT callbacks\[0\].monitor/)
  assert.is(refusal({ ...stopping('valAccuracy') }), 'nothing was thrown')
  for (const schedule of [
    reduceOnPlateau({ monitor: 'valLos' }),
    warmup({ length: 2 }).followedBy(reduceOnPlateau({ monitor: 'valLos' })),
  ]) {
    assert.match(
      refusal({ schedule, validation }),
      /schedule.monitor: there is no column "valLos"; did you mean valLoss\?/,
    )
  }
})

test('x and y apart are refused, with what to write', () => {
  const [x, y] = [Float32Array.of(1, 2), [0]]
  assert.throws(
    () => model().fit(x, y, { epochs: 3 }),
    /^fit: expected the data as \{ x, y \} and then the options, received a Float32Array of length 2 and an array of length 1; write fit\(\{ x, y \}, \{ … \}\)$/,
  )
})

test('an event that there is not is refused by name, and so is one that is no function', () => {
  const refusal = (callback) => {
    try {
      model().fit(train, { callbacks: [callback], quiet: true })
    } catch (error) {
      return `${error.code} ${error.message}`
    }
    return 'nothing was thrown'
  }
  const code = 'GRADUS_INVALID_ARGUMENT callbacks\\[0\\]'
  const matches = (callback, text) => assert.match(refusal(callback), new RegExp(`^${code}${text}`))
  matches({ onBatchEnd() {} }, ': there is no event "onBatchEnd"; onStepsEnd tells of steps$')
  matches({ on_epoch_end() {} }, ': there is no event "on_epoch_end"; did you mean onEpochEnd\\?$')
  matches({ onEpochsEnd() {} }, ': there is no event "onEpochsEnd"; did you mean onEpochEnd\\?$')
  matches({ onSomething() {} }, ': there is no event "onSomething"; there are onTrainBegin, ')
  matches(earlyStopping, ': received the function earlyStopping; did you mean earlyStopping\\(\\)\\?$')
  matches(reduceOnPlateau(), ': expected a callback, received a schedule; give it to fit as schedule: ')
  matches({ onEpochEnd: 5 }, '.onEpochEnd: expected a function, received 5')
  class Mine {
    onBatchBegin() {}
  }
  matches(new Mine(), ': there is no event "onBatchBegin"')
})

test.run()
