/** What some members together are worth on data, by their loss or a metric. */
import { GradusError } from '../errors.js'
import { reshape } from '../layers/index.js'
import { sequential } from '../model/build.js'
import type { AskedMetric } from '../model/compile.js'
import type { Model } from '../model/model.js'
import { sgd } from '../optimizers/index.js'
import { combinationOf } from './combination.js'
import type { Combine } from './ensemble.js'
import type { Library } from './greedy.js'
import type { Held } from './held.js'
import { hasLikelihood, observedBy } from './observed.js'

/** By what members are compared: `'loss'`, or a metric. */
export interface Yardstick {
  readonly name: string
  readonly better: 'larger' | 'smaller'
  /** Null for the loss. */
  readonly metric: AskedMetric | null
}

/**
 * @param members - whose own metrics are known by their names, too
 * @throws GRADUS_INVALID_ARGUMENT for a metric that does not fit, or of which neither large nor small values are good
 */
export function yardstick(members: readonly Model[], asked: AskedMetric | 'loss'): Yardstick {
  if (asked === 'loss') return { name: 'loss', better: 'smaller', metric: null }
  const [first] = members as [Model]
  const own = typeof asked === 'string' ? first.metrics.find(({ name }) => name === asked) : undefined
  const scorer = scorerOf(first, own ?? asked)
  const [{ name, better } = { name: '', better: undefined }] = scorer.metrics
  scorer.dispose()
  if (better !== undefined) return { name, better, metric: own ?? asked }
  const message = `metric: expected one of which larger or smaller values are good, received ${name}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** A model of no weights, which gives what it takes. */
function scorerOf({ outputShape, loss }: Pick<Model, 'outputShape' | 'loss'>, metric: AskedMetric | null): Model {
  const input = [...outputShape]
  return sequential({ input, dtype: 'float64', seed: 1 }, [reshape(input)]).compile({
    loss,
    optimizer: sgd({ learningRate: 1 }),
    metrics: metric === null ? [] : [metric],
  }) as unknown as Model
}

export interface Judged extends Library {
  /** What worth is in the yardstick's own numbers. */
  value(worth: number): number
  dispose(): void
}

/** The members of a selection, judged by what they give for these rows. */
export function judged(held: Held, combine: Combine, by: Yardstick): Judged {
  if (by.metric === null && combine === 'probabilities' && hasLikelihood(held)) return byLikelihood(held)
  const { contributions, scores } = combinationOf(combine, held)
  const scorer = scorerOf(held, by.metric)
  const { targets, weights: sampleWeights, rows, outputShape } = held
  const shape = [rows, ...outputShape]
  const y = targets instanceof Int32Array ? targets : { data: targets, shape }
  const sign = by.better === 'larger' ? 1 : -1
  return {
    contributions,
    async worth(sum, count) {
      const x = { data: scores(sum.map((value) => value / count)), shape }
      const found = await scorer.evaluate({ x, y, sampleWeights })
      return sign * ((by.metric === null ? found.loss : found[by.name]) as number)
    },
    value: (worth) => sign * worth,
    dispose: () => scorer.dispose(),
  }
}

/** The mean log of the mean probability of what came: of each observation one number a member is all that it takes. */
function byLikelihood(held: Held): Judged {
  const { logs, counts } = observedBy(held)
  const largest = counts.map((_, i) => logs.reduce((most, of) => Math.max(most, of[i]!), Number.NEGATIVE_INFINITY))
  const total = held.weights.reduce((sum, weight) => sum + weight, 0)
  return {
    contributions: logs.map((of) => of.map((log, i) => Math.exp(log - largest[i]!))),
    worth(sum, count) {
      let worth = 0
      for (let i = 0; i < sum.length; i++) {
        if (counts[i]! > 0) worth += counts[i]! * (Math.log(sum[i]! / count) + largest[i]!)
      }
      return worth / total
    },
    value: (worth) => -worth,
    dispose() {},
  }
}
