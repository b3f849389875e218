/** Programs with the weights of others: in their place, on another device, or beside them for whoever must leave the model as it is. */
import type { Conventions } from '../data/conventions.js'
import { type DeviceName, placeOf } from '../devices.js'
import type { Loss } from '../losses/loss.js'
import type { Descriptor, NativeProgram } from '../native.js'
import { native } from '../native.js'
import type { TrainTarget } from '../train/target.js'
import { type Compiled, optimizerOf } from './compile.js'
import { hostOf } from './host.js'
import { checkIdle } from './idle.js'
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

/** How a first program begins: with the weights that layers bring along, by their numbers. */
interface First {
  /** False where all weights will be written before they are used. */
  readonly initialize: boolean
  readonly weights: Lowered['weights']
}

/** With the weights of the program before, whose place it takes, or of the first one. */
export function makeProgram(
  descriptor: Descriptor,
  host: ReturnType<typeof hostOf>,
  device: DeviceName,
  from: NativeProgram | First,
): NativeProgram {
  const isFirst = 'weights' in from
  const initialize = isFirst && from.initialize
  const program = new native.Program({ ...descriptor, initialize }, host, ...placeOf(device))
  if (isFirst) for (const [i, data] of from.weights) beginWith(program, i, data)
  else {
    for (const i of program.parameters.keys()) beginWith(program, i, from.read('parameters', i))
    from.dispose()
  }
  return program
}

/** All that the optimizer keeps and inspections remember goes along. */
export async function movedProgram(
  from: NativeProgram,
  descriptor: Descriptor,
  host: ReturnType<typeof hostOf>,
  device: DeviceName,
): Promise<NativeProgram> {
  const to = new native.Program({ ...descriptor, initialize: false }, host, ...placeOf(device))
  const state = new native.Snapshot(from)
  try {
    await from.exportState(state)
    await to.importState(state)
    checkIdle(from)
    return to
  } catch (error) {
    to.dispose()
    throw error
  } finally {
    state.dispose()
  }
}
