/** A model's float64 twin at its weights as they are: what multiplies vectors by its Hessian. */
import { checkPositiveInteger, oneOf } from '../../checks.js'
import { Dataset } from '../../data/dataset.js'
import type { Data } from '../../data/stream.js'
import { GradusError, invalidArgument } from '../../errors.js'
import type { ModelCopy } from '../../model/copy.js'
import { Model } from '../../model/model.js'
import type { NativeDataset } from '../../native.js'
import { type Check, optionsOf } from '../../options.js'
import { adaptFirst } from '../../train/adapt.js'
import { checkSignal, resolveThreads } from '../../train/calls.js'
import { type FlatParameter, flatParameters } from '../../train/flat.js'
import { requirementsOf, residentSource } from '../../train/source.js'
import { callInTurn } from '../../train/turn.js'
import { examplesOf, spreadExamples } from '../subset.js'

export interface HessianOptions {
  /** Of which part of the loss; default `'total'`, what training lowers. */
  term?: 'data' | 'regularization' | 'total' | undefined
  /** At most so many examples, spread over the data. They are one batch, so memory grows with them. Default: all. */
  examples?: number | undefined
  /** Default: all cores. `GRADUS_THREADS` overrides. */
  threads?: number | undefined
  /** Ends the work; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** Of {@link HessianOptions}, for lists of options. */
export const hessianRules = {
  term: [oneOf('data', 'regularization', 'total'), 'total'],
  examples: [checkPositiveInteger as Check<number>, Number.POSITIVE_INFINITY],
  threads: checkPositiveInteger,
  signal: checkSignal,
} as const
export const readHessianOptions = optionsOf<HessianOptions>()('hessianVectorProduct', hessianRules)
type HessianSettings = ReturnType<typeof readHessianOptions>

export function checkModel(model: unknown): Model {
  if (!(model instanceof Model)) throw invalidArgument('model', 'a model', model)
  return model
}

export class HessianTwin {
  readonly parameters: readonly FlatParameter[]
  /** Trainable weights: rows of the Hessian. */
  readonly size: number
  readonly #copy: ModelCopy
  readonly #dataset: NativeDataset
  readonly #settings: HessianSettings

  private constructor(copy: ModelCopy, dataset: NativeDataset, settings: HessianSettings) {
    this.#copy = copy
    this.#dataset = dataset
    this.#settings = settings
    this.parameters = flatParameters(copy.program)
    this.size = this.parameters.reduce((sum, { size }) => sum + size, 0)
  }

  /** Makes the twin and gives it to `use`; then it is gone. */
  static async use<Result>(
    model: Model,
    data: Data,
    settings: HessianSettings,
    use: (twin: HessianTwin) => Promise<Result>,
  ): Promise<Result> {
    settings.signal?.throwIfAborted()
    const copy = model.copy((descriptor) => ({ ...descriptor, dtype: 'float64' }))
    const examples = new Dataset(spreadExamples(examplesOf(data), settings.examples, copy.inputs))
    try {
      const dataset = await examples.resident(requirementsOf(copy))
      await adaptFirst(copy, residentSource(dataset), { signal: settings.signal })
      const twin = new HessianTwin(copy, dataset, settings)
      if (twin.size > 0) return await use(twin)
      throw new GradusError('GRADUS_INVALID_ARGUMENT', 'model: all of its layers are frozen, so it has no Hessian')
    } finally {
      examples.dispose()
      copy.dispose()
    }
  }

  /** Batch statistics are those of training, and nothing is dropped. */
  async product(vector: Float64Array): Promise<Float64Array> {
    const { term, signal } = this.#settings
    const threads = resolveThreads(this.#settings.threads)
    const call = { dataset: this.#dataset, training: true, randomness: false, threads, term, vector }
    const product = await callInTurn(this.#copy.program, signal, () => this.#copy.program.hessianVector(call))
    signal?.throwIfAborted()
    if (product!.every(Number.isFinite)) return product!
    throw new GradusError('GRADUS_NON_FINITE', 'model: its Hessian is not finite at these weights')
  }
}
