import type { MessageInitShape } from '@bufbuild/protobuf'
import { histogramBins, histogramEdges } from '../recording/files.js'
import type { HistogramSchema } from './event_pb.js'

export type Histogram = MessageInitShape<typeof HistogramSchema>

/** Where the outermost bins, which are open, are taken to end. */
const outermost = 2 ** 8

/** Upper ends of the bins of a run's histograms, in order; bin b begins at end b − 1. */
const ends = Float64Array.of(...histogramEdges.map((edge) => -edge).reverse(), ...histogramEdges, outermost)
const beginOf = (bin: number) => ends[bin - 1] ?? -outermost

/**
 * TensorBoard's histogram of counts. The sums of values and squares are those of the bins' middles where mean and deviation
 * are not known, least and largest value the ends of the outermost bins with anything in them. Null when all are empty.
 */
export function toHistogram(counts: ArrayLike<number>, known?: { mean: number; deviation: number }): Histogram | null {
  let [first, last, num, sum, sumSquares] = [histogramBins, -1, 0, 0, 0]
  for (let bin = 0; bin < histogramBins; bin++) {
    const count = counts[bin]!
    if (count === 0) continue
    const middle = (beginOf(bin) + ends[bin]!) / 2
    first = Math.min(first, bin)
    last = bin
    num += count
    sum += count * middle
    sumSquares += count * middle * middle
  }
  if (num === 0) return null
  if (known && Number.isFinite(known.mean) && Number.isFinite(known.deviation)) {
    sum = num * known.mean
    sumSquares = num * (known.mean ** 2 + known.deviation ** 2)
  }
  const bins = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  return {
    ...{ min: beginOf(first), max: ends[last]!, num, sum, sumSquares },
    bucketLimit: bins.map((bin) => ends[bin]!),
    bucket: bins.map((bin) => counts[bin]!),
  }
}
