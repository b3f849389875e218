import { product } from '../../../data/column.js'
import { type Finding, failed, passed, type SanityCheck, short } from '../check.js'
import { type Context, forEachNumber, type NumberColumn } from '../context.js'

/** The targets are of the kind that the loss takes. */
export const targets: SanityCheck = {
  name: 'targets',
  needs: 'data',
  run(context) {
    const column = context.targetColumn()
    const { targets: kind, call } = context.model.loss
    const outputs = product(context.model.outputShape)
    if (!column) {
      const expected = kind === 'labels' ? 'one class number an example' : `${outputs} numbers an example`
      const actual = context.examples.y === undefined ? 'no y' : 'another count of numbers'
      return failed(
        expected,
        actual,
        `y does not fit the ${context.rows} rows of x and the loss ${call[0]}`,
        adviceFor(kind),
      )
    }
    if (context.hasLabels) return labels(column, context)
    if (kind === 'labels' || column.elements !== outputs) return wrongForm(column, context, outputs)
    return dense(column, context)
  },
}

const adviceFor = (kind: string): string =>
  kind === 'dense'
    ? 'give targets shaped as the output, or take a loss on class numbers such as softmaxCrossEntropy()'
    : 'give one class number an example, as argmax() makes them of one-hot rows'

function wrongForm({ elements }: NumberColumn, { model }: Context, outputs: number): Finding {
  const [name] = model.loss.call
  const isDense = model.loss.targets === 'dense'
  const expected = isDense ? `${outputs} numbers an example` : 'one class number an example'
  const message = `the loss ${name} takes ${expected}, and y has ${elements}`
  return failed(expected, `${elements} numbers an example`, message, adviceFor(model.loss.targets))
}

async function labels(column: NumberColumn, { classes, model }: Context): Promise<Finding> {
  const expected = `whole numbers from 0 to ${classes - 1}`
  if (column.elements !== 1) return wrongForm(column, { model } as Context, classes)
  let [low, high, fraction, bad] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 0]
  await forEachNumber(column, (value) => {
    if (!Number.isFinite(value)) return
    low = Math.min(low, value)
    high = Math.max(high, value)
    if (!Number.isInteger(value)) fraction = value
    if (!Number.isInteger(value) || value < 0 || value >= classes) bad++
  })
  const actual = `${short(low)} to ${short(high)}`
  if (!bad) return passed(expected, actual, 'the class numbers fit the outputs')
  if (!Number.isNaN(fraction)) {
    const message = `y has ${short(fraction)}, which is no class number: the loss ${model.loss.call[0]} does not fit`
    return failed(expected, actual, message, 'for numbers as targets take meanSquaredError() or huber()')
  }
  const isShifted = low === 1 && high === classes
  const cause = isShifted ? 'the labels are off by one: they begin at 1' : `${bad} labels are out of range`
  const advice = isShifted ? 'subtract 1 from each label' : `make the last layer wide enough, or correct the labels`
  return failed(expected, actual, `${cause}, and the model has the classes 0 to ${classes - 1}`, advice)
}

/** Probabilities for the losses on them; class numbers where a single output is regressed are not told from counts. */
async function dense(column: NumberColumn, { model, classes }: Context): Promise<Finding> {
  const { call, kind } = model.loss
  const isProbability = kind === 'binary_cross_entropy' || kind === 'softmax_cross_entropy'
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const sums = new Float64Array(column.rows)
  await forEachNumber(column, (value, row) => {
    low = Math.min(low, value)
    high = Math.max(high, value)
    sums[row]! += value
  })
  const actual = `${short(low)} to ${short(high)}`
  if (!isProbability) return passed('numbers shaped as the output', actual, 'the targets are shaped as the output')
  if (low < 0 || high > 1) {
    const message = `the loss ${call[0]} takes probabilities from 0 to 1, and y goes from ${short(low)} to ${short(high)}`
    const advice =
      'for class numbers take softmaxCrossEntropy() with an output for each class, for quantities meanSquaredError()'
    return failed('numbers from 0 to 1', actual, message, advice)
  }
  const row = kind === 'softmax_cross_entropy' ? sums.findIndex((sum) => Math.abs(sum - 1) > 1e-3) : -1
  if (row < 0) return passed('numbers from 0 to 1', actual, 'the targets are probabilities')
  const message = `row ${row} of y sums to ${short(sums[row]!)}: it is no distribution over the ${classes} classes`
  return failed(
    'rows that sum to 1',
    `a row that sums to ${short(sums[row]!)}`,
    message,
    'several yes-or-no targets: binaryCrossEntropy()',
  )
}
