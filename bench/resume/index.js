// What checkpoints cost: how long training stands still, how long a save takes beside torch.save, and what one a second costs.
import { fileURLToPath } from 'node:url'
import { median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'
import { rivalEnvironment, rivalsPython } from '../lib/python.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const ours = async (work, ...args) => lines(await runProcess(process.execPath, [path('measure.js'), work, ...args]))
const lines = (output) =>
  output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

async function torch(saves) {
  const python = rivalsPython()
  return python ? lines(await runProcess(python, [path('torch_save.py'), saves], rivalEnvironment(2))) : []
}

const shown = (values, digits = 1) => (values.length > 0 ? Number(median(values).toFixed(digits)) : '—')

/** Rounds of one process each, ours and PyTorch's in turns. */
export async function run({ quick = false, rounds = quick ? 1 : 9 } = {}) {
  const saves = []
  const rivals = []
  const costs = []
  for (let round = 0; round < rounds; round++) {
    saves.push(...(await ours('save', '3')))
    // The first of a process makes its memory.
    rivals.push(...(await torch('4')).slice(1))
    costs.push(...(await ours('each-second', quick ? '2' : '4')))
  }
  const of = (name) => saves.map((save) => save[name])
  const ratios = rivals.map(({ save }, i) => (of('save')[i] - of('sync')[i]) / save)
  const rows = [
    [
      'training stands still, ms',
      shown(of('still')),
      `memcpy ${shown(of('memcpy'))}`,
      shown(
        saves.map(({ still, memcpy }) => still / memcpy),
        2,
      ),
    ],
    [
      'event loop held up at most, ms',
      shown(of('loop')),
      `without a save ${shown(of('without'))}`,
      shown(
        saves.map(({ loop, without }) => loop / without),
        2,
      ),
    ],
    [
      'save but for its fsync, ms',
      shown(saves.map(({ save, sync }) => save - sync)),
      `torch.save ${shown(rivals.map(({ save }) => save))}`,
      shown(ratios, 2),
    ],
    ['fsync, ms', shown(of('sync')), '—', '—'],
    [
      'steps with a checkpoint a second, µs',
      shown(costs.map(({ kept }) => kept)),
      `without ${shown(costs.map(({ plain }) => plain))}`,
      shown(
        costs.map(({ kept, plain }) => kept / plain),
        3,
      ),
    ],
  ]
  return {
    title: 'what checkpoints cost',
    columns: ['what', 'Gradus', 'against', 'ratio'],
    rows,
    notes: [
      '10 million parameters with Adam: 120 MB. Medians of all saves but the first of each process; ratios are medians of each pair’s own.',
      'Training stands still from the end of one native call to the begin of the next, with the copy of the state between them; it goes on while that is hashed, written and synced. The save is timed, copy included, while training waits, as it does for torch.save; that neither hashes with SHA-256 nor syncs.',
      'The event loop is as late as the worst moment of 16 steps on two threads, which leave it no core of its own: with a save under way, and without.',
      'A checkpoint a second: 784-512-512-10 at batch 128, Adam, two threads, runs of four seconds in turns.',
    ],
  }
}
