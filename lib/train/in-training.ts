/** Programs that are being fitted, and whether their run is at work now or waits for a callback or a check. */
import type { NativeProgram } from '../native.js'

const runs = new WeakMap<NativeProgram, { isAtWork: boolean }>()

/** From `fit` until its run has ended, between its native calls too. */
export const isInTraining = (program: NativeProgram): boolean => runs.has(program)

/** Whether the weights may change at any moment: they do not while the run waits for callbacks. */
export const isChanging = (program: NativeProgram): boolean => runs.get(program)?.isAtWork ?? false

export function beginTraining(program: NativeProgram): void {
  runs.set(program, { isAtWork: false })
}

export function setAtWork(program: NativeProgram, isAtWork: boolean): void {
  if (runs.has(program)) runs.set(program, { isAtWork })
}

export function endTraining(program: NativeProgram): void {
  runs.delete(program)
}
