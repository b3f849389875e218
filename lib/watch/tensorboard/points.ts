/** What a run reports, as points of TensorBoard's charts. */
import type { Inspections } from '../../native.js'
import type { EpochRecord, StepsReport } from '../../train/index.js'
import { histogramBins, layerColumns } from '../recording/files.js'
import { toHistogram } from './histogram.js'
import type { Point } from './point.js'

/** Every column of the epoch that is a number. */
export function epochPoint({ epoch, ...columns }: EpochRecord): Point {
  const numbers = Object.entries(columns).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return { step: epoch, scalars: Object.fromEntries(numbers.map(([name, value]) => [`epoch/${name}`, value])) }
}

/** Of the steps whose number is a multiple of `every`; refused ones have no number. */
export function stepPoints(report: StepsReport, every: number, tensors: readonly string[]): Point[] {
  const points: Point[] = []
  let accepted = 0
  for (let update = 0; update < report.updates; update++) {
    if (report.refused[update]) continue
    const step = report.firstStep + accepted
    if (step % every === 0) points.push({ step, scalars: stepScalars(report, update, accepted, tensors) })
    accepted++
  }
  return points
}

function stepScalars(report: StepsReport, update: number, accepted: number, tensors: readonly string[]) {
  const { loss, regularizationLoss, gradientNorm, learningRates, momenta, weightDecays } = report
  const scalars: Record<string, number> = {
    'step/loss': loss[update]!,
    'step/regularizationLoss': regularizationLoss[update]!,
    'step/learningRate': learningRates[accepted]!,
    'step/gradientNorm': gradientNorm[update]!,
    ...(momenta && { 'step/momentum': momenta[accepted] }),
    ...(weightDecays && { 'step/weightDecay': weightDecays[accepted] }),
  }
  tensors.forEach((name, tensor) => {
    const [, weightNorm, changeNorm] = report.tensors.subarray(4 * (update * tensors.length + tensor))
    scalars[`ratio/${name}`] = weightNorm! > 0 ? changeNorm! / weightNorm! : 0
  })
  return scalars
}

/** Of refused steps nothing. */
export function histogramPoints(
  { steps, refused, values }: Inspections,
  layers: readonly string[],
  tensors: readonly string[],
  isWanted: (step: number) => boolean,
): Point[] {
  const width = values.length / steps.length
  const points: Point[] = []
  steps.forEach((step, row) => {
    if (refused[row] || !isWanted(step)) return
    points.push({ step, scalars: {}, histograms: histogramsOf(values.subarray(row * width), layers, tensors) })
  })
  return points
}

function histogramsOf(row: Float32Array, layers: readonly string[], tensors: readonly string[]) {
  const histograms: NonNullable<Point['histograms']> = {}
  let at = layers.length * layerColumns.length
  const add = (tag: string, known?: Parameters<typeof toHistogram>[1]) => {
    const histogram = toHistogram(row.subarray(at, at + histogramBins), known)
    at += histogramBins
    if (histogram) histograms[tag] = histogram
  }
  layers.forEach((name, i) => {
    const [mean, deviation] = row.subarray(i * layerColumns.length)
    add(`activations/${name}`, { mean: mean!, deviation: deviation! })
  })
  for (const name of tensors) add(`gradients/${name}`)
  for (const name of tensors) add(`weights/${name}`)
  return histograms
}
