/** Columns of kernels with a density over 0 … 1 each: normal ones, cut off at the ends. */
import { logRootOfTwoPi } from '../../../normal.js'
import { deviationsOf } from './deviations.js'
import { drawWithin, shareWithin } from './truncated.js'

/** A product this large is taken as a logarithm before it becomes infinite. */
const mostProduct = 1e200

export class RealColumns {
  /** Kernel by kernel, and in them column by column, the mean and the inverse of the deviation. */
  readonly #kernels: Float64Array
  /** Of each kernel, its weight and what its columns are scaled by, as a logarithm. */
  readonly #constants: Float64Array

  /**
   * @param places of the columns in a point
   * @param observations the columns' units, and 0.5 behind them for the kernel over everything
   */
  constructor(
    private readonly places: Uint32Array,
    observations: readonly Float64Array[],
    weights: Float64Array,
  ) {
    const count = weights.length
    this.#kernels = new Float64Array(2 * count * places.length)
    this.#constants = new Float64Array(count).fill(-places.length * logRootOfTwoPi)
    const [products, deviations] = [weights.slice(), new Float64Array(count)]
    for (let j = 0; j < places.length; j++) this.#addColumn(j, observations[places[j]!]!, deviations, products)
    for (let k = 0; k < count; k++) this.#constants[k]! += Math.log(products[k]!)
  }

  #addColumn(column: number, means: Float64Array, deviations: Float64Array, products: Float64Array): void {
    const [kernels, constants, stride] = [this.#kernels, this.#constants, 2 * this.places.length]
    deviationsOf(means, deviations.length - 1, deviations)
    for (let k = 0, at = 2 * column; k < deviations.length; k++, at += stride) {
      const [mean, inverse] = [means[k]!, 1 / deviations[k]!]
      kernels[at] = mean
      kernels[at + 1] = inverse
      products[k]! *= inverse / shareWithin(mean, inverse)
      if (products[k]! < mostProduct) continue
      constants[k]! += Math.log(products[k]!)
      products[k] = 1
    }
  }

  /** A draw of a kernel's column, counted among these. */
  sample(kernel: number, column: number, draw: number): number {
    const at = 2 * (kernel * this.places.length + column)
    return drawWithin(this.#kernels[at]!, this.#kernels[at + 1]!, draw)
  }

  /** The logarithm of a kernel's density, with its weight; where it is below `least`, anything below it. */
  logDensity(kernel: number, point: Float64Array, least: number): number {
    const [places, kernels] = [this.places, this.#kernels]
    let density = this.#constants[kernel]!
    for (let j = 0, at = 2 * kernel * places.length; j < places.length && density >= least; j++, at += 2) {
      const z = (point[places[j]!]! - kernels[at]!) * kernels[at + 1]!
      density -= 0.5 * z * z
    }
    return density
  }
}
