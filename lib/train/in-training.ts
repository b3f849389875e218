/** Programs that are being fitted, and whether their run is at work now or waits for a callback or a check. */
import type { NativePredictor, NativeProgram } from '../native.js'
import { partsOf } from './turn.js'

interface Fitted {
  /** Null before its work begins. */
  isAtWork: boolean | null
  /** Whether anybody waits for its end, or its epochs. */
  readonly isAwaited: () => boolean
  hasWarned: boolean
}

const runs = new WeakMap<NativePredictor, Fitted>()
/** How many there are: mostly none, and then nobody need be looked up. */
let count = 0

/** From `fit` until its run has ended, between its native calls too. */
export const isInTraining = (program: NativeProgram): boolean => runs.has(program)

/** Whether the weights may change at any moment: they do not while the run waits for callbacks. */
export const isChanging = (program: NativeProgram): boolean => runs.get(program)?.isAtWork ?? false

export function beginTraining(program: NativeProgram, isAwaited: () => boolean): void {
  if (!runs.has(program)) count++
  runs.set(program, { isAtWork: null, isAwaited, hasWarned: false })
}

export function setAtWork(program: NativeProgram, isAtWork: boolean): void {
  const run = runs.get(program)
  if (run) run.isAtWork = isAtWork
}

export function endTraining(program: NativeProgram): void {
  if (runs.delete(program)) count--
}

/**
 * The work's result. Who began a run and awaits it neither now nor by then has forgotten to, and would take what was found between
 * two steps for what comes of training. Callbacks are told between steps, and know.
 */
export async function besideTraining<T>(program: NativePredictor, what: string, work: () => Promise<T>): Promise<T> {
  const isFitted = (part: NativePredictor) => runs.has(part)
  const fitted = count > 0 ? partsOf(program).find(isFitted) : undefined
  const run = fitted && runs.get(fitted)
  const isInCallback = run?.isAtWork === false
  const result = await work()
  if (run && !isInCallback && !run.hasWarned && !run.isAwaited()) {
    run.hasWarned = true
    const message = `${what} came while the model is being fitted by a run that nobody awaits, and took the weights as they were between two steps; to train first, write await model.fit(…)`
    process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_NOT_AWAITED' })
  }
  return result
}
