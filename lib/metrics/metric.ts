import type { Call } from '../call.js'
import type { FloatArray } from '../native.js'

/**
 * What the numbers of an output are, which the loss says: scores of classes, of which one is right; answers to independent
 * yes-or-no questions, yes above 0; or plain numbers.
 */
export type Outputs = 'classes' | 'answers' | 'values'

/** What a metric is to be made of. */
export interface MetricOutput {
  readonly outputs: Outputs
  /** Elements of one example. */
  readonly size: number
  /** As the user calls it: `softmaxCrossEntropy`. */
  readonly loss: string
}

/** A metric is a sum over examples, made natively, and what to make of it: a number, of a confusion matrix its rows. */
export interface Metric<Name extends string = string, Value = number | number[][]> {
  /** The call that makes it again. */
  readonly call: Call
  /** As in history: `accuracy`, `top5Accuracy`, `meanAbsoluteError`, `r2`, `confusionMatrix`. */
  readonly name: Name
  /** What the core adds up for it, once for all metrics that want the same. */
  readonly descriptor: MetricDescriptor
  /** What it can be made of. */
  readonly fits: readonly Outputs[]
  /** Throws when it cannot be made of this output, though it fits its kind. */
  check?(argument: string, output: MetricOutput): void
  /** sums: what was added up over all examples. */
  finish(sums: Float64Array, outputs: Outputs): Value
  /** Larger is better (accuracy), or smaller (an error); for early stopping. */
  readonly better?: 'larger' | 'smaller'
  /** The function of {@link customMetric}. */
  readonly addUp?: CustomSums
}

/** By its `kind` in native/engine/metrics.def; `custom`: the host adds up `width` numbers. */
export interface MetricDescriptor {
  readonly kind: string
  readonly k?: number
  readonly name?: string
  readonly width?: number
}

export type CustomSums = (
  predictions: FloatArray,
  targets: FloatArray | Int32Array,
  weights: FloatArray,
) => ArrayLike<number>

export const isMetric = (value: unknown): value is Metric =>
  typeof value === 'object' && value !== null && 'finish' in value && 'fits' in value

/** Of metrics that are made of the same sums the first: what the core adds up, in order. */
export const distinctSums = (metrics: readonly Metric[]): Metric[] =>
  metrics.filter((metric, i) => metrics.findIndex((other) => keyOf(other) === keyOf(metric)) === i)

const keyOf = ({ descriptor }: Metric) => JSON.stringify(descriptor)

export const descriptorsOf = (metrics: readonly Metric[], outputs: Outputs) =>
  distinctSums(metrics).map(({ descriptor }) => ({ ...descriptor, ...(outputs === 'answers' && { answers: true }) }))

/** The metrics by name. sums: what the core has added up, `widths[i]` numbers for each of the {@link distinctSums}. */
export function finishMetrics(
  metrics: readonly Metric[],
  outputs: Outputs,
  widths: readonly number[],
  sums: Float64Array,
): Record<string, number | number[][]> {
  const parts = new Map<string, Float64Array>()
  let first = 0
  for (const [i, metric] of distinctSums(metrics).entries()) {
    parts.set(keyOf(metric), sums.subarray(first, first + widths[i]!))
    first += widths[i]!
  }
  return Object.fromEntries(metrics.map((metric) => [metric.name, metric.finish(parts.get(keyOf(metric))!, outputs)]))
}
