export type { AdaptOptions } from './adapt.js'
export type { EndContext, EpochContext, RunContext, StepsContext, StepsReport, Wishes } from './callback.js'
export { type EarlyStopping, type EarlyStoppingOptions, earlyStopping } from './early-stopping.js'
export type { EvaluateOptions, Evaluation, ModelEvaluateOptions } from './evaluate.js'
export type { Finding } from './extensions.js'
export type { AnyValues, EpochRecord, History } from './history.js'
export {
  type Iteration,
  type MinimizeOptions,
  type Minimum,
  minimize,
  type ValueAndGradient,
} from './lbfgs/minimize.js'
export { type NestedNumbers, Predictions } from './predictions.js'
export type { Run } from './run.js'
