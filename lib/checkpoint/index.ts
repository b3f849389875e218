export { type Checkpoint, type CheckpointOptions, checkpoint, type Every } from './checkpoint.js'
export { type CheckpointInfo, checkpoints } from './list.js'
export type { CheckpointFacts } from './names.js'
