/** Metrics written in JavaScript. */
import { callOf, factory } from '../call.js'
import { checkFunction, checkOneOf, nameFor } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import type { FloatArray } from '../native.js'
import { needed, optionsOf } from '../options.js'
import type { Metric } from './metric.js'

export interface CustomMetricOptions<Name extends string> {
  /** As in history: `name`, and on validation data `valName`. */
  name: Name
  /**
   * Some sums over the examples given, always as many, and zeros of none: those of all batches are added up. Arrays are
   * row-major: `predictions` (examples, …outputShape), what the model gives, without softmax or sigmoid; `targets` class
   * numbers (examples) as an Int32Array, or shaped as the predictions; `weights` (examples), by how much each counts.
   */
  sums(predictions: FloatArray, targets: FloatArray | Int32Array, weights: FloatArray): ArrayLike<number>
  /** What the sums over all examples say. */
  value(sums: Float64Array): number
  /** For early stopping and schedules that watch it. Default `'smaller'`. */
  better?: 'larger' | 'smaller' | undefined
}

/**
 * A metric of one's own, in training, validation and `evaluate`. Its functions run on the main thread, once a batch. A file holds its
 * name alone: `loadModel(file, { metrics: { withinTenth } })`.
 *
 * @example
 * const withinTenth = customMetric({
 *   name: 'withinTenth',
 *   sums: (predictions, targets, weights) => [
 *     weights.reduce((sum, weight, i) => sum + (Math.abs(predictions[i] - targets[i]) < 0.1 ? weight : 0), 0),
 *     weights.reduce((sum, weight) => sum + weight, 0),
 *   ],
 *   value: ([close, all]) => close / all,
 *   better: 'larger',
 * })
 * @function
 */
export const customMetric = factory(
  'customMetric',
  1,
  <const Name extends string>(options: CustomMetricOptions<Name>): Metric<Name, number> => {
    const { name, sums, value, better } = readOptions(options as CustomMetricOptions<string>)
    const none = new Float64Array(0)
    const width = checkSums(sums(none, none, none)).length
    return {
      call: callOf('customMetric', { name }),
      name: name as Name,
      descriptor: { kind: 'custom', name, width },
      fits: ['classes', 'answers', 'values'],
      finish(all) {
        const result = value(all.slice())
        if (typeof result !== 'number') throw invalidArgument(`${name}: the result of value`, 'a number', result)
        return result
      },
      better,
      addUp(predictions, targets, weights) {
        const added = checkSums(sums(predictions, targets, weights))
        if (added.length === width) return added
        throw invalidArgument(`${name}: the result of sums`, `as many numbers as without examples (${width})`, added)
      },
    }

    function checkSums(result: unknown): ArrayLike<number> {
      const isList = Array.isArray(result) || ArrayBuffer.isView(result)
      const list = result as ArrayLike<number>
      if (isList && list.length > 0 && Array.prototype.every.call(list, (one) => typeof one === 'number')) return list
      throw invalidArgument(`${name}: the result of sums`, 'an array of numbers', result)
    }
  },
)

const readOptions = optionsOf<CustomMetricOptions<string>>()('customMetric', {
  name: needed(checkName),
  sums: needed((argument, value) => checkFunction(argument, value as CustomMetricOptions<string>['sums'])),
  value: needed((argument, value) => checkFunction(argument, value as CustomMetricOptions<string>['value'])),
  better: [(argument, value) => checkOneOf(argument, value, ['larger', 'smaller'] as const), 'smaller'],
})

/** Columns that a record has already. */
const taken = [
  ...['epoch', 'loss', 'valLoss', 'regularizationLoss', 'learningRate', 'momentum', 'weightDecay', 'updateRatio'],
  ...['gradientNorm', 'refusedSteps', 'seconds', 'samplesPerSecond', 'epochs', 'stoppedBy'],
]

function checkName(argument: string, value: unknown): string {
  const name = nameFor('metric')(argument, value)
  if (!taken.includes(name)) return name
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `${argument}: each epoch has a ${name} already`)
}
