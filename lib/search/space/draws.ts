/**
 * Random numbers of a search: each a function of the study's seed, the trial's number and which of its draws it is. There is
 * no generator with a state, so no order of workers can matter.
 */
import { philoxInto } from '../../data/random.js'

/** Keeps these numbers apart from those of training, which come from the same cipher. */
const domain = 0x5ea0_0000
const low32 = (value: number): number => value >>> 0
const high32 = (value: number): number => Math.floor(value / 0x1_0000_0000) >>> 0

/** What the numbers are for: uses that must not share any have a stream each. */
export const streams = {
  parameters: 0,
  rest: 1,
  scramble: 2,
  normals: 3,
  tpe: 4,
  gaussianProcess: 5,
  population: 6,
  training: 7,
} as const

export class Draws {
  readonly #key: readonly [number, number]
  readonly #number: number
  readonly #stream: number
  #next = 0
  /** The last block of the cipher, which two draws share. */
  #block = -1
  readonly #words = new Uint32Array(4)

  /**
   * @param seed of the study, 0 to 2⁵³ − 1
   * @param number of the trial, 0 to 2⁵³ − 1
   * @param stream one of {@link streams}
   */
  constructor(seed: number, number: number, stream: number) {
    this.#key = [low32(seed), high32(seed)]
    this.#number = number
    this.#stream = domain + stream
  }

  /** Number `draw` of this trial, in [0, 1), with 53 bits. */
  at(draw: number): number {
    const block = Math.floor(draw / 2)
    if (block !== this.#block) {
      philoxInto(this.#words, this.#key, low32(block), this.#stream, low32(this.#number), high32(this.#number))
      this.#block = block
    }
    const from = draw % 2 === 0 ? 0 : 2
    const [high, low] = [this.#words[from]!, this.#words[from + 1]!]
    return ((high >>> 5) * 0x400_0000 + (low >>> 6)) / 0x20_0000_0000_0000
  }

  /** The draw after the last one of these, in [0, 1). */
  next(): number {
    return this.at(this.#next++)
  }

  /** A whole number from 0 to count − 1. */
  below(count: number): number {
    return Math.min(count - 1, Math.floor(this.next() * count))
  }

  /** Standard normal, of two draws (Box and Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()))
    return radius * Math.cos(2 * Math.PI * this.next())
  }
}
