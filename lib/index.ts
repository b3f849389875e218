/** Gradus: training neural networks. */
export * from './check/index.js'
export * from './checkpoint/index.js'
export * from './data/index.js'
export { type Device, type DeviceName, devices } from './devices.js'
export * from './ensemble/index.js'
export { type ErrorCode, GradusError } from './errors.js'
export * from './layers/index.js'
export * from './losses/index.js'
export * from './metrics/index.js'
export * from './model/index.js'
export {
  type AveragedWeightsOptions,
  averagedWeights,
  type EqualAverageOptions,
  equalAverage,
  type PowerAverageOptions,
  powerAverage,
  type WeightAverage,
} from './optimizers/averages.js'
export * from './optimizers/index.js'
export * from './schedules/index.js'
export { createStudy, openStudy } from './search/study/index.js'
export * from './train/index.js'
export * from './watch/index.js'
