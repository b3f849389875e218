// How many images a gradient check takes.
import { conv2d, customLayer, dense, globalAveragePool, gradientCheck, meanSquaredError, sequential, sgd } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const test = suite('check of images')

/** How many examples a gradient check takes of 40: it ends when the first of them have been seen. */
async function examplesOf(size, filters, options) {
  let seen
  const ended = new AbortController()
  const look = customLayer({
    name: 'look',
    forward(x, _, { batch }) {
      seen = batch
      ended.abort()
      return x.slice()
    },
    backward: (dy) => ({ dx: dy.slice() }),
  })
  const model = sequential({ input: [size, size, 1], seed: 1 }, [
    ...[conv2d(filters, 3, { padding: 'same' }), globalAveragePool(), look, dense(1)],
  ]).compile({ loss: meanSquaredError(), optimizer: sgd() })
  const data = { x: numbers(40 * size * size, 3), y: numbers(40, 4) }
  await gradientCheck(model, data, { signal: ended.signal, ...options }).catch(({ name }) =>
    assert.is(name, 'AbortError'),
  )
  return seen
}

test('a gradient check takes as many images as cost a hundred million multiply-adds, two at least', async () => {
  assert.is(await examplesOf(4, 1), 32)
  // 128 · 128 · 9 · 64 of one.
  assert.is(await examplesOf(128, 64), 10)
  assert.is(await examplesOf(300, 100), 2)
  assert.is(await examplesOf(128, 64, { examples: 5 }), 5)
})

test.run()
