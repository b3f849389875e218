import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import { finishMetrics } from '../metrics/metric.js'
import { optionsOf } from '../options.js'
import { checkAveraged, checkMirrored, checkTogether, evaluateRules, resolveThreads } from './calls.js'
import { printAsTable } from './confusion-table.js'
import type { AnyValues } from './history.js'
import { besideTraining } from './in-training.js'
import { type EvaluateTarget, openSource, requirementsOf, type Source } from './source.js'
import { callInTurn, whileAwaited } from './turn.js'

/** How passes are made that do not train. */
export interface EvaluateOptions {
  /** Examples computed at once; changes speed and memory alone. Default 256. */
  batchSize?: number | undefined
  /** Default: all cores. `GRADUS_THREADS` overrides. */
  threads?: number | undefined
  /** Ends the call; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

export interface ModelEvaluateOptions extends EvaluateOptions {
  /** `'average'`: by the average of the weights that an optimizer with `average` keeps. Default `'current'`. */
  weights?: 'current' | 'average' | undefined
  /**
   * `'mirror'`: the mean of the outputs of each image and of its mirror image, left and right exchanged, in twice the time. For a model
   * with one input of shape [height, width, channels], on the processor. Default: images as they are.
   */
  views?: 'mirror' | undefined
}

/** What `evaluate` finds: the losses and each metric by its name. */
export type Evaluation<Values extends object = AnyValues> = {
  /** Mean data loss, weighted by the sample weights. */
  loss: number
  /** The regularisers' term, apart. */
  regularizationLoss: number
} & Values

const readOptions = optionsOf<ModelEvaluateOptions>()('evaluate', evaluateRules)

/**
 * Loss and metrics of a compiled model on data, off the main thread or at once where that takes less than the way there; with
 * dropout off and batch statistics as learnt.
 *
 * @throws those of the data; `GRADUS_INVALID_ARGUMENT` names a bad option.
 */
export async function evaluate<Values extends object = AnyValues>(
  target: EvaluateTarget,
  data: Data,
  options: ModelEvaluateOptions = {},
): Promise<Evaluation<Values>> {
  checkTogether('evaluate', data, options)
  const { batchSize, signal, weights, views, ...read } = readOptions(options)
  const threads = resolveThreads(read.threads)
  const { program } = target
  const averaged = checkAveraged(program, weights)
  const mirrored = checkMirrored(target.inputs, views)
  signal?.throwIfAborted()
  const settings = { batchSize, threads, signal, averaged, mirrored }
  // The target's metrics are those that its type tells of.
  const work = () => whileAwaited(program, () => evaluateAll(target, data, settings))
  return (await besideTraining(program, 'evaluate()', work)) as Evaluation<Values>
}

async function evaluateAll(target: EvaluateTarget, data: Data, settings: PassSettings): Promise<Evaluation> {
  const { signal } = settings
  const source = await openSource(data, requirementsOf(target), signal)
  try {
    return await evaluateSource(target, source, settings)
  } catch (error) {
    // A stream that ends with its signal may say so in its own way.
    signal?.throwIfAborted()
    throw error
  } finally {
    source.close()
  }
}

interface PassSettings {
  batchSize: number
  threads: number
  signal?: AbortSignal | undefined
  /** By the average of the weights. */
  averaged?: boolean | undefined
  /** As `views: 'mirror'`. */
  mirrored?: boolean | undefined
  /** The option that the data were given as, as for {@link Requirements}. */
  argument?: string | undefined
}

/** Sums over the pieces of a source. Rejects with the signal's reason when it fires. */
export async function evaluateSource(
  target: EvaluateTarget,
  source: Source,
  options: PassSettings,
): Promise<Evaluation> {
  const { batchSize, threads, signal, averaged, mirrored, argument } = options
  const { program } = target
  let metricSums: Float64Array | undefined
  let loss = 0
  let weight = 0
  let regularizationLoss = 0
  let rows = 0
  for await (const dataset of source.pieces({ signal })) {
    if (dataset.size === 0) continue
    const call = () => program.evaluate({ dataset, batchSize, threads, metricSums, averaged, mirrored })
    const result = await callInTurn(program, signal, call)
    signal?.throwIfAborted()
    if (!result) continue
    rows += dataset.size
    loss += result.loss * result.weight
    weight += result.weight
    regularizationLoss = result.regularizationLoss
    metricSums = result.metricSums
  }
  if (rows === 0) {
    const message = `${argument ?? 'data'}: expected at least one example, received none`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  checkWeight(weight, argument)
  return { loss: loss / weight, regularizationLoss, ...metricsOf(target, metricSums) }
}

/** @throws `GRADUS_INVALID_DATA` when no example counts: a mean over them is none. */
export function checkWeight(weight: number, argument?: string): void {
  if (weight > 0) return
  const place = argument === undefined ? 'sampleWeights' : `${argument}.sampleWeights`
  const message = `${place}: expected some above 0 (with the class weights), received weights that sum to 0`
  throw new GradusError('GRADUS_INVALID_DATA', message)
}

/** The model's metrics by name, from their sums over examples; without sums there was none. */
export function metricsOf({ program, metrics, loss, conventions }: EvaluateTarget, sums?: Float64Array) {
  const widths = program.metricWidths
  const zeros = () => new Float64Array(widths.reduce((total, width) => total + width, 0))
  const values = finishMetrics(metrics, loss.outputs, widths, sums ?? zeros())
  for (const value of Object.values(values)) if (Array.isArray(value)) printAsTable(value, conventions.classes)
  return values
}
