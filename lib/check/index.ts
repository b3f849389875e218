export {
  type ExplicitHessianOptions,
  hessian,
  hessianVectorProduct,
} from './curvature/hessian.js'
export { type Sharpness, type SharpnessOptions, sharpness } from './curvature/sharpness.js'
export type { HessianOptions } from './curvature/twin.js'
export { assertGradients, gradientCheck } from './gradient/gradient-check.js'
export { gradientCheckFunction } from './gradient/gradient-check-function.js'
export type { GradientCheckFunctionOptions, GradientCheckOptions } from './gradient/options.js'
export type { Coordinate, GradientReport, TensorReport } from './gradient/report.js'
export type { Verdict } from './gradient/verdict.js'
export { findLearningRate } from './learning-rate/find-learning-rate.js'
export type { FindLearningRateOptions } from './learning-rate/options.js'
export type { LearningRateReport } from './learning-rate/report.js'
export { type Saliency, type SaliencyOptions, saliency } from './saliency.js'
export type { SanityResult } from './sanity/check.js'
export type { SanityCheckOptions } from './sanity/options.js'
export { type SanityReport, sanityCheck } from './sanity/sanity-check.js'
