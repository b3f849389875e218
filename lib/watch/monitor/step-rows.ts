import type { StepsReport } from '../../train/callback.js'
import { type Rows, stepColumns, stepRowWidth, tensorColumns } from '../recording/files.js'

/** Numbers of a float64 run can be larger than what a table holds. */
const largest = 3.4e38
const bounded = (value: number) => (value > largest ? largest : value < -largest ? -largest : value)

export interface StepRowsOptions {
  /** Elements of the trainable tensors. */
  sizes: readonly number[]
  /** Steps between rows. */
  every: number
  /** Of the optimizer, where none is scheduled. */
  momentum: number
  /** Seconds since the run began, at the first update's begin and at the last one's end. */
  from: number
  to: number
}

/** The rows of the updates of one native call whose number is a multiple of `every`, in the memory of `used`. */
export function stepRows(report: StepsReport, used: Rows, options: StepRowsOptions): Rows {
  const { every, sizes, from, to } = options
  const { updates, refused, firstStep } = report
  const numbers: number[] = []
  const picked: number[] = []
  for (let update = 0, step = firstStep; update < updates; update++) {
    if (step % every === 0) {
      picked.push(update)
      numbers.push(step)
    }
    if (!refused[update]) step++
  }
  const rows = used.reuse(picked.length, stepRowWidth(sizes.length))
  for (const [row, update] of picked.entries()) {
    const start = row * rows.width
    const accepted = numbers[row]! - firstStep
    rows.steps[start] = numbers[row]!
    const { values } = rows
    values[start + 1] = from + ((to - from) * (update + 1)) / updates
    values[start + 2] = bounded(report.loss[update]!)
    values[start + 3] = bounded(report.regularizationLoss[update]!)
    values[start + 4] = report.learningRates[accepted]!
    values[start + 5] = report.momenta ? report.momenta[accepted]! : options.momentum
    values[start + 6] = bounded(report.gradientNorm[update]!)
    values[start + 7] = refused[update]!
    addTensors(report, update, sizes, values, start + stepColumns.length)
  }
  return rows
}

/** Of each tensor the core gives ‖g‖, ‖w‖, ‖Δw‖ and how many elements of g are not finite. */
function addTensors(
  { tensors }: StepsReport,
  update: number,
  sizes: readonly number[],
  values: Float32Array,
  start: number,
): void {
  let from = update * sizes.length * 4
  let at = start
  for (let tensor = 0; tensor < sizes.length; tensor++, from += 4, at += tensorColumns.length) {
    const weightNorm = tensors[from + 1]!
    values[at] = weightNorm > 0 ? bounded(tensors[from + 2]! / weightNorm) : 0
    values[at + 1] = bounded(weightNorm)
    values[at + 2] = bounded(tensors[from]!)
    values[at + 3] = tensors[from + 3]! / sizes[tensor]!
  }
}
