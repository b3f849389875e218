/**
 * Hyperparameter search: spaces, samplers, pruners and studies, on one core, on all, and on machines that share a folder.
 *
 * @module
 */
export { defineStudy, type StudyDefinition, type StudyOptions } from './definition/define-study.js'
export type { Stage, StageOptions } from './definition/stage.js'
export { type TrialContext, TrialEnded, type TrialFitOptions, type TrialFunction } from './definition/trial-function.js'
export type { MasterEnd } from './master/master.js'
export { type AshaOptions, asha } from './pruners/asha.js'
export { hyperband } from './pruners/hyperband.js'
export { type MedianOptions, median } from './pruners/median.js'
export { type PatienceOptions, patience } from './pruners/patience.js'
export type { Decision, Promotion, Pruner, Reports } from './pruners/pruner.js'
export type { QueueOptions } from './queue/place.js'
export { auto } from './samplers/auto.js'
export { type CmaEsOptions, cmaEs } from './samplers/cma-es.js'
export { gaussianProcess } from './samplers/gaussian-process/gaussian-process.js'
export { type GridOptions, grid } from './samplers/grid.js'
export { type PopulationOptions, population } from './samplers/population.js'
export { random } from './samplers/random.js'
export type { Asked, Direction, Inheritance, Sampler, Settings, TrialSeen } from './samplers/sampler.js'
export { sobol } from './samplers/sobol.js'
export { tpe } from './samplers/tpe/tpe.js'
export type {
  BranchesParameter,
  BranchRecord,
  ChoiceParameter,
  IntegerOptions,
  IntegerParameter,
  Limits,
  LogUniformParameter,
  Parameter,
  ParameterRecord,
  Range,
  UniformOptions,
  UniformParameter,
} from './space/parameter.js'
export { choice, integer, logUniform, uniform } from './space/parameters.js'
export type { Params, ParamsOf, Point, Space } from './space/space.js'
export type { AskedTrial } from './study/asked-trial.js'
export { createStudy, openStudy } from './study/index.js'
export type { OptimizeOptions } from './study/optimize.js'
export type { CreateStudyOptions, FinalTest, Study, StudyFile } from './study/study.js'
export type { StudyTrial } from './study/study-trial.js'
