// How samplers and pruners are written down: names with all options, which differ where behaviour does.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { asha } from '../dist/search/pruners/asha.js'
import { hyperband } from '../dist/search/pruners/hyperband.js'
import { median } from '../dist/search/pruners/median.js'
import { patience } from '../dist/search/pruners/patience.js'
import { auto } from '../dist/search/samplers/auto.js'
import { cmaEs } from '../dist/search/samplers/cma-es.js'
import { gaussianProcess } from '../dist/search/samplers/gaussian-process/gaussian-process.js'
import { grid } from '../dist/search/samplers/grid.js'
import { random } from '../dist/search/samplers/random.js'
import { sobol } from '../dist/search/samplers/sobol.js'
import { tpe } from '../dist/search/samplers/tpe/tpe.js'

const test = suite('search settings')
const described = ({ name, settings }) => ({ name, ...settings })

const all = [
  [auto(), { name: 'auto' }],
  [random(), { name: 'random' }],
  [sobol(), { name: 'sobol' }],
  [tpe(), { name: 'tpe' }],
  [gaussianProcess(), { name: 'gaussianProcess' }],
  [grid(), { name: 'grid', points: null }],
  [grid({ points: 5 }), { name: 'grid', points: 5 }],
  [grid({ points: { rate: 3 } }), { name: 'grid', points: { rate: 3 } }],
  [cmaEs(), { name: 'cmaEs', population: null }],
  [cmaEs({ population: 9 }), { name: 'cmaEs', population: 9 }],
  [asha(), { name: 'asha', reduction: 4, minimum: 1, pauses: true }],
  [asha({ reduction: 3 }), { name: 'asha', reduction: 3, minimum: 1, pauses: true }],
  [asha({ minimum: 2 }), { name: 'asha', reduction: 4, minimum: 2, pauses: true }],
  [asha({ pauses: false }), { name: 'asha', reduction: 4, minimum: 1, pauses: false }],
  [hyperband(), { name: 'hyperband', reduction: 4, minimum: 1, pauses: true }],
  [hyperband({ pauses: false }), { name: 'hyperband', reduction: 4, minimum: 1, pauses: false }],
  [median(), { name: 'median', startup: 5, warmup: 0, interval: 1 }],
  [median({ warmup: 3 }), { name: 'median', startup: 5, warmup: 3, interval: 1 }],
  [patience(), { name: 'patience', patience: 5, minimumDelta: 0, pruner: null }],
  [
    patience({ minimumDelta: 0.1, pruner: median({ interval: 2 }) }),
    {
      name: 'patience',
      patience: 5,
      minimumDelta: 0.1,
      pruner: { name: 'median', startup: 5, warmup: 0, interval: 2 },
    },
  ],
]

test('each is described by its name and all of its options, as JSON gives them back', () => {
  for (const [one, expected] of all) assert.equal(JSON.parse(JSON.stringify(described(one))), expected)
})

test('no two that behave differently have the same description', () => {
  assert.is(new Set(all.map(([one]) => JSON.stringify(described(one)))).size, all.length)
})

test.run()
