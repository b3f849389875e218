// One training step of four networks against PyTorch and tfjs: each in its own process, taking turns.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { geometricMean, median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'
import { rivalsPython } from '../lib/python.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const nets = JSON.parse(readFileSync(path('nets.json'), 'utf8'))
const optimizers = ['adam', 'nesterov']
const threads = { OMP_NUM_THREADS: '2', OPENBLAS_NUM_THREADS: '2' }

/** Name to what runs it: (net, optimizer, milliseconds) → microseconds a step; ours also without statistics. */
function competitors() {
  const node =
    (script, ...rest) =>
    (...args) =>
      runProcess(process.execPath, ['--no-warnings', path(script), ...args.map(String), ...rest])
  const python = rivalsPython()
  const found = { ours: node('ours.js') }
  if (python) found.torch = (...args) => runProcess(python, [path('torch_step.py'), ...args.map(String)], threads)
  if (existsSync(path('../node_modules/@tensorflow/tfjs'))) {
    found.wasm = node('tfjs_step.js', 'wasm')
    found.cpu = node('tfjs_step.js', 'cpu')
  }
  return found
}

/** tfjs takes up to seconds a step: where it is slowest it is left out, which the table shows as –. */
function takesPart(name, number, quick) {
  if (name === 'wasm') return !quick || number < 2
  if (name === 'cpu') return number < (quick ? 1 : 2)
  return true
}

async function measure({ quick, rounds, milliseconds }) {
  const runs = competitors()
  const times = new Map()
  for (let round = 0; round < rounds; round++) {
    for (const number of nets.keys()) {
      for (const optimizer of optimizers) {
        for (const [name, run] of Object.entries(runs)) {
          if (!takesPart(name, number, quick)) continue
          const key = `${number} ${optimizer} ${name}`
          const printed = await run(number, optimizer, milliseconds)
          times.set(key, [...(times.get(key) ?? []), printed.trim().split(' ').map(Number)])
        }
      }
    }
  }
  return times
}

const rounded = (value, digits = 3) => (value === undefined ? '–' : Number(value.toPrecision(digits)))

export async function run({ quick = false } = {}) {
  const plan = quick ? { rounds: 1, milliseconds: 250 } : { rounds: 3, milliseconds: 1000 }
  const times = await measure({ quick, ...plan })
  const rows = []
  const ratios = []
  const costs = []
  for (const [number, { name, batch }] of nets.entries()) {
    for (const optimizer of optimizers) {
      const of = (who, column = 0) => {
        const found = times.get(`${number} ${optimizer} ${who}`)
        return found && median(found.map((values) => values[column]))
      }
      const ours = of('ours')
      const ratio = (who) => of(who) && of(who) / ours
      if (of('torch')) ratios.push(ratio('torch'))
      const pairs = times.get(`${number} ${optimizer} ours`)
      costs.push(100 * (median(pairs.map(([on, off]) => on / off)) - 1))
      const measured = [ours, of('torch'), ratio('torch'), of('wasm'), ratio('wasm'), of('cpu'), costs.at(-1)]
      rows.push([`${name} @ ${batch}`, optimizer, ...measured.map((value) => rounded(value))])
    }
  }
  const blocks = { 1: [], 2: [] }
  for (let round = 0; round < plan.rounds; round++) {
    for (const count of Object.keys(blocks)) {
      blocks[count].push(Number(await runProcess(process.execPath, ['--expose-gc', path('event_loop.js'), count])))
    }
  }
  const longest = Object.entries(blocks).map(([count, found]) => `${rounded(median(found))} ms with ${count}`)
  const notes = [
    'Times in µs a step, with tensor statistics on; a ratio above 1 says that Gradus is faster. Two threads each.',
    'Gradus gathers another batch of resident data each step; the rivals take the same one again.',
    `Statistics on against off: ${rounded(median(costs), 2)} % of step time in the median of the rows.`,
    `Longest block of the event loop during fit on 60,000 × 784 bytes: ${longest.join(', ')} threads on two cores.`,
  ]
  if (ratios.length) notes.push(`Geometric mean of the ratios to PyTorch: ${geometricMean(ratios).toFixed(1)}.`)
  const columns = ['net', 'optimizer', 'Gradus µs', 'PyTorch µs', 'ratio', 'tfjs wasm µs', 'ratio, wasm', 'tfjs cpu µs']
  return { title: 'One training step, float32', columns: [...columns, 'statistics, %'], rows, notes }
}
