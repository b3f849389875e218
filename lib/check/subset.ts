/** Some of the examples a check is given: it needs few, wherever they lie. */
import { asTable, type ColumnData, elementsPerRow, isColumn, openColumn, product } from '../data/column.js'
import { Dataset } from '../data/dataset.js'
import { checkExamples, type Examples, type NumberedExamples } from '../data/examples.js'
import { numbered } from '../data/labels.js'
import { namedColumns, type Requirements } from '../data/plans.js'
import { philox } from '../data/random.js'
import { takeExamples } from '../data/split.js'
import { type Data, isStream } from '../data/stream.js'
import { GradusError, invalidArgument } from '../errors.js'

type Inputs = Requirements['inputs']

/** The examples of data that lie in memory. */
export function examplesOf(data: Data): NumberedExamples {
  if (data instanceof Dataset) return data.examples
  if (isStream(data)) throw invalidArgument('data', 'examples in memory as { x, y }', 'a stream')
  checkExamples('data', data)
  return numbered(data)
}

export function countExamples(examples: Examples, inputs: Inputs): number {
  const columns = namedColumns(examples.x, inputs)
  const { name, shape } = inputs[0]!
  return openColumn('x', columns[name]!, product(shape), 1).rows
}

/** At most `count` examples, one from each of as many equal stretches; the same object when there are no more. */
export function spreadExamples(examples: NumberedExamples, count: number, inputs: Inputs): NumberedExamples {
  const total = countExamples(examples, inputs)
  if (total === 0) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', 'data: expected at least one example, received none')
  }
  if (total <= count) return examples
  return takeExamples(
    examples,
    Uint32Array.from({ length: count }, (_, i) =>
      Math.floor(((i + philox([0, 0], [i, 0, 0, 0])[0] / 2 ** 32) * total) / count),
    ),
    total,
  )
}

/** Rows from `first` up to `end`, without copying them. */
export function sliceExamples(
  examples: NumberedExamples,
  first: number,
  end: number,
  inputs: Inputs,
): NumberedExamples {
  const total = countExamples(examples, inputs)
  const cut = (argument: string, data: ColumnData): ColumnData => {
    if (Array.isArray(data)) return data.slice(first, end)
    const table = asTable(argument, data)
    const elements = elementsPerRow(argument, data, total) ?? 0
    const part = table.data.subarray(first * elements, end * elements)
    if (data !== table) return part
    return { ...table, data: part, ...(table.shape && { shape: [end - first, ...table.shape.slice(1)] }) }
  }
  const named = Object.entries(namedColumns(examples.x, inputs)).map(([name, data]) => [name, cut('x', data)] as const)
  const { y, sampleWeights } = examples
  return {
    ...examples,
    x: isColumn(examples.x) ? named[0]![1] : Object.fromEntries(named),
    ...(y !== undefined && { y: cut('y', y) }),
    ...(sampleWeights !== undefined && { sampleWeights: cut('sampleWeights', sampleWeights) }),
  }
}
