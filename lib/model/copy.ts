/** A second program with the weights of a model, for whoever must leave the model as it is. */
import type { Conventions } from '../data/conventions.js'
import { placeOf } from '../devices.js'
import type { Loss } from '../losses/loss.js'
import type { Descriptor, NativeProgram } from '../native.js'
import { native } from '../native.js'
import type { TrainTarget } from '../train/target.js'
import { type Compiled, optimizerOf } from './compile.js'
import { hostOf } from './host.js'
import type { Lowered } from './lower.js'
import { beginWith } from './weights.js'

/** What `fit`, `evaluate` and `predict` of lib/train take, with memory of its own. */
export interface ModelCopy extends TrainTarget {
  readonly descriptor: Descriptor
  readonly loss: Loss
  dispose(): void
}

/** Weights are converted to the descriptor's dtype. */
export function copyModel(
  descriptor: Descriptor,
  from: NativeProgram,
  lowered: Lowered,
  compiled: Compiled,
  conventions: Conventions,
): ModelCopy {
  const { loss, metrics, optimizer } = compiled
  const host = hostOf(lowered, { loss, optimizer, metrics })
  const program = new native.Program({ ...descriptor, initialize: false }, host, ...placeOf(compiled.device))
  for (const i of program.parameters.keys()) beginWith(program, i, from.read('parameters', i))
  return {
    program,
    descriptor,
    seed: descriptor.seed,
    inputs: lowered.inputs,
    outputShape: program.outputShape,
    conventions: { ...conventions },
    normalizations: lowered.normalizations,
    loss,
    metrics,
    optimizer: optimizerOf(compiled),
    dispose: () => program.dispose(),
  }
}

/** All that the optimizer keeps and inspections remember goes along. */
export async function moveState(from: NativeProgram, to: NativeProgram): Promise<void> {
  const state = new native.Snapshot(from)
  try {
    await from.exportState(state)
    await to.importState(state)
  } finally {
    state.dispose()
  }
}
