/** When a model may be looked at and changed from outside. */
import { GradusError } from '../errors.js'
import type { NativeProgram } from '../native.js'
import { isChanging, isInTraining } from '../train/in-training.js'
import { isAwaited } from '../train/turn.js'

/** @throws GRADUS_BUSY unless the program may be replaced: nothing runs or waits on it, and no run will go on with it. */
export function checkIdle(program: NativeProgram | undefined): void {
  if (!program || !(isInTraining(program) || isAwaited(program))) return
  throw new GradusError('GRADUS_BUSY', 'the model is at work: await its fit, evaluate, predict or save first')
}

/** @throws GRADUS_BUSY unless its weights stand still, as they do in callbacks of a run. */
export function checkStill(program: NativeProgram): NativeProgram {
  if (isChanging(program)) {
    const message = 'the model is being fitted: do this in a callback of fit, or await the run first'
    throw new GradusError('GRADUS_BUSY', message)
  }
  if (program.busy) throw new GradusError('GRADUS_BUSY', 'the model is training or evaluating; await that first')
  return program
}
