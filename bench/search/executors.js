// Trials a second of a study whose trials do nothing: in this process, and in one and two others.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStudy, defineStudy, random, uniform } from '../../dist/search/index.js'
import { median } from '../lib/median.js'

const index = new URL('../../dist/search/index.js', import.meta.url).href
const optionsOf = (trials) => ({ metric: 'value', direction: 'minimize', trials })

async function secondsOf(study, workers) {
  const begun = performance.now()
  await study.optimize({ workers, quiet: true })
  return (performance.now() - begun) / 1000
}

async function inThisProcess(folder, trials) {
  const trial = ({ params }) => params.x ** 2
  const definition = defineStudy({ ...optionsOf(trials), sampler: random(), space: { x: uniform(-1, 1) }, trial })
  return await secondsOf(await createStudy(definition, { dir: join(folder, 'study') }), 1)
}

async function inProcesses(folder, trials, workers) {
  const file = join(folder, 'study.mjs')
  const rest = JSON.stringify(optionsOf(trials)).slice(1, -1)
  writeFileSync(
    file,
    `import { defineStudy, random, uniform } from ${JSON.stringify(index)}
export default defineStudy({ ${rest}, sampler: random(), space: { x: uniform(-1, 1) }, trial: ({ params }) => params.x ** 2 })
`,
  )
  return await secondsOf(await createStudy(file, { dir: join(folder, 'study') }), workers)
}

const executors = {
  'this process': inThisProcess,
  '1 process': (folder, trials) => inProcesses(folder, trials, 1),
  '2 processes': (folder, trials) => inProcesses(folder, trials, 2),
}

export async function executorsTable({ quick, rounds = quick ? 1 : 3, text }) {
  const trials = quick ? 200 : 1000
  const names = Object.keys(executors).filter((name) => name.includes(text))
  const found = new Map(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const folder = mkdtempSync(join(tmpdir(), 'gradus-executors-'))
      try {
        found.get(name).push(trials / (await executors[name](folder, trials)))
      } finally {
        rmSync(folder, { recursive: true })
      }
    }
  }
  return {
    title: 'Trials a second of an empty objective',
    columns: ['executor', 'trials a second'],
    rows: names.map((name) => [name, Math.round(median(found.get(name)))]),
    notes: [
      `Medians of ${rounds} studies of ${trials} trials each, from the first claim to the last result, workers’ start and all.`,
    ],
  }
}
