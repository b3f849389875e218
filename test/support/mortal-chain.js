// A run that is killed again and again, each time in a process of its own, and goes on until it has lived to its end.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { availableIsas } from 'gradus/kernels'
import { openRun } from '../../dist/watch/recording/index.js'

const scriptOf = (name) => fileURLToPath(new URL(name, import.meta.url))

/** Whole numbers below a limit, by seed. */
export function chooser(seed) {
  let state = seed >>> 0
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** One process. It kills itself, or is killed so many milliseconds after it has begun, or gives what it has come to. */
export async function live(spec, { isa = availableIsas[0], killAfter = null, script = 'mortal-run.js' } = {}) {
  const env = { ...process.env, GRADUS_ISA: isa }
  const child = spawn(process.execPath, [scriptOf(script), JSON.stringify(spec)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  let [output, errors, timer] = ['', '', null]
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    if (killAfter !== null) timer ??= setTimeout(() => child.kill('SIGKILL'), killAfter)
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text
  })
  const [code, signal] = await closed
  clearTimeout(timer)
  if (signal === 'SIGKILL') return { isKilled: true, errors }
  if (code !== 0)
    throw new Error(`a run with ${JSON.stringify(spec)} under ${isa} has ended by ${code ?? signal}:\n${errors}`)
  return { isKilled: false, errors, result: JSON.parse(output.trimEnd().split('\n').at(-1)) }
}

/**
 * What a run has come to after all these deaths; each is `{ event, count }` or `{ after: milliseconds }`. One that comes too late
 * for the process is left out. Threads and instruction set change from process to process, and what `vary` gives.
 */
export async function chain(spec, deaths, choose, { script, vary = () => ({}) } = {}) {
  let kills = 0
  for (const { after = null, ...killAt } of [...deaths, {}]) {
    const place = { threads: 1 + choose(2), isa: availableIsas[choose(availableIsas.length)] }
    const own = { ...spec, resume: true, threads: place.threads, ...vary(choose), killAt: killAt.event ? killAt : null }
    const life = await live(own, { isa: place.isa, killAfter: after, script })
    if (!life.isKilled) return { ...life, kills }
    kills++
  }
  throw new Error('the last process was killed by somebody else')
}

/** A run directory as it lies on the disk, read without the package's readers: all but times and processes. */
export function recorded(dir) {
  const bytes = (name) => readFileSync(join(dir, name))
  const info = JSON.parse(bytes('run.json'))
  const lines = bytes('metrics.jsonl').toString().trimEnd().split('\n').map(JSON.parse)
  const rowsOf = (name, width) => {
    const table = bytes(name)
    if (table.length % (4 * width) !== 0) throw new Error(`${name} ends within a row of ${width}`)
    // Their bits; those of NaN are any.
    const cell = (at) => (Number.isNaN(table.readFloatLE(at)) ? 'NaN' : table.readUInt32LE(at))
    return Array.from({ length: table.length / (4 * width) }, (_, row) =>
      Array.from({ length: width }, (_, column) => cell(4 * (row * width + column))),
    )
  }
  const steps = rowsOf('steps.f32', 8 + 4 * info.tensors.length)
  for (const row of steps) row[1] = 0
  return {
    steps,
    layers: rowsOf('layers.f32', 3 + 5 * info.layers.length),
    histograms: bytes('histograms.bin').toString('latin1'),
    epochs: lines
      .filter(({ type }) => type === 'epoch')
      .map(({ seconds: _, samplesPerSecond: __, time: ___, ...entry }) => entry),
    refusals: lines.filter(({ type }) => type === 'refusal').map(({ seconds: _, time: __, ...entry }) => entry),
    begins: lines.filter(({ type }) => type === 'begin').length,
    ends: lines.filter(({ type }) => type === 'end').map(({ stoppedBy, step }) => [stoppedBy, step]),
  }
}

/** Where processes die, each kind with how often it happens at most before a run has ended. */
export const deathEvents = {
  piece: 60,
  'first begin': 1,
  'last begin': 1,
  'first steps': 50,
  'last steps': 50,
  'first checkpoint': 20,
  'last checkpoint': 20,
  validation: 25,
  'first epoch': 10,
  'last epoch': 10,
}

/** Runs without an interruption and without checkpoints, by where their examples come from. */
export async function wholeRuns(folder) {
  const whole = {}
  for (const stream of [false, true]) {
    const dir = join(folder, stream ? 'whole stream' : 'whole')
    const { result } = await live({ dir, stream })
    whole[stream] = { result, recording: recorded(dir), read: await read(dir) }
  }
  return whole
}

/** The same as the package's own reader has it. */
async function read(dir) {
  const { steps, layers, epochs } = (await openRun(dir)).recording()
  const { seconds: _, ...columns } = steps
  return JSON.stringify({
    steps: columns,
    layers,
    epochs: epochs.map(({ seconds: _, samplesPerSecond: __, ...epoch }) => epoch),
  })
}

/** How a run that was interrupted differs from one that was not; empty where it does not. */
export async function differences(dir, result, whole) {
  const found = []
  const compare = (name, one, other) => {
    if (!isDeepStrictEqual(one, other)) found.push(name)
  }
  for (const name of Object.keys(whole.result)) compare(name, result[name], whole.result[name])
  const { begins: _, ...recording } = recorded(dir)
  for (const [name, part] of Object.entries(recording)) compare(`recorded ${name}`, part, whole.recording[name])
  compare('what openRun reads', await read(dir), whole.read)
  return found
}
