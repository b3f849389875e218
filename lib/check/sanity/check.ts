/** What a sanity check is. */
import type { Context } from './context.js'

export { percent, short } from '../../words.js'

/** What one check found. */
export interface SanityResult {
  name: string
  passed: boolean
  /** What a sound setup shows, in a few words or a number. */
  expected: number | string
  actual: number | string
  /** The finding in one sentence; of a check that failed, the cause. */
  message: string
  /** What to do about it; empty for a check that passed. */
  advice: string
}

export type Finding = Omit<SanityResult, 'name'>

export interface SanityCheck {
  readonly name: string
  /** `data`: looks at the arrays alone. `targets`: needs inputs and targets that the model can take. */
  readonly needs: 'data' | 'targets'
  run(context: Context): Finding | Promise<Finding>
}

export const passed = (expected: number | string, actual: number | string, message: string): Finding => ({
  ...{ passed: true, expected, actual, message, advice: '' },
})

export const failed = (
  expected: number | string,
  actual: number | string,
  message: string,
  advice: string,
): Finding => ({ ...{ passed: false, expected, actual, message, advice } })
