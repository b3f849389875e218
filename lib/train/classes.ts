/** Scores as what they mean: probabilities, and the class of each example. */
import { setImmediate as nextTick } from 'node:timers/promises'
import { product } from '../data/column.js'
import type { Dataset } from '../data/dataset.js'
import type { Examples } from '../data/examples.js'
import { GradusError } from '../errors.js'
import type { FloatArray } from '../native.js'
import type { ModelEvaluateOptions } from './evaluate.js'
import { type Link, predict } from './predict.js'
import type { Predictions } from './predictions.js'
import type { EvaluateTarget } from './source.js'

/** The losses whose scores stand for probabilities, and how. */
export const links: Record<string, Link | undefined> = {
  softmax_cross_entropy: 'softmax',
  binary_cross_entropy: 'sigmoid',
}

/** As {@link predict}. Throws where the loss does not make probabilities of scores. */
export async function predictProbabilities(
  target: EvaluateTarget,
  x: Dataset | Examples['x'],
  options: ModelEvaluateOptions = {},
): Promise<Predictions> {
  const link = links[target.loss.kind]
  if (link) return predict(target, x, options, link)
  const received = `${nameOf(target)}; predict(x) gives the outputs`
  const expected = 'a loss on probabilities, softmaxCrossEntropy() or binaryCrossEntropy()'
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `predictProbabilities: expected ${expected}, received ${received}`)
}

/** The class of each example: its name where the model knows one. */
export async function predictClasses(
  target: EvaluateTarget,
  x: Dataset | Examples['x'],
  options: ModelEvaluateOptions = {},
): Promise<number[] | string[]> {
  checkClasses(target)
  const predictions = await predict(target, x, options)
  const numbers: number[] = []
  for (let row = 0; row < predictions.length; row++) {
    if (row > 0 && row % sliceRows === 0) await nextTick()
    numbers.push(classOf(predictions.row(row), row))
  }
  const { classes } = target.conventions
  return classes ? numbers.map((number) => classes[number] ?? String(number)) : numbers
}

/** Rows looked at before the event loop has its turn. */
const sliceRows = 4096

/** A single score means yes above 0, which is a probability of 0.5. */
function classOf(scores: FloatArray, row: number): number {
  let best = 0
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) {
      throw new GradusError('GRADUS_NON_FINITE', `predictClasses: score ${i} of row ${row} is not a number`)
    }
    if (scores[i]! > scores[best]!) best = i
  }
  return scores.length === 1 ? Number(scores[0]! > 0) : best
}

function checkClasses(target: EvaluateTarget): void {
  const { loss, outputShape } = target
  const questions = product(outputShape)
  if (loss.targets !== 'dense' || (links[loss.kind] === 'sigmoid' && questions === 1)) return
  const received =
    links[loss.kind] === 'sigmoid'
      ? `${questions} yes-or-no answers; predictProbabilities(x) gives the probability of each`
      : `${nameOf(target)}; predict(x) gives the outputs`
  throw new GradusError(
    'GRADUS_INVALID_ARGUMENT',
    `predictClasses: expected one class an example, received ${received}`,
  )
}

const nameOf = ({ loss }: EvaluateTarget): string => loss.kind.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
