// A study of made-up trials, written with the functions that a search writes it with.
import { join } from 'node:path'
import { createTrial, enqueueTrial, makeStage, makeStudy } from '../../dist/study/index.js'
import { description, suggestion } from './studies.js'

export const space = {
  learningRate: { kind: 'logUniform', low: 1e-6, high: 10 },
  hidden: { kind: 'integer', low: 32, high: 512, log: true },
  dropout: { kind: 'uniform', low: 0, high: 0.7 },
  optimizer: {
    kind: 'branches',
    branches: {
      adam: { beta1: { kind: 'uniform', low: 0.8, high: 0.99 } },
      nesterov: { momentum: { kind: 'uniform', low: 0.5, high: 0.99 } },
    },
  },
}

/** Between 0 and 1, by number and place. */
const draw = (number, place) => {
  const x = Math.sin(12.9898 * (number + 1) + 78.233 * (place + 1)) * 43758.5453
  return x - Math.floor(x)
}

export function paramsOf(number) {
  const adam = draw(number, 3) < 0.5
  return {
    learningRate: 10 ** (-6 + 7 * draw(number, 0)),
    hidden: Math.round(32 * 16 ** draw(number, 1)),
    dropout: 0.7 * draw(number, 2),
    optimizer: adam
      ? { name: 'adam', beta1: 0.8 + 0.19 * draw(number, 4) }
      : { name: 'nesterov', momentum: 0.5 + 0.49 * draw(number, 4) },
  }
}

/** Best at a learning rate of 0.002, and with much hidden. */
export function accuracyOf({ learningRate, hidden, dropout }) {
  return (
    0.985 - 0.02 * (Math.log10(learningRate) + 2.7) ** 2 - 0.01 * Math.log(512 / hidden) - 0.05 * (dropout - 0.3) ** 2
  )
}

const quick = { sync: false }
const draft = { worker: 'here.1', budget: 5 }

/**
 * Trials 0 to `count` − 1 that have ended, each eleventh exploded; then one paused, one that runs and one that waits. Gives back
 * who holds the running one.
 */
export async function fillStudy(path, count, { stages = null, change = {} } = {}) {
  await makeStudy(path, description({ epochs: 5, space, stages, trials: count + 29, ...change }))
  const stageOf = (number) => (stages ? 1 + Math.floor((stages.length * number) / (count + 3)) : 1)
  const begin = (number) =>
    createTrial(path, number, suggestion({ params: paramsOf(number), seed: number, stage: stageOf(number) }), {
      ...draft,
      worker: `here.${1 + (number % 2)}`,
    })
  for (let number = 0; number < count; number++) await end(await begin(number), number)
  const paused = await begin(count)
  await paused.report(1, 0.4)
  await paused.pause({ epoch: 1, value: 0.4, details: { reason: 'pruner' } }, quick)
  const running = await begin(count + 1)
  await running.report(1, 0.3)
  await enqueueTrial(path, count + 2, suggestion({ params: paramsOf(count + 2), stage: stageOf(count + 2) }), draft)
  if (stages) {
    const why = [
      'learningRate 3.4e-4 … 0.012 (was 1e-6 … 10)',
      'border: hidden 498, the best of stage 1, lies in the outer tenth',
    ]
    for (let number = 2; number <= stages.length; number++)
      await makeStage(path, { number, record: { parameters: space, why } })
  }
  return { running, trial: (number) => join(path, 'trials', String(number).padStart(5, '0')) }
}

async function end(held, number) {
  const value = accuracyOf(held.record.suggestion.params)
  const isExploded = number % 11 === 7
  for (let epoch = 1; epoch <= 5; epoch++) {
    const reached = value - 0.5 * 0.4 ** epoch
    await held.report(epoch, isExploded && epoch === 3 ? Number.POSITIVE_INFINITY : reached)
    if (isExploded && epoch === 3) break
  }
  const ended = isExploded
    ? { state: 'exploded', epoch: 3, value: null, reason: 'the loss is not finite' }
    : { state: 'complete', epoch: 5, value, reason: null }
  await held.finish({ ...ended, details: null }, quick)
}
