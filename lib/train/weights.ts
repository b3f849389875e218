import { setImmediate as nextTick } from 'node:timers/promises'
import type { FloatArray, NativeProgram } from '../native.js'
import { inTurn } from './turn.js'

/** Copies of all parameters, those that are not trained included; nothing of the optimizer. */
export function copyWeights(program: NativeProgram): Promise<FloatArray[]> {
  return inTurn(program, async () => {
    const copies: FloatArray[] = []
    for (const i of program.parameters.keys()) {
      if (i > 0) await nextTick()
      copies.push(program.read('parameters', i))
    }
    return copies
  })
}

export function restoreWeights(program: NativeProgram, weights: FloatArray[]): Promise<void> {
  return inTurn(program, async () => {
    for (const [i, data] of weights.entries()) {
      if (i > 0) await nextTick()
      program.write('parameters', i, data)
    }
  })
}
