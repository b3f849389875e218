import type { Data, Dataset, Examples } from '../data/index.js'
import type { Loss } from '../losses/index.js'
import type { Metric } from '../metrics/index.js'
import type { SaveOptions } from '../model/save.js'
import type { DataType } from '../native.js'
import type { EvaluateOptions, Evaluation } from '../train/evaluate.js'
import type { AnyValues } from '../train/history.js'
import type { Predictions } from '../train/predictions.js'
import type { TrainTarget } from '../train/target.js'

/** What predicts and can be judged: a {@link Model}, or an {@link Ensemble} of them. */
export interface Predictor<Values extends object = AnyValues> {
  readonly dtype: DataType
  readonly inputs: TrainTarget['inputs']
  /** Of one example. */
  readonly outputShape: readonly number[]
  /** The names of the classes, where there are any: class c is `classes[c]`. */
  readonly classes: readonly string[] | undefined
  /** @internal */
  readonly loss: Loss
  /** @internal */
  readonly metrics: readonly Metric[]
  predict(x: Dataset | Examples['x'], options?: EvaluateOptions): Promise<Predictions>
  predictSync(x: Examples['x']): Predictions
  predictProbabilities(x: Dataset | Examples['x'], options?: EvaluateOptions): Promise<Predictions>
  predictClasses(x: Dataset | Examples['x'], options?: EvaluateOptions): Promise<number[] | string[]>
  evaluate(data: Data, options?: EvaluateOptions): Promise<Evaluation<Values>>
  save(file: string | URL, options?: SaveOptions): Promise<void>
  toBuffer(options?: SaveOptions): Promise<Buffer>
  dispose(): void
  [Symbol.dispose](): void
}
