// The study of a test: trials that wait, with parameters by which each is known.
import { defineStudy } from '../../dist/search/definition/define-study.js'
import { random } from '../../dist/search/samplers/random.js'
import { uniform } from '../../dist/search/space/parameters.js'

/** One more waits until the end. */
export const params = Array.from({ length: 7 }, (_, number) => ({ x: (number + 1) / 8 }))

export const suggested = (number) => ({
  ...{ params: params[number], seed: number, stage: 1, suggestedBy: 'person', results: [] },
})

export const definition = defineStudy({
  ...{ metric: 'value', direction: 'minimize', trials: params.length, epochs: 2, sampler: random() },
  space: { x: uniform(0, 1) },
  trial: ({ params: { x } }) => 100 + x,
})
