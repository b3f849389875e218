/** The Hessian of a model's loss: times a vector, and as a matrix where that fits. */
import { checkPositive } from '../../checks.js'
import type { Data } from '../../data/stream.js'
import { describe, GradusError, invalidArgument } from '../../errors.js'
import type { Model } from '../../model/model.js'
import { checkWeights, type Weights } from '../../model/weights.js'
import type { FloatArray } from '../../native.js'
import { optionsOf } from '../../options.js'
import { flatParameters } from '../../train/flat.js'
import { bytesInWords } from '../../words.js'
import { checkModel, type HessianOptions, HessianTwin, hessianRules, readHessianOptions } from './twin.js'

/**
 * The Hessian of a compiled model's loss times a vector, exact (the R-operator of Pearlmutter 1994, "Fast exact
 * multiplication by the Hessian"), for three times the multiplications of a gradient. In float64 on a copy; batch norm
 * takes the batch's statistics, dropout drops nothing, choices at kinks stay as they are.
 *
 * @param data - examples in memory, all of them as one batch unless `options.examples` says otherwise
 * @param vector - for each trainable weight of the model, by name, an array of its shape, as `getWeights()` gives them
 * @returns the product, by name likewise, as Float64Arrays
 * @throws `GRADUS_NOT_COMPILED`, `GRADUS_NO_SECOND_DERIVATIVE` for custom layers, losses and regularizers,
 * `GRADUS_NON_FINITE`, and those of the data
 * @example
 * const product = await hessianVectorProduct(model, { x, y }, direction)
 * product['dense1.weight'].data
 */
export async function hessianVectorProduct(
  model: Model,
  data: Data,
  vector: Weights,
  options: HessianOptions = {},
): Promise<Weights> {
  const program = checkModel(model).program
  const settings = readHessianOptions(options)
  if (typeof vector !== 'object' || vector === null) throw invalidArgument('vector', 'a record of weights', vector)
  const frozen = program.parameters.find(({ name, trainable }) => !trainable && name in vector)
  if (frozen) {
    const message = `vector: ${describe(frozen.name)} is frozen; give an entry for each trainable weight only`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const parameters = flatParameters(program)
  const parts = checkWeights(vector, parameters, 'float64', 'vector')
  return HessianTwin.use(model, data, settings, async (twin) => {
    const flat = new Float64Array(twin.size)
    for (const [i, { first }] of parameters.entries()) flat.set(parts[i]!, first)
    const product = await twin.product(flat)
    return Object.fromEntries(
      parameters.map(({ name, shape, first, size }) => [
        name,
        { shape: [...shape], data: product.slice(first, first + size) },
      ]),
    )
  })
}

export interface ExplicitHessianOptions extends HessianOptions {
  /** What the matrix may take in memory; default 2²⁸ (256 MiB). */
  maxBytes?: number | undefined
}

const readExplicit = optionsOf<ExplicitHessianOptions>()('hessian', {
  ...hessianRules,
  maxBytes: [checkPositive, 2 ** 28],
})

/**
 * The whole Hessian of a small model's loss, row-major, (n, n) for n trainable weights: one parameter after the other in
 * layer order, in the model's dtype. Made of n Hessian-vector products.
 *
 * @throws `GRADUS_TOO_LARGE` with the memory it would take when that is over `maxBytes`: 3,725 GiB for the million
 * weights of CS231n's notes ("Parameter updates", second order methods); and what {@link hessianVectorProduct} throws
 */
export async function hessian(
  model: Model,
  data: Data,
  options: ExplicitHessianOptions = {},
): Promise<{ size: number; data: FloatArray }> {
  const { program, dtype } = checkModel(model)
  const { maxBytes, ...settings } = readExplicit(options)
  const size = flatParameters(program).reduce((sum, parameter) => sum + parameter.size, 0)
  const bytes = size * size * (dtype === 'float32' ? 4 : 8)
  if (bytes > maxBytes) throw tooLarge(size, dtype, bytes)
  return HessianTwin.use(model, data, settings, async (twin) => {
    const rows = dtype === 'float32' ? new Float32Array(size * size) : new Float64Array(size * size)
    const unit = new Float64Array(size)
    for (let i = 0; i < size; i++) {
      unit[i] = 1
      rows.set(await twin.product(unit), i * size)
      unit[i] = 0
    }
    return { size, data: rows }
  })
}

function tooLarge(size: number, dtype: string, bytes: number): GradusError {
  const matrix = `the Hessian of ${size.toLocaleString('en')} trainable weights`
  const advice = 'hessianVectorProduct multiplies by it and sharpness finds its largest eigenvalue without making it'
  return new GradusError('GRADUS_TOO_LARGE', `${matrix} in ${dtype} would take ${bytesInWords(bytes)}; ${advice}`)
}
