import { dense, linearRamp, meanSquaredError, sequential, sgd, stepDecay } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const weightsOf = (model) => Object.values(model.getWeights()).map(({ data }) => Array.from(data))

test('the schedule does not advance on a refused step', async () => {
  const make = () =>
    sequential({ input: [2], seed: 1 }, [dense(2)]).compile({
      loss: meanSquaredError(),
      optimizer: sgd({ learningRate: 0.05, momentum: 0.5 }),
    })
  const sound = Array.from({ length: 6 }, (_, i) => [i / 3 - 1, 1 - i / 5])
  const spoilt = sound.flatMap((row, i) => (i === 1 || i === 4 ? [[1e30, 1e30], row] : [row]))
  const targets = (examples) => examples.map(([a, b]) => (a > 1e20 ? [0, 0] : [a - b, b]))
  const options = {
    ...{ batchSize: 1, shuffle: false, quiet: true, epochs: 2 },
    schedule: stepDecay({ every: 1, factor: 0.7, unit: 'step' }),
    momentumSchedule: linearRamp({ from: 0, to: 0.9, length: 12, unit: 'step' }),
    weightDecaySchedule: linearRamp({ from: 0.5, to: 0, length: 12, unit: 'step' }),
  }
  const clean = make()
  const expected = await clean.fit({ x: sound, y: targets(sound) }, options).done
  assert.equal(expected.learningRate, [0.05 * 0.7 ** 5, 0.05 * 0.7 ** 11])
  for (const stepsPerCall of [1, 3, 100]) {
    const model = make()
    const history = await model.fit({ x: spoilt, y: targets(spoilt) }, { ...options, stepsPerCall }).done
    assert.equal(history.refusedSteps, [2, 2])
    for (const column of ['learningRate', 'momentum', 'weightDecay', 'loss']) {
      assert.equal(history[column], expected[column], column)
    }
    assert.equal(weightsOf(model), weightsOf(clean))
  }
})

test.run()
