/** What a sanity check is. */
import type { Context } from './context.js'

export { percent, short } from '../../words.js'

/** What one check found. */
export interface SanityResult {
  name: string
  /** `undecided`: the data cannot tell, as where there are too few of them. That is no failure. */
  verdict: 'passed' | 'failed' | 'undecided'
  /** False of a check that failed. */
  passed: boolean
  /** What a sound setup shows, in a few words or a number. */
  expected: number | string
  actual: number | string
  /** The finding in one sentence; of a check that failed, the cause. */
  message: string
  /** What to do about it; empty unless the check failed. */
  advice: string
}

export type Finding = Omit<SanityResult, 'name'>

export interface SanityCheck {
  readonly name: string
  /** `data`: looks at the arrays alone. `targets`: needs inputs and targets that the model can take. */
  readonly needs: 'data' | 'targets'
  run(context: Context): Finding | Promise<Finding>
}

type Value = number | string

export const passed = (expected: Value, actual: Value, message: string): Finding => ({
  ...{ verdict: 'passed', passed: true, expected, actual, message, advice: '' },
})

export const undecided = (expected: Value, actual: Value, message: string): Finding => ({
  ...{ verdict: 'undecided', passed: true, expected, actual, message, advice: '' },
})

export const failed = (expected: Value, actual: Value, message: string, advice: string): Finding => ({
  ...{ verdict: 'failed', passed: false, expected, actual, message, advice },
})
