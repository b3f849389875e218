import { layerColumns, lookColumns, type Rows } from './files.js'
import type { LayerInfo, LayerSeries } from './recording.js'

/** Looks at the layers without end in bounded memory: each second one is dropped whenever there are too many. */
export class LayerLooks {
  readonly #layers: readonly LayerInfo[]
  readonly #capacity: number
  #stride = 1
  #next = 0
  #count = 0
  #steps: number[] = []
  #rows: Float32Array[] = []

  constructor(layers: readonly LayerInfo[], capacity = 512) {
    this.#layers = layers
    this.#capacity = capacity
  }

  /** Number of the next look that is wanted, counted from 0 over all of the run. */
  get next(): number {
    return this.#next
  }

  /** Looks seen so far, wanted or not. */
  get count(): number {
    return this.#count
  }

  /** Before many: how far apart looks will be if there are so many in all. */
  expect(count: number): void {
    while (count > this.#capacity * this.#stride) this.#thin()
  }

  /** Look number `number` lies in row `row`; left out if it is not wanted. */
  add(number: number, rows: Rows, row: number): void {
    this.#count = number + 1
    if (number < this.#next) return
    if (number % this.#stride === 0) {
      const start = row * rows.width
      this.#steps.push(rows.steps[start]!)
      this.#rows.push(rows.values.slice(start + lookColumns.length, start + rows.width))
    }
    this.#next = (Math.floor(number / this.#stride) + 1) * this.#stride
    if (this.#rows.length === this.#capacity) this.#thin()
  }

  #thin(): void {
    this.#steps = this.#steps.filter((_, i) => i % 2 === 0)
    this.#rows = this.#rows.filter((_, i) => i % 2 === 0)
    this.#stride *= 2
    this.#next = Math.ceil(this.#next / this.#stride) * this.#stride
  }

  series(): LayerSeries {
    const rows = this.#rows
    const column = (at: number, scale = 1) => {
      const values = new Float64Array(rows.length)
      for (let i = 0; i < rows.length; i++) values[i] = rows[i]![at]! / scale
      return values
    }
    return {
      step: Uint32Array.from(this.#steps),
      layers: this.#layers.map((layer, i) => {
        const first = i * layerColumns.length
        return {
          ...layer,
          mean: column(first),
          deviation: column(first + 1),
          dead: column(first + 2, layer.units),
          saturated: column(first + 3),
          nonfinite: column(first + 4),
        }
      }),
    }
  }
}
