/** A study's files: read by who shows a study, read and written by who searches. */
export { Beats, type BeatsOptions } from './beats.js'
export { type BestTrial, bestFirst, bestOf, linkBest, mostBest } from './best.js'
export { createTrial, enqueueTrial, type Initial } from './create-trial.js'
export { type FlatSpace, flatSpace, putNumbers } from './flat-space.js'
export type { ChangeOptions, ClaimDraft, HeldTrial } from './held-trial.js'
export { type ImportanceColumn, importanceOf, leastTrials } from './importance.js'
export { LeaseJudge, type LeaseOptions } from './lease.js'
export { claimMaster, type MasterClaim } from './masters.js'
export { parametersOf, type StudyParameter } from './parameters.js'
export { makePlan, type NumberedPlan, type Plan, readPlan } from './plans.js'
export { StudyReader, type StudyReaderOptions } from './reader.js'
export {
  type Change,
  type Claim,
  type ClaimReason,
  type EndState,
  endStates,
  type Paused,
  type Range,
  type Result,
  rangesOf,
  type Suggestion,
} from './records.js'
export type { Curve } from './reports.js'
export { retryEnded, stopTrial } from './requests.js'
export { readStop, requestStop, type StopRequest } from './stop.js'
export {
  makeStage,
  makeStudy,
  type OpenedStudy,
  type OpenStudyOptions,
  readStages,
  readStudy,
  type Stage,
  type StudyDescription,
  type StudyModule,
} from './study.js'
export { endTrial, retryTrial, takeTrial } from './take-trial.js'
export { hasEnded, readTrial, type Trial, type TrialState } from './trial.js'
export { IndexWriter } from './trial-index.js'
export { isObject, type Json, type JsonObject } from './values.js'
export { watchTrial } from './watch-trial.js'
