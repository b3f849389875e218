/** What the targets of a run are like: rules that know it can tell a rare class from a fault, and dollars from a bad net. */
import { type TargetFacts, TargetTally } from '../../check/chance.js'
import { countExamples, examplesOf } from '../../check/subset.js'
import { elementsPerRow, openColumn, product } from '../../data/column.js'
import type { Examples } from '../../data/dataset.js'
import { type Data, isStream } from '../../data/stream.js'
import type { Settings } from '../../train/options.js'
import type { TrainTarget } from '../../train/target.js'

/** Numbers looked at, a few milliseconds of work; of more rows some, evenly spread. */
const lookedAt = 2 ** 18
const goldenRatio = (1 + Math.sqrt(5)) / 2

type Parts = { training: TargetFacts | null; validation: TargetFacts | null }

/** Of training, weighted as its loss is, and of validation; null for streams and data that cannot be read any more. */
export function targetFacts(target: TrainTarget, data: Data, settings: Settings): Parts {
  const { validation, validationSplit = 0, classWeights } = settings
  // As fit() cuts it.
  const first = (rows: number) => rows - Math.round(rows * validationSplit)
  return {
    training: factsOf(target, data, (rows) => [0, first(rows)], classWeights),
    validation:
      validationSplit > 0
        ? factsOf(target, data, (rows) => [first(rows), rows])
        : factsOf(target, validation, (rows) => [0, rows]),
  }
}

function factsOf(
  target: TrainTarget,
  data: Data | undefined,
  rangeOf: (rows: number) => [first: number, end: number],
  classWeights?: Float64Array,
): TargetFacts | null {
  if (data === undefined || isStream(data)) return null
  try {
    const examples = examplesOf(data)
    const rows = countExamples(examples, target.inputs)
    const [first, end] = rangeOf(rows)
    return end > first ? measured(target, examples, { rows, first, end }, classWeights) : null
  } catch {
    // Arrays may have been transferred since they were copied.
    return null
  }
}

function measured(
  { descriptor, loss: { targets }, outputShape }: TrainTarget,
  { y, sampleWeights }: Examples,
  { rows, first, end }: { rows: number; first: number; end: number },
  classWeights?: Float64Array,
): TargetFacts | null {
  const outputs = product(outputShape)
  if (y === undefined || !descriptor.loss) return null
  const hasLabels = targets === 'labels' || (targets === 'either' && elementsPerRow('y', y, rows) !== outputs)
  const { bytes, ...column } = openColumn('y', y, hasLabels ? 1 : outputs, 1)
  const { scale, offset } = bytes ?? { scale: 1, offset: 0 }
  const weights = sampleWeights && openColumn('sampleWeights', sampleWeights, 1, 1)
  const tally = new TargetTally(descriptor.loss, outputs, hasLabels)
  const count = Math.min(end - first, Math.max(100, Math.floor(lookedAt / column.elements)))
  const pass = (add: (value: number, element: number, weight: number) => void) => {
    for (let i = 0; i < count; i++) {
      // At uneven distances: labels may come in turns.
      const row = first + Math.floor(((i + ((i * goldenRatio) % 1)) * (end - first)) / count)
      const values = column.read(row, 1)
      const own = weights ? weights.read(row, 1)[0]! : 1
      const weight = own * (hasLabels ? (classWeights?.[values[0]!] ?? 1) : 1)
      for (let element = 0; element < column.elements; element++) {
        add(values[element]! * scale + offset, element, weight)
      }
    }
  }
  pass((...one) => tally.count(...one))
  if (tally.needsMeasure) pass((...one) => tally.measure(...one))
  return tally.facts
}
