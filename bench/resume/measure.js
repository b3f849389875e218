// Prints a line a save, or a line a round: see index.js.
import fs, { mkdtempSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const [work, count] = [process.argv[2], Number(process.argv[3])]
const folder = mkdtempSync(join(tmpdir(), 'gradus-resume-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** When the last checkpoint was put in its place, and what syncing has taken since the last look. */
let [placed, synced] = [0, 0]
const { rename, open } = fs.promises
fs.promises.rename = async (...paths) => {
  await rename(...paths)
  placed = performance.now()
}
const probe = await open(process.execPath)
const { sync } = Object.getPrototypeOf(probe)
Object.getPrototypeOf(probe).sync = async function () {
  const began = performance.now()
  await sync.call(this)
  synced += performance.now() - began
}
await probe.close()
syncBuiltinESMExports()
const { adam, checkpoint, dataset, dense, relu, sequential, softmaxCrossEntropy } = await import('../../dist/index.js')
const { randomUniform } = await import('../../dist/kernels.js')

function make(inputs, widths) {
  const layers = widths.flatMap((width, i) => (i + 1 < widths.length ? [dense(width), relu()] : [dense(width)]))
  const model = sequential({ input: [inputs], seed: 1 }, layers)
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 1e-4 }) })
  return model
}

const examples = (rows, inputs) =>
  dataset({
    x: { data: randomUniform(new Float32Array(rows * inputs), { seed: 1 }), shape: [rows, inputs] },
    y: Int32Array.from({ length: rows }, (_, i) => (i * 7919) % 10),
  })

/** Notes when native calls end and begin. */
function timeCalls(program) {
  const { train } = program
  const times = { ended: 0, still: 0 }
  program.train = async (call) => {
    if (times.ended > 0) times.still = Math.max(times.still, performance.now() - times.ended)
    try {
      return await train.call(program, call)
    } finally {
      times.ended = performance.now()
    }
  }
  return times
}

function memcpy(elements) {
  const [from, to] = [new Float32Array(elements).fill(1), new Float32Array(elements).fill(2)]
  const times = Array.from({ length: 5 }, () => {
    const began = performance.now()
    to.set(from)
    return performance.now() - began
  })
  return Math.min(...times)
}

/** Milliseconds from one look at the event loop to the next; it is late by what is more. */
const resolution = 1
const late = (loop) => loop.max / 1e6 - resolution

const elements = 10_000_000
if (work === 'save') {
  const model = make(1000, [3000, 2100, 326, 10])
  const data = examples(256, 1000)
  const times = timeCalls(model.program)
  const loop = monitorEventLoopDelay({ resolution })
  const options = { batchSize: 16, stepsPerCall: 1, quiet: true, threads: 2 }
  let run = 0
  // While training goes on: a save after each fourth of so many steps.
  const during = []
  let saving = false
  const watch = {
    onCheckpoint: () => {
      saving = true
      times.still = 0
      loop.reset()
    },
    onEpochEnd: () => {
      if (saving) during.push({ still: times.still, loop: late(loop) })
      saving = false
    },
  }
  loop.enable()
  // How late the loop is where nothing is saved: two threads that train leave it no core of its own.
  const without = []
  const look = {
    onEpochBegin: () => loop.reset(),
    onEpochEnd: () => {
      without.push(late(loop))
    },
  }
  await model.fit(data, { ...options, epochs: count + 1, callbacks: [look] })
  const many = { ...options, epochs: count + 2, dir: join(folder, `${run++}`) }
  await model.fit(data, { ...many, callbacks: [watch, checkpoint({ every: { epochs: 1 } })] })
  loop.disable()
  // While training waits for each save to its end, the one that makes the memory and the last, which comes with an end, left out.
  const waiting = []
  let began = 0
  const wait = {
    onCheckpoint: () => {
      began = performance.now()
      synced = 0
    },
    onEpochBegin: async () => {
      if (began === 0) return
      while (placed < began) await new Promise((resolve) => setTimeout(resolve, 1))
      waiting.push({ save: placed - began, sync: synced })
    },
  }
  const last = { ...options, epochs: count + 2, dir: join(folder, `${run++}`) }
  await model.fit(data, { ...last, callbacks: [wait, checkpoint({ every: 'epoch' })] })
  for (let i = 1; i <= count; i++) {
    console.log(JSON.stringify({ ...during[i], without: without[i], memcpy: memcpy(3 * elements), ...waiting[i] }))
  }
} else {
  const model = make(784, [512, 512, 10])
  const data = examples(128 * 64, 784)
  const time = async (callbacks) => {
    const began = performance.now()
    const before = model.program.step
    const run = { epochs: 1_000_000, batchSize: 128, quiet: true, threads: 2, maxSeconds: count }
    await model.fit(data, { ...run, dir: mkdtempSync(join(folder, 'run-')), callbacks })
    return (1000 * (performance.now() - began)) / (model.program.step - before)
  }
  // In turns, and each first in every second pair: the machine is faster at one moment than at another.
  for (let pair = 0; pair < 4; pair++) {
    const first = pair % 2 === 0 ? await time([]) : undefined
    const kept = await time([checkpoint({ every: { minutes: 1 / 60 } })])
    console.log(JSON.stringify({ kept, plain: first ?? (await time([])) }))
  }
}
