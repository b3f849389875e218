/** What the targets of a run are like: rules that know it can tell a rare class from a fault, and dollars from a bad net. */
import { type TargetFacts, TargetTally } from '../../check/chance.js'
import { countExamples, examplesOf } from '../../check/subset.js'
import { elementsPerRow, openColumn, product, scalesOf } from '../../data/column.js'
import type { NumberedExamples } from '../../data/examples.js'
import { renumbered } from '../../data/labels.js'
import { type Data, isStream } from '../../data/stream.js'
import type { Settings } from '../../train/settings.js'
import type { TrainTarget } from '../../train/target.js'

/** Numbers looked at, a few milliseconds of work; of more rows some, evenly spread. */
const lookedAt = 2 ** 18
const goldenRatio = (1 + Math.sqrt(5)) / 2

type Parts = { training: TargetFacts | null; validation: TargetFacts | null }

/** Of training, weighted as its loss is, and of validation; null for streams and data that cannot be read any more. */
export function targetFacts(target: TrainTarget, data: Data, settings: Settings): Parts {
  const { validation, validationSplit = 0, classWeights } = settings
  const training = inMemory(data)
  const held = validationSplit > 0 ? training : inMemory(validation)
  // The model's own numbers of the names, which training has settled by now.
  const classes = target.conventions.classes ?? training?.classes
  // As fit() cuts it.
  const cut = (rows: number) => rows - Math.round(rows * validationSplit)
  return {
    training: factsOf(target, training, (rows) => [0, cut(rows)], { classes, classWeights }),
    validation: factsOf(target, held, (rows) => [validationSplit > 0 ? cut(rows) : 0, rows], { classes }),
  }
}

/** What the numbers of the classes mean, and how much each class counts. */
interface Meaning {
  readonly classes: readonly string[] | undefined
  readonly classWeights?: Float64Array | undefined
}

function inMemory(data: Data | undefined): NumberedExamples | null {
  return data === undefined || isStream(data) ? null : examplesOf(data)
}

function factsOf(
  target: TrainTarget,
  examples: NumberedExamples | null,
  rangeOf: (rows: number) => [first: number, end: number],
  meaning: Meaning,
): TargetFacts | null {
  if (!examples) return null
  try {
    const rows = countExamples(examples, target.inputs)
    const [first, end] = rangeOf(rows)
    return end > first ? measured(target, examples, { rows, first, end }, meaning) : null
  } catch {
    // Arrays may have been transferred since they were copied.
    return null
  }
}

function measured(
  { descriptor, loss: { targets }, outputShape }: TrainTarget,
  { y, classes, sampleWeights }: NumberedExamples,
  { rows, first, end }: { rows: number; first: number; end: number },
  meaning: Meaning,
): TargetFacts | null {
  const outputs = product(outputShape)
  if (y === undefined || !descriptor.loss) return null
  const hasLabels = targets === 'labels' || (targets === 'either' && elementsPerRow('y', y, rows) !== outputs)
  const given = openColumn('y', y, hasLabels ? 1 : outputs, 1)
  const column = hasLabels && classes && meaning.classes ? renumbered(given, classes, meaning.classes) : given
  const { scales, offsets } = scalesOf(column.bytes, column.elements)
  const weights = sampleWeights && openColumn('sampleWeights', sampleWeights, 1, 1)
  const tally = new TargetTally(descriptor.loss, outputs, hasLabels)
  const count = Math.min(end - first, Math.max(100, Math.floor(lookedAt / column.elements)))
  const pass = (add: (value: number, element: number, weight: number) => void) => {
    for (let i = 0; i < count; i++) {
      // At uneven distances: labels may come in turns.
      const row = first + Math.floor(((i + ((i * goldenRatio) % 1)) * (end - first)) / count)
      const values = column.read(row, 1)
      const own = weights ? weights.read(row, 1)[0]! : 1
      const weight = own * (hasLabels ? (meaning.classWeights?.[values[0]!] ?? 1) : 1)
      for (let element = 0; element < column.elements; element++) {
        add(values[element]! * scales[element]! + offsets[element]!, element, weight)
      }
    }
  }
  pass((...one) => tally.count(...one))
  if (tally.needsMeasure) pass((...one) => tally.measure(...one))
  return tally.facts
}
