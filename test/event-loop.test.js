// Small predictions are done in the call itself: whoever awaits one after the other must not keep timers from their turn.
import { dataset, dense, ensemble, meanSquaredError, sequential, sgd } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('the event loop')

const member = (seed) =>
  sequential({ input: [3], seed }, [dense(1)]).compile({
    loss: meanSquaredError(),
    optimizer: sgd({ learningRate: 0.1 }),
  })
const x = [[1, 2, 3]]
const model = member(1)
const together = ensemble([model, member(2)])
const data = dataset({ x, y: [[1]] })

const waysOf = {
  predict: () => model.predict(x),
  'predict of a dataset': () => model.predict(data),
  evaluate: () => model.evaluate(data),
  'predict of an ensemble': () => together.predict(data),
  'predict with a signal': () => model.predict(data, { signal: new AbortController().signal }),
}

for (const [name, call] of Object.entries(waysOf)) {
  test(`a timer comes while ${name} is awaited again and again`, async () => {
    let isOver = false
    setTimeout(() => {
      isOver = true
    }, 1)
    let calls = 0
    for (; !isOver && calls < 100_000; calls++) await call()
    assert.ok(isOver, `no timer within ${calls} calls`)
  })
}

test('calls at the same time each have their own answer', async () => {
  const rows = Array.from({ length: 50 }, (_, i) => [[i, 1, -i]])
  const answers = await Promise.all(rows.map((row) => model.predict(row)))
  for (const [i, row] of rows.entries()) assert.equal(answers[i].data, model.predictSync(row).data)
})

test('a call that a signal has ended before its turn gives no answer', async () => {
  const controller = new AbortController()
  const ways = [model.predict(x), model.predict(x, { signal: controller.signal })]
  controller.abort(new Error('enough'))
  const [first, second] = await Promise.allSettled(ways)
  assert.equal(first.value.shape, [1, 1])
  assert.is(second.reason.message, 'enough')
})

test.run()
