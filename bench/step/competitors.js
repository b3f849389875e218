// Who takes part. Each runs a row in a process of its own and tells { microseconds } of a step, and which version it is.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runProcess } from '../lib/process.js'
import { rivalEnvironment, rivalsPython } from '../lib/python.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
export const threads = 2
/** The rival that, like Gradus, does many steps in a call. */
export const loop = 'JAX loop'

const node =
  (script, ...rest) =>
  async ({ net, work }, milliseconds) =>
    JSON.parse(await runProcess(process.execPath, ['--no-warnings', path(script), net, work, milliseconds, ...rest]))

/** Gradus as it is in a checkout; of training also the time withoutStatistics. */
export const gradus = (checkout = path('../..'), count = threads) => node('ours.js', count, checkout)

/** GFLOP/s of bare multiply-adds, with as many threads as the competitors have. */
export const peak = async () => Number(await runProcess(path('../../build/Release/gradus_bench_peak'), [threads]))

const always = () => true

/** Name → { run, takesPart(row, round) }. tfjs takes up to seconds a step: once is enough, and not where it is slowest. */
export function rivals({ quick }) {
  const found = {}
  const python = rivalsPython()
  if (python) {
    const script =
      (name, mode) =>
      async ({ net, work }, milliseconds) => {
        const values = [path(name), net, work, milliseconds, mode]
        return JSON.parse(await runProcess(python, values, rivalEnvironment(threads)))
      }
    // Without an update fused is eager; a loop that changes nothing would be done once, whatever its count.
    const isTraining = (row) => row.isTraining
    found['PyTorch eager'] = { run: script('torch_step.py', 'eager'), takesPart: always }
    found['PyTorch fused'] = { run: script('torch_step.py', 'fused'), takesPart: isTraining }
    found['PyTorch compiled'] = { run: script('torch_step.py', 'compiled'), takesPart: always }
    found['JAX jit'] = { run: script('jax_step.py', 'step'), takesPart: always }
    found[loop] = { run: script('jax_step.py', 'loop'), takesPart: isTraining }
  }
  if (!quick && existsSync(path('../node_modules/@tensorflow/tfjs'))) {
    const once = (row, round) => round === 0 && row.isMain
    found['tfjs wasm'] = { run: node('tfjs_step.js', 'wasm'), takesPart: once }
    found['tfjs cpu'] = { run: node('tfjs_step.js', 'cpu'), takesPart: (row, round) => once(row, round) && row.net < 2 }
  }
  return found
}
