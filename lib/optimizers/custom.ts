/** Optimizers written in JavaScript. */
import { callOf, factory } from '../call.js'
import { checkFunction, nameFor } from '../checks.js'
import { invalidArgument } from '../errors.js'
import type { FloatArray } from '../native.js'
import { needed, optionsOf } from '../options.js'
import { settled } from '../settled.js'
import {
  type CustomOptimizer,
  type CustomUpdate,
  common,
  howToChange,
  type Optimizer,
  type OptimizerOptions,
  optimizer,
} from './optimizer.js'

export interface CustomOptimizerOptions<Slot extends string> extends OptimizerOptions {
  name: string
  /** Names of the arrays that are kept for each parameter; default none. */
  slots?: readonly Slot[] | undefined
  /**
   * The change of a parameter, to be added to it: for gradient descent `gradient.map((g) => -learningRate * g)`. The gradient
   * is a copy, with regularizers and clipping in it. Weight decay and the running average come on top.
   */
  update(gradient: FloatArray, update: CustomUpdate<Slot>): FloatArray
}

/**
 * An optimizer of one's own, for experiments: it runs on the main thread, a call for each parameter and step. A saved
 * model has its name alone: give it to `loadModel(file, { optimizers: { heavyBall } })`. Learning rate 0.01 unless given.
 *
 * @example
 * const heavyBall = customOptimizer({
 *   name: 'heavyBall',
 *   slots: ['velocity'],
 *   update(gradient, { slots: { velocity }, learningRate }) {
 *     gradient.forEach((g, i) => { velocity[i] = 0.9 * velocity[i] - learningRate * g })
 *     return velocity
 *   },
 * })
 * @function
 */
export const customOptimizer = factory(
  'customOptimizer',
  1,
  <Slot extends string = never>(options: CustomOptimizerOptions<Slot>): Optimizer => {
    const { name, slots, update, ...shared } = readOptions(options as CustomOptimizerOptions<string>)
    const made = optimizer('customOptimizer', shared, 'custom', { slots })
    const custom = { name, slots, update }
    return settled({ ...made, call: callOf('customOptimizer', { name }), custom }, howToChange)
  },
)

const readOptions = optionsOf<CustomOptimizerOptions<string>>()('customOptimizer', {
  ...common(0.01),
  name: needed(nameFor('optimizer')),
  slots: [checkSlots, []],
  update: needed(checkFunction<CustomOptimizer['update']>),
})

function checkSlots(argument: string, slots: unknown): readonly string[] {
  if (!Array.isArray(slots)) throw invalidArgument(argument, 'an array of names', slots)
  slots.forEach((slot, i) => {
    const isFree = typeof slot === 'string' && /^[A-Za-z]\w*$/.test(slot) && slots.indexOf(slot) === i
    if (isFree && !['parameters', 'gradients', 'average'].includes(slot)) return
    throw invalidArgument(`${argument}[${i}]`, 'a name of its own', slot)
  })
  return slots
}
