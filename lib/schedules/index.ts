/** Learning rates, momenta and weight decays over time. */
export { type CosineOptions, cosine } from './cosine.js'
export { exponentialDecay, inverseDecay, type PolynomialOptions, polynomial, stepDecay } from './decay.js'
export { type OneCycleOptions, oneCycle } from './one-cycle.js'
export { constant, type PiecewiseOptions, piecewise } from './piecewise.js'
export { type ReduceOnPlateauOptions, reduceOnPlateau } from './plateau.js'
export { type LinearRampOptions, linearRamp, type WarmupOptions, warmup } from './ramp.js'
export type { Observation, Schedule, SchedulePlotOptions, Timed, TimedSchedule, TimeUnit } from './schedule.js'
