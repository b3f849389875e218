/** How sharply the loss bends at a model's weights, and what learning rate that leaves stable. */
import { checkPositive, checkPositiveInteger, checkSeed } from '../../checks.js'
import type { Data } from '../../data/stream.js'
import { randomNormal } from '../../kernels/random.js'
import type { Model } from '../../model/model.js'
import { optionsOf } from '../../options.js'
import { lanczos } from './lanczos.js'
import { checkModel, type HessianOptions, HessianTwin, hessianRules } from './twin.js'

export interface SharpnessOptions extends HessianOptions {
  /** Default 1024: the curvature of the mean loss needs few. */
  examples?: number | undefined
  /** Of the residual, relative to the eigenvalue; default 1e-4. The eigenvalue itself is closer. */
  tolerance?: number | undefined
  /** Hessian-vector products at most; each keeps one float64 vector of all trainable weights. Default 100. */
  maxIterations?: number | undefined
  /** Of the starting vector; 0 to 2⁵³ − 1, default 0. */
  seed?: number | undefined
}

export interface Sharpness {
  /** The algebraically largest eigenvalue of the Hessian, in units of the loss by squares of weights. */
  eigenvalue: number
  /** 2 / eigenvalue; Infinity where the loss bends upwards nowhere. */
  learningRateLimit: number
  /** Hessian-vector products that were made. */
  iterations: number
  /** ‖H·v − λ·v‖ of the unit eigenvector found. */
  residual: number
  /** All this in a sentence or two. */
  message: string
}

const readOptions = optionsOf<SharpnessOptions>()('sharpness', {
  ...hessianRules,
  examples: [checkPositiveInteger, 1024],
  tolerance: [checkPositive, 1e-4],
  maxIterations: [checkPositiveInteger, 100],
  seed: [checkSeed, 0],
})

/**
 * The largest eigenvalue λ of the Hessian of a compiled model's loss, by Lanczos's method on exact Hessian-vector products
 * (Pearlmutter 1994), in float64 on a copy. Where the loss is quadratic, gradient descent without momentum diverges with
 * a learning rate over 2/λ (LeCun, Simard and Pearlmutter 1993); training at full batches tends to that edge by itself
 * (Cohen et al. 2021, "Gradient descent on neural networks typically occurs at the edge of stability").
 *
 * Batch norm takes the batch's statistics, dropout drops nothing, frozen layers count as constants. At kinks (of ReLU,
 * hinges) the curvature is that of the side the weights lie on.
 *
 * @param data - examples in memory; at most `options.examples` of them are taken, as one batch
 * @throws `GRADUS_NOT_COMPILED`, `GRADUS_NO_SECOND_DERIVATIVE` for custom layers, losses and regularizers,
 * `GRADUS_NON_FINITE`, and those of the data
 * @example
 * const { learningRateLimit, message } = await sharpness(model, { x, y })
 */
export async function sharpness(model: Model, data: Data, options: SharpnessOptions = {}): Promise<Sharpness> {
  checkModel(model)
  const { tolerance, maxIterations, seed, ...settings } = readOptions(options)
  return HessianTwin.use(model, data, settings, async (twin) => {
    const start = randomNormal(new Float64Array(twin.size), { seed })
    const found = await lanczos((vector) => twin.product(vector), start, { tolerance, maxIterations })
    const { eigenvalue, iterations, residual } = found
    const learningRateLimit = eigenvalue > 0 ? 2 / eigenvalue : Number.POSITIVE_INFINITY
    return { eigenvalue, learningRateLimit, iterations, residual, message: messageOf(found) }
  })
}

function messageOf({ eigenvalue, iterations, residual, converged }: Awaited<ReturnType<typeof lanczos>>): string {
  const short = (x: number) => String(Number(x.toPrecision(4)))
  const bound =
    eigenvalue > 0
      ? `gradient descent without momentum is unstable at a learning rate over 2/λ = ${short(2 / eigenvalue)}`
      : 'the loss bends upwards in no direction, so it bounds no learning rate'
  const found = `The largest eigenvalue of the Hessian is λ = ${short(eigenvalue)}: ${bound}.`
  if (converged) return found
  const advice = 'the true one may be larger: raise maxIterations'
  return `${found} After ${iterations} iterations its residual is still ${short(residual)}; ${advice}.`
}
