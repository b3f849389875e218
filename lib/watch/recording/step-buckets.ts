import { type Rows, stepColumns, tensorColumns } from './files.js'
import type { StepSeries, TensorInfo } from './recording.js'

const at = Object.fromEntries(stepColumns.map((name, i) => [name, i])) as Record<(typeof stepColumns)[number], number>

/**
 * Steps without end in bounded memory: sums over stretches of equally many rows, which are joined two by two whenever
 * there are too many.
 */
export class StepBuckets {
  readonly #width: number
  readonly #capacity: number
  #rowsEach: number
  #count = 0
  #lastStep = -1
  #previousLoss = Number.NaN
  /** By bucket: sums of all columns over the accepted rows; of `refused` and `nonfinite` over all rows. */
  readonly #sums: Float64Array
  readonly #first: Uint32Array
  readonly #least: Float64Array
  readonly #most: Float64Array
  readonly #jumps: Float64Array
  readonly #jumpCount: Float64Array

  /** `capacity` is even; `rowsEach` is what a bucket holds to begin with. */
  constructor(width: number, capacity = 2048, rowsEach = 1) {
    this.#width = width
    this.#capacity = capacity
    this.#rowsEach = rowsEach
    this.#sums = new Float64Array(width * capacity)
    this.#first = new Uint32Array(capacity)
    this.#least = new Float64Array(capacity).fill(Number.POSITIVE_INFINITY)
    this.#most = new Float64Array(capacity).fill(Number.NEGATIVE_INFINITY)
    this.#jumps = new Float64Array(capacity)
    this.#jumpCount = new Float64Array(capacity)
  }

  add(rows: Rows): void {
    for (let row = 0; row < rows.count; row++) {
      if (this.#count === this.#capacity * this.#rowsEach) this.#join()
      const bucket = Math.floor(this.#count / this.#rowsEach)
      const start = row * rows.width
      const step = rows.steps[start]!
      if (this.#count % this.#rowsEach === 0) this.#first[bucket] = step
      this.#lastStep = step
      this.#count++
      if (rows.values[start + at.refused]! > 0) this.#addRefused(rows.values, start, bucket)
      else this.#addAccepted(rows.values, start, bucket)
    }
  }

  #addAccepted(values: Float32Array, start: number, bucket: number): void {
    const sums = this.#sums
    const width = this.#width
    const to = bucket * width
    for (let i = 1; i < width; i++) sums[to + i]! += values[start + i]!
    const loss = values[start + at.loss]!
    if (loss < this.#least[bucket]!) this.#least[bucket] = loss
    if (loss > this.#most[bucket]!) this.#most[bucket] = loss
    const jump = loss - this.#previousLoss
    if (!Number.isNaN(jump)) {
      this.#jumps[bucket]! += jump * jump
      this.#jumpCount[bucket]!++
    }
    this.#previousLoss = loss
  }

  #addRefused(values: Float32Array, start: number, bucket: number): void {
    const to = bucket * this.#width
    this.#sums[to + at.refused]!++
    const last = tensorColumns.length - 1
    for (let i = stepColumns.length + last; i < this.#width; i += tensorColumns.length) {
      this.#sums[to + i]! += values[start + i]!
    }
  }

  #join(): void {
    const half = this.#capacity / 2
    const width = this.#width
    for (let bucket = 0; bucket < half; bucket++) {
      const [a, b] = [2 * bucket, 2 * bucket + 1]
      for (let i = 0; i < width; i++) {
        this.#sums[bucket * width + i] = this.#sums[a * width + i]! + this.#sums[b * width + i]!
      }
      this.#first[bucket] = this.#first[a]!
      this.#least[bucket] = Math.min(this.#least[a]!, this.#least[b]!)
      this.#most[bucket] = Math.max(this.#most[a]!, this.#most[b]!)
      this.#jumps[bucket] = this.#jumps[a]! + this.#jumps[b]!
      this.#jumpCount[bucket] = this.#jumpCount[a]! + this.#jumpCount[b]!
    }
    this.#sums.fill(0, half * width)
    this.#least.fill(Number.POSITIVE_INFINITY, half)
    this.#most.fill(Number.NEGATIVE_INFINITY, half)
    this.#jumps.fill(0, half)
    this.#jumpCount.fill(0, half)
    this.#rowsEach *= 2
  }

  get count(): number {
    return this.#count
  }

  get lastStep(): number {
    return this.#lastStep
  }

  /** The loss of the last bucket that has one; NaN before. */
  get lastLoss(): number {
    for (let bucket = Math.ceil(this.#count / this.#rowsEach) - 1; bucket >= 0; bucket--) {
      const rows = Math.min(this.#rowsEach, this.#count - bucket * this.#rowsEach)
      const loss = this.#sums[bucket * this.#width + at.loss]! / (rows - this.#sums[bucket * this.#width + at.refused]!)
      if (!Number.isNaN(loss)) return loss
    }
    return Number.NaN
  }

  /** The sums of a column from a bucket on, each divided by what its bucket holds. */
  #quotients(i: number, first: number, counts: Float64Array): Float64Array {
    const quotients = new Float64Array(counts.length)
    for (let k = 0; k < counts.length; k++) quotients[k] = this.#sums[(first + k) * this.#width + i]! / counts[k]!
    return quotients
  }

  /** A copy of what there is, from the bucket of row `from` on. */
  series(tensors: readonly TensorInfo[], from = 0): StepSeries {
    const first = Math.floor(from / this.#rowsEach)
    const length = Math.max(0, Math.ceil(this.#count / this.#rowsEach) - first)
    const [rows, accepted] = [new Float64Array(length), new Float64Array(length)]
    for (let k = 0; k < length; k++) {
      rows[k] = Math.min(this.#rowsEach, this.#count - (first + k) * this.#rowsEach)
      accepted[k] = rows[k]! - this.#sums[(first + k) * this.#width + at.refused]!
    }
    const mean = (i: number) => this.#quotients(i, first, accepted)
    const share = (i: number) => this.#quotients(i, first, rows)
    const [lossLeast, lossMost] = [this.#least, this.#most].map((column) => column.slice(first, first + length))
    const lossNoise = new Float64Array(length)
    for (let k = 0; k < length; k++) {
      lossNoise[k] = Math.sqrt(this.#jumps[first + k]! / this.#jumpCount[first + k]! / 2)
      if (accepted[k] === 0) lossLeast![k] = lossMost![k] = Number.NaN
    }
    return {
      count: this.#count,
      lastStep: this.#lastStep,
      step: this.#first.slice(first, first + length),
      seconds: mean(at.seconds),
      loss: mean(at.loss),
      lossLeast: lossLeast!,
      lossMost: lossMost!,
      lossNoise,
      regularizationLoss: mean(at.regularizationLoss),
      learningRate: mean(at.learningRate),
      momentum: mean(at.momentum),
      gradientNorm: mean(at.gradientNorm),
      refused: share(at.refused),
      tensors: tensors.map((tensor, i) => {
        const begin = stepColumns.length + i * tensorColumns.length
        const [ratio, weightNorm, gradientNorm] = [mean(begin), mean(begin + 1), mean(begin + 2)]
        return { ...tensor, ratio, weightNorm, gradientNorm, nonfinite: share(begin + 3) }
      }),
    }
  }
}
