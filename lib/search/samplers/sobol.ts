/** Sobol sequences: points that fill the cube evenly, however many are taken (Sobol 1967). */
import { factory } from '../../call.js'
import { Draws, streams } from '../space/draws.js'
import { fresh, pointOf } from './fresh.js'
import { drawnPoint } from './random.js'
import type { Sampler } from './sampler.js'
import { directions } from './sobol-directions.js'

const bits = 32
/** Dimensions that there are direction numbers for. */
export const mostDimensions = directions.trim().split(/\s+/).length + 1

/**
 * The points of a Sobol sequence by number, in Gray code's order, each coordinate in [0, 1) with 32 bits. Those beyond
 * `mostDimensions` are random numbers.
 *
 * @param dimensions coordinates of a point
 * @param scramble numbers for a random linear matrix scramble and digital shift (Matoušek 1998), which keep the points'
 *   evenness and make each of them uniform; without them the sequence begins with zeros
 */
export class SobolSequence {
  readonly #columns: Uint32Array[]
  readonly #shifts: Uint32Array
  readonly #beyond: number
  readonly #draws: Draws | undefined

  constructor(dimensions: number, scramble?: Draws) {
    const count = Math.min(dimensions, mostDimensions)
    this.#columns = columnsOf(count)
    this.#shifts = new Uint32Array(count)
    this.#beyond = dimensions - count
    this.#draws = scramble
    if (scramble === undefined) return
    for (const [i, columns] of this.#columns.entries()) {
      const word = (draw: number) => Math.floor(scramble.at(i * (bits + 1) + draw) * 2 ** bits)
      scrambleColumns(columns, word)
      this.#shifts[i] = word(bits)
    }
  }

  /** Coordinates of point `index`, from 0 to 2³² − 1. */
  point(index: number): Float64Array {
    const gray = (index ^ (index >>> 1)) >>> 0
    const point = new Float64Array(this.#columns.length + this.#beyond)
    for (const [i, columns] of this.#columns.entries()) {
      let word = this.#shifts[i]!
      for (let rest = gray, bit = 0; rest !== 0; rest >>>= 1, bit++) if (rest & 1) word ^= columns[bit]!
      point[i] = (word >>> 0) / 2 ** bits
    }
    this.#fillBeyond(point, index)
    return point
  }

  #fillBeyond(point: Float64Array, index: number): void {
    const used = mostDimensions * (bits + 1)
    for (let i = 0; i < this.#beyond; i++)
      point[this.#columns.length + i] = this.#draws?.at(used + index * this.#beyond + i) ?? 0
  }
}

let polynomials: readonly (readonly number[])[] | undefined

/** Of each dimension the words that the bits of a point's number bring in, the highest bit of a word being a half. */
function columnsOf(dimensions: number): Uint32Array[] {
  polynomials ??= directions
    .trim()
    .split(/\s+/)
    .map((text) => text.split(':').map(Number))
  const first = Uint32Array.from({ length: bits }, (_, bit) => 2 ** (bits - 1 - bit))
  const rest = polynomials.slice(0, dimensions - 1).map(([polynomial, ...start]) => columnsBy(polynomial!, start))
  return [first, ...rest].slice(0, dimensions)
}

/** Bratley and Fox's recurrence (1988). */
function columnsBy(polynomial: number, start: readonly number[]): Uint32Array {
  const degree = start.length
  const numbers = [...start]
  for (let j = degree; j < bits; j++) {
    let next = numbers[j - degree]!
    for (let k = 0; k < degree; k++)
      if ((polynomial >>> (degree - 1 - k)) & 1) next = (next ^ (numbers[j - k - 1]! * 2 ** (k + 1))) >>> 0
    numbers.push(next)
  }
  return Uint32Array.from(numbers, (number, j) => number * 2 ** (bits - 1 - j))
}

/** Each bit of a word also flips bits below it, at random: the same ones in all words of a dimension. */
function scrambleColumns(columns: Uint32Array, word: (draw: number) => number): void {
  const matrix = Uint32Array.from({ length: bits }, (_, bit) => {
    const own = 2 ** (bits - 1 - bit)
    return own + (word(bit) % own)
  })
  for (const [j, column] of columns.entries()) {
    let scrambled = 0
    for (let bit = 0; bit < bits; bit++) if ((column >>> (bits - 1 - bit)) & 1) scrambled ^= matrix[bit]!
    columns[j] = scrambled >>> 0
  }
}

/**
 * Even coverage of the space: trial n takes point n of a Sobol sequence with Joe and Kuo's direction numbers, scrambled by
 * the study's seed. In a finite space a point that was taken is replaced by a random one.
 *
 * @example sobol()
 * @function
 */
export const sobol = factory(
  'sobol',
  0,
  (): Sampler => ({
    name: 'sobol',
    settings: {},
    suggest(asked) {
      const { space, seed, number } = asked
      const sequence = new SobolSequence(space.dimensions.length, new Draws(seed, 0, streams.scramble))
      const even = sequence.point(number)
      const draws = new Draws(seed, number, streams.parameters)
      return fresh(asked, (attempt) =>
        attempt === 0 ? pointOf(space, (dimension) => even[dimension]!) : drawnPoint(space, draws, attempt),
      )
    },
  }),
)
