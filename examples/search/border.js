// A range whose best value lies at its border: the search says so, and goes on beyond. Run: node examples/search/border.js
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStudy, defineStudy, logUniform } from 'gradus/search'

// Best at 0.3, and the range ends at 0.01.
const error = (rate) => (Math.log10(rate) - Math.log10(0.3)) ** 2
const study = await createStudy(
  defineStudy({
    metric: 'error',
    direction: 'minimize',
    space: { rate: logUniform(1e-6, 0.01) },
    stages: Array.from({ length: 5 }, () => ({ trials: 20, epochs: 1 })),
    trial: ({ params }) => error(params.rate),
  }),
  { dir: join(mkdtempSync(join(tmpdir(), 'gradus-border-')), 'study') },
)
await study.optimize({ quiet: true, onNote: console.log })
const { params, value } = await study.best()
console.log(`best: rate ${params.rate.toPrecision(2)}, error ${value.toPrecision(2)}`)
