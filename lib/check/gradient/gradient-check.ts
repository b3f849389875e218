/** The check of a model's gradient. */
import type { Data } from '../../data/stream.js'
import { GradusError, invalidArgument } from '../../errors.js'
import { Model } from '../../model/model.js'
import { checkTensors } from './check-tensors.js'
import { type GradientCheckOptions, resolveOptions } from './options.js'
import { GradientReport } from './report.js'
import { Twin } from './twin.js'

/**
 * Compares the gradient of a compiled model with central differences of its loss, tensor by tensor, on a float64 twin with
 * the same weights; the model itself is never changed. Says which tensor is wrong, why, and how sure that is: steps that
 * cross a kink (of a ReLU, maxout, hinge, …) are retried with smaller ones and else left out, gradients that rounding
 * hides are called undecidable (CS231n, "Gradient checks").
 *
 * @param data - some examples; at most `options.examples` of them are taken
 * A model on a GPU has the gradient of its own type compared with the processor's first, bit for bit.
 *
 * @throws `GRADUS_WRONG_GRADIENT` where these differ, `GRADUS_NOT_COMPILED`, `GRADUS_NOT_DETERMINISTIC` naming the layer that differs between equal evaluations,
 * `GRADUS_NON_FINITE`, and those of the data
 * @example
 * const report = await gradientCheck(model, { x, y })
 * console.log(String(report)) // a table
 * report.verdict              // 'satisfied' | 'acceptable' | 'uneasy' | 'wrong' | 'undecidable'
 */
export async function gradientCheck(
  model: Model,
  data: Data,
  options: GradientCheckOptions = {},
): Promise<GradientReport> {
  if (!(model instanceof Model)) throw invalidArgument('model', 'a model', model)
  const settings = resolveOptions(options)
  return Twin.use(model, data, settings, async (twin) => {
    const { samplesPerParameter, stepSize, seed, method, directions } = settings
    const isDirectional = method === 'directional'
    const direction = isDirectional ? (tensor: number, number: number) => twin.direction(tensor, number) : undefined
    const check = checkTensors(
      {
        tensors: twin.tensors,
        gradient: (tensor, term) => twin.gradient(tensor, term),
        scale: (term) => twin.scale(term),
        hasKinks: twin.hasKinks,
        direction,
      },
      { samplesPerParameter, stepSize, seed, directions },
    )
    let next = check.next()
    while (!next.done) next = check.next(await twin.evaluate(next.value))
    return new GradientReport(next.value)
  })
}

/**
 * {@link gradientCheck} for tests: resolves with the report, or throws with its table when the verdict is neither
 * `'satisfied'` nor `'acceptable'`.
 *
 * @throws `GRADUS_WRONG_GRADIENT`
 */
export async function assertGradients(
  model: Model,
  data: Data,
  options: GradientCheckOptions = {},
): Promise<GradientReport> {
  const report = await gradientCheck(model, data, options)
  if (report.verdict === 'satisfied' || report.verdict === 'acceptable') return report
  throw new GradusError('GRADUS_WRONG_GRADIENT', String(report))
}
