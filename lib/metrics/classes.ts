/** Metrics of scores: of classes, and of answers of yes or no. */
import { callOf, factory } from '../call.js'
import { checkPositiveInteger } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import type { Metric } from './metric.js'

const mean = (sums: Float64Array): number => sums[1]! / sums[0]!

/**
 * Share of the examples whose highest score is at the right class. With binaryCrossEntropy the share of the answers that
 * are right, where a score above 0 says yes: each example counts as the share of its own. A score that is not a number is
 * wrong.
 * @function
 */
export const accuracy = factory(
  'accuracy',
  0,
  (): Metric<'accuracy', number> => ({
    call: callOf('accuracy'),
    name: 'accuracy',
    descriptor: { kind: 'accuracy' },
    fits: ['classes', 'answers'],
    finish: mean,
    better: 'larger',
  }),
)

/**
 * Share of the examples whose right class is among the k highest scores. In history as `top5Accuracy` for k = 5.
 * @function
 */
export const topKAccuracy = factory(
  'topKAccuracy',
  1,
  <const K extends number>(k: K): Metric<`top${K}Accuracy`, number> => {
    checkPositiveInteger('k', k)
    return {
      call: callOf('topKAccuracy', k),
      name: `top${k}Accuracy`,
      descriptor: { kind: 'top_k', k },
      fits: ['classes'],
      check(argument, { size }) {
        if (k > size) throw invalidArgument(argument, `a k of at most ${size}, the number of outputs`, k)
      },
      finish: mean,
      better: 'larger',
    }
  },
)

/** What a confusion matrix takes of memory grows by the square of its classes: 32 MB. */
const mostClasses = 2000

/**
 * How many examples of each class (row) were taken for each class (column). A single yes-or-no output has two: no and yes.
 * Examples with a score that is not a number belong to no class: where there are any, each row has one more column for them,
 * and the matrix is [classes, classes + 1]. At most 2,000 classes. `console.log` shows it as a table, with the names of the
 * classes where the model knows them.
 * @function
 */
export const confusionMatrix = factory(
  'confusionMatrix',
  0,
  (): Metric<'confusionMatrix', number[][]> => ({
    call: callOf('confusionMatrix'),
    name: 'confusionMatrix',
    descriptor: { kind: 'confusion_matrix' },
    fits: ['classes', 'answers'],
    check(argument, { outputs, size }) {
      if (size > mostClasses) {
        const message = `${argument}: confusionMatrix takes at most ${mostClasses} classes, received an output of ${size}`
        throw new GradusError('GRADUS_TOO_LARGE', message)
      }
      if (outputs === 'answers' && size > 1) throw misfit(argument, 'confusionMatrix', 'one yes-or-no output', size)
    },
    finish(sums) {
      const classes = Math.floor(Math.sqrt(sums.length))
      const rows = Array.from({ length: classes }, () => new Array<number>(classes + 1))
      // Array.from takes ten times as long as a loop.
      for (let i = 0; i < sums.length; i++) rows[Math.floor(i / (classes + 1))]![i % (classes + 1)] = sums[i]!
      if (rows.every((row) => row[classes] === 0)) for (const row of rows) row.pop()
      return rows
    },
  }),
)

function misfit(argument: string, name: string, expected: string, size: number): GradusError {
  const message = `${argument}: ${name} takes ${expected} or scores of classes, received ${size} yes-or-no outputs`
  return new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/**
 * The mean of −log of the probability given to what is right: by softmax of the scores of classes, by sigmoid of the score
 * of each yes-or-no output. What softmaxCrossEntropy and binaryCrossEntropy are without class weights; it also says it of
 * a loss of one's own on such scores.
 * @function
 */
export const logLoss = factory(
  'logLoss',
  0,
  (): Metric<'logLoss', number> => ({
    call: callOf('logLoss'),
    name: 'logLoss',
    descriptor: { kind: 'log_loss' },
    fits: ['classes', 'answers'],
    check(argument, { loss }) {
      if (!/hinge$/i.test(loss)) return
      const message = `${argument}: logLoss takes scores that softmax makes probabilities of, which those of ${loss} are not`
      throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
    },
    finish: mean,
    better: 'smaller',
  }),
)

/**
 * Area under the receiver operating characteristic: the probability that an example of yes scores higher than one of no,
 * half of it where they score the same (Fawcett 2006, "An introduction to ROC analysis"). For one yes-or-no output, or for
 * two classes, of which the second is yes. NaN without examples of both, or with a score that is not a number.
 *
 * Scores are compared as far as bins tell them apart, of which there are 1,024 to each power of two from 2⁻³² to 2³² on
 * either side of 0: scores that differ by less than a thousandth of themselves may count as the same, which is wrong by at
 * most half the share of such pairs of yes and no. Sums of bins add up: the value does not depend on batches and threads.
 * @function
 */
export const auc = factory(
  'auc',
  0,
  (): Metric<'auc', number> => ({
    call: callOf('auc'),
    name: 'auc',
    descriptor: { kind: 'answers_by_score' },
    fits: ['classes', 'answers'],
    check(argument, { outputs, size }) {
      if (size === 1 || (outputs === 'classes' && size === 2)) return
      const received = outputs === 'classes' ? `${size} classes` : `${size} yes-or-no outputs`
      const message = `${argument}: auc takes one yes-or-no output or two classes, received ${received}`
      throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
    },
    finish: areaUnder,
    better: 'larger',
  }),
)

/** sums: for each bin, from the lowest scores up, the weights of no and of yes; last those of no number. */
function areaUnder(sums: Float64Array): number {
  if (sums.at(-2) !== 0 || sums.at(-1) !== 0) return Number.NaN
  let [no, yes, ordered] = [0, 0, 0]
  for (let at = 0; at < sums.length; at += 2) {
    ordered += sums[at + 1]! * (no + sums[at]! / 2)
    no += sums[at]!
    yes += sums[at + 1]!
  }
  return ordered / (no * yes)
}
