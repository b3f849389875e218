/** Training by L-BFGS on full batches. */
import { checkPositiveInteger } from '../checks.js'
import { Dataset } from '../data/dataset.js'
import { type Data, isStream } from '../data/stream.js'
import { GradusError, invalidArgument } from '../errors.js'
import type { NativeDataset, NativeProgram } from '../native.js'
import { optionsOf } from '../options.js'
import { adaptFirst } from '../train/adapt.js'
import { resolveThreads } from '../train/calls.js'
import { checkWeight } from '../train/evaluate.js'
import { readFlat, writeFlat } from '../train/flat.js'
import {
  checkWolfe,
  type Iteration,
  type MinimizeOptions,
  type Minimum,
  minimize,
  minimizeRules,
} from '../train/lbfgs/minimize.js'
import { requirementsOf, residentSource } from '../train/source.js'
import { inTurn } from '../train/turn.js'
import { norm } from '../train/vectors.js'
import { Model } from './model.js'

/** In `onIteration`, `x` holds the trainable weights, one after the other in layer order. */
export interface FitLbfgsOptions extends MinimizeOptions {
  /** Default: all cores. `GRADUS_THREADS` overrides. */
  threads?: number | undefined
}

/** What a training by L-BFGS did; the arrays begin with the weights as they were and have one entry an iteration. */
export interface LbfgsHistory extends Omit<Minimum, 'x' | 'value'> {
  /** Mean data loss. */
  loss: number[]
  regularizationLoss: number[]
  /** ‖gradient‖₂ of their sum by all trainable weights. */
  gradientNorms: number[]
}

const readOptions = optionsOf<FitLbfgsOptions>()('fitLbfgs', { ...minimizeRules, threads: checkPositiveInteger })

/**
 * Trains a compiled model's weights by L-BFGS: {@link minimize} on the whole loss, regularizers included, of all examples
 * as one batch. For smooth losses and data that fit in memory; there is no learning rate, and the model's optimizer
 * plays no part. Take a float64 model where the gradient is to become as small as 1e-8.
 *
 * The loss is the one that `evaluate` computes: nothing is dropped, and batch norm takes its running averages as they are.
 * The model's other calls wait until it is done. After an error or an abort the weights are those of the last iteration.
 *
 * @throws `GRADUS_NOT_COMPILED`, `GRADUS_NON_FINITE` when the loss is not finite at the weights as they are, those of the
 * data, and the signal's reason
 * @example
 * const { loss, stoppedBy, message } = await fitLbfgs(model, { x, y }, { gradientTolerance: 1e-8 })
 */
export async function fitLbfgs(model: Model, data: Data, options: FitLbfgsOptions = {}): Promise<LbfgsHistory> {
  if (!(model instanceof Model)) throw invalidArgument('model', 'a model', model)
  const { threads, ...search } = readOptions(options)
  checkWolfe(search)
  const settings = { threads: resolveThreads(threads), search }
  const { program } = model
  if (isStream(data)) throw invalidArgument('data', 'examples in memory as { x, y }', 'a stream')
  const examples = data instanceof Dataset ? data : new Dataset(data)
  try {
    const needs = { ...requirementsOf(model), settles: true }
    const dataset = examples.resident(needs)
    return await inTurn(program, async () => {
      const resident = await dataset
      Object.assign(model.conventions, needs.conventions)
      await adaptFirst(model, residentSource(resident), { hasTurn: true, signal: search.signal })
      return trainFullBatch(program, resident, settings)
    })
  } finally {
    if (examples !== data) examples.dispose()
  }
}

async function trainFullBatch(
  program: NativeProgram,
  dataset: NativeDataset,
  { threads, search }: { threads: number; search: MinimizeOptions },
): Promise<LbfgsHistory> {
  if (dataset.size === 0) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', 'data: expected at least one example, received none')
  }
  const history = { loss: [] as number[], regularizationLoss: [] as number[], gradientNorms: [] as number[] }
  let reached = readFlat(program, 'parameters')
  let last = { loss: 0, regularizationLoss: 0 } // of the last evaluation, which is where an iteration ends
  const note = (gradientNorm: number) => {
    history.loss.push(last.loss)
    history.regularizationLoss.push(last.regularizationLoss)
    history.gradientNorms.push(gradientNorm)
  }
  const evaluate = async (x: Float64Array) => {
    writeFlat(program, 'parameters', x)
    const call = { dataset, training: false, randomness: false, threads, term: 'total' } as const
    const { loss, regularizationLoss, weight } = await program.gradient(call)
    checkWeight(weight)
    const gradient = readFlat(program, 'gradients')
    last = { loss, regularizationLoss }
    if (history.loss.length === 0) note(norm(gradient))
    return { value: loss + regularizationLoss, gradient }
  }
  const onIteration = (iteration: Iteration) => {
    reached = iteration.x.slice()
    note(iteration.gradientNorm)
    search.onIteration?.(iteration)
  }
  try {
    const { x, value, ...rest } = await minimize(evaluate, reached, { ...search, onIteration })
    return { ...history, ...rest }
  } finally {
    writeFlat(program, 'parameters', reached)
  }
}
