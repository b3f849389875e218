// Gradient checks against PyTorch's gradcheck: each in its own process, taking turns.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'
import { rivalsPython } from '../lib/python.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const nets = JSON.parse(readFileSync(path('nets.json'), 'utf8'))
const threads = { OMP_NUM_THREADS: '2', OPENBLAS_NUM_THREADS: '2' }

const rounded = (value, digits = 3) => (value === undefined ? '–' : Number(value.toPrecision(digits)))

export async function run({ quick = false } = {}) {
  const rounds = quick ? 1 : 5
  const python = rivalsPython()
  const rows = []
  for (const [number, { name, examples }] of nets.entries()) {
    const [ours, torch] = [[], []]
    for (let round = 0; round < rounds; round++) {
      ours.push(JSON.parse(await runProcess(process.execPath, [path('ours.js'), String(number)])))
      const { evaluations } = ours.at(-1)
      if (!python) continue
      const output = await runProcess(
        python,
        [path('torch_gradcheck.py'), String(number), String(evaluations)],
        threads,
      )
      torch.push(JSON.parse(output))
    }
    const of = (found, key) => found.length && median(found.map((values) => values[key]))
    const [own, rival] = [ours, torch].map((found) => of(found, 'evaluations') / of(found, 'seconds'))
    const ratio = torch.length ? own / rival : undefined
    rows.push([
      `${name} @ ${examples}`,
      ...[of(ours, 'evaluations'), of(ours, 'seconds'), own, torch.length ? rival : undefined, ratio].map((value) =>
        rounded(value),
      ),
      ours[0].verdict,
    ])
  }
  const columns = [
    'net',
    'evaluations',
    'seconds',
    'Gradus, evaluations/s',
    'PyTorch, evaluations/s',
    'ratio',
    'verdict',
  ]
  const notes = [
    'A whole check with its defaults: 20 coordinates of each tensor, the search for the step and retries included.',
    'PyTorch: gradcheck in float64, on about as many evaluations, of elements of the biases: it checks whole tensors only.',
    'Two threads each. A ratio above 1 says that Gradus is faster.',
  ]
  return { title: 'Gradient checks, float64', columns, rows, notes }
}
