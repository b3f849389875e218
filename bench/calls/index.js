// What a prediction of one row takes with and without the way to another thread and back: in one process, taking turns.
import { dense, relu, sequential } from '../../dist/index.js'
import { median } from '../lib/median.js'

const nets = [
  [32, 64, 64, 8],
  [784, 512, 512, 10],
]

function model([inputs, ...sizes]) {
  const layers = sizes.flatMap((units, i) => (i + 1 < sizes.length ? [dense(units), relu()] : [dense(units)]))
  return sequential({ input: [inputs], seed: 1 }, layers)
}

/** Microseconds a call, of so many in a row. */
async function timed(calls, call) {
  const begin = performance.now()
  for (let i = 0; i < calls; i++) await call()
  return ((performance.now() - begin) * 1000) / calls
}

/** The same without a promise between the calls. */
function timedSync(calls, call) {
  const begin = performance.now()
  for (let i = 0; i < calls; i++) call()
  return ((performance.now() - begin) * 1000) / calls
}

async function measure(sizes, { rounds, calls }) {
  const net = model(sizes)
  const x = Float32Array.from({ length: sizes[0] }, (_, i) => Math.sin(i))
  const rows = [Array.from(x)]
  const found = { typed: [], nested: [], promised: [] }
  for (let round = 0; round <= rounds; round++) {
    const typed = timedSync(calls, () => net.predictSync(x))
    const nested = timedSync(calls, () => net.predictSync(rows))
    const promised = await timed(calls, () => net.predict(x))
    if (round === 0) continue // V8 compiles what is called often
    found.typed.push(typed)
    found.nested.push(nested)
    found.promised.push(promised)
  }
  return [found.typed, found.nested, found.promised].map(median)
}

export async function run({ quick = false } = {}) {
  const plan = quick ? { rounds: 3, calls: 500 } : { rounds: 15, calls: 4000 }
  const rows = []
  for (const sizes of nets) {
    const [typed, nested, promised] = await measure(sizes, plan)
    const measured = [typed, nested, promised, promised / typed].map((value) => Number(value.toPrecision(3)))
    rows.push([sizes.join('-'), ...measured])
  }
  const columns = ['net', 'predictSync µs', 'of nested arrays µs', 'predict µs', 'ratio']
  const notes = [
    `Times in µs a call of one row, medians of ${plan.rounds} times ${plan.calls} calls; ratio: predict to predictSync.`,
    'predictSync takes a Float32Array, predict as well; predict runs on as many threads as there are cores.',
  ]
  return { title: 'A prediction of one row, float32', columns, rows, notes }
}
