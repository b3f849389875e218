/** What a search may vary: numbers in a range, and choices. Each is a plain object that JSON can hold and give back. */
import { factory, type Json } from '../../call.js'
import { makeBranches, makeChoice, makeInteger, makeLogUniform, makeUniform } from './declared.js'
import type {
  BranchesParameter,
  BranchRecord,
  ChoiceParameter,
  IntegerOptions,
  IntegerParameter,
  Limits,
  LogUniformParameter,
  UniformOptions,
  UniformParameter,
} from './parameter.js'

/**
 * Any number from `low` to `high`, both finite, each as likely as another.
 *
 * @throws `GRADUS_INVALID_ARGUMENT` where low is not below high, high is no whole number of steps from it, or a limit lies
 *   within the range
 * @example uniform(0, 0.7, { most: 0.95 })
 * @function
 */
export const uniform = factory(
  'uniform',
  3,
  (low: number, high: number, options?: UniformOptions): UniformParameter => makeUniform('uniform', low, high, options),
)

/**
 * 10 ** uniform(log10(low), log10(high)): from 0.001 to 0.01 as likely as from 0.01 to 0.1. For what multiplies, such as
 * learning rates and regularisation (CS231n, "Hyperparameter optimization").
 *
 * @throws `GRADUS_INVALID_ARGUMENT` where low is not positive, or not below high
 * @example logUniform(1e-6, 10)
 * @function
 */
export const logUniform = factory(
  'logUniform',
  3,
  (low: number, high: number, options?: Limits): LogUniformParameter =>
    makeLogUniform('logUniform', low, high, options),
)

/**
 * A whole number from `low` to `high`, both included, within ±(2⁵³ − 1).
 *
 * @throws `GRADUS_INVALID_ARGUMENT` as {@link uniform}, and where `log` meets a range from below 1, or a step
 * @example integer(32, 512, { log: true })
 * @function
 */
export const integer = factory(
  'integer',
  3,
  (low: number, high: number, options?: IntegerOptions): IntegerParameter => makeInteger('integer', low, high, options),
)

interface Choice {
  <const Value extends Json>(values: readonly Value[]): ChoiceParameter<Value>
  <const Branches extends BranchRecord>(branches: Branches): BranchesParameter<Branches>
}

/**
 * One of the values, which may be whatever JSON can hold; or one of the branches, each of which has parameters of its own:
 * a trial finds `{ name: 'adam', beta1: 0.9 }`, and nothing of the others.
 *
 * @throws `GRADUS_INVALID_ARGUMENT` where there is none, two are the same, or one is nothing for JSON
 * @example choice([null, 'batch', 'layer'])
 * @example choice({ adam: { beta1: uniform(0.8, 0.99) }, nesterov: { momentum: uniform(0.5, 0.99) } })
 * @function
 */
export const choice: Choice = factory('choice', 1, ((given: unknown) =>
  Array.isArray(given) ? makeChoice('choice', given) : makeBranches('choice', given)) as Choice)
