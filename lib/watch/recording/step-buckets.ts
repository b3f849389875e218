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
  readonly #first: Float64Array
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
    this.#first = new Float64Array(capacity)
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

  /** The sums of a column, each divided by what its bucket holds. */
  #quotients(i: number, counts: Float64Array): Float64Array {
    const quotients = new Float64Array(counts.length)
    for (let bucket = 0; bucket < counts.length; bucket++) {
      quotients[bucket] = this.#sums[bucket * this.#width + i]! / counts[bucket]!
    }
    return quotients
  }

  /** A copy of what there is. */
  series(tensors: readonly TensorInfo[]): StepSeries {
    const used = Math.ceil(this.#count / this.#rowsEach)
    const [rows, accepted] = [new Float64Array(used), new Float64Array(used)]
    for (let bucket = 0; bucket < used; bucket++) {
      rows[bucket] = Math.min(this.#rowsEach, this.#count - bucket * this.#rowsEach)
      accepted[bucket] = rows[bucket]! - this.#sums[bucket * this.#width + at.refused]!
    }
    const mean = (i: number) => this.#quotients(i, accepted)
    const share = (i: number) => this.#quotients(i, rows)
    const column = (of: (bucket: number) => number) => Float64Array.from({ length: used }, (_, bucket) => of(bucket))
    const isEmpty = (bucket: number) => accepted[bucket] === 0
    return {
      count: this.#count,
      lastStep: this.#lastStep,
      step: this.#first.slice(0, used),
      seconds: mean(at.seconds),
      loss: mean(at.loss),
      lossLeast: column((bucket) => (isEmpty(bucket) ? Number.NaN : this.#least[bucket]!)),
      lossMost: column((bucket) => (isEmpty(bucket) ? Number.NaN : this.#most[bucket]!)),
      lossNoise: column((bucket) => Math.sqrt(this.#jumps[bucket]! / this.#jumpCount[bucket]! / 2)),
      regularizationLoss: mean(at.regularizationLoss),
      learningRate: mean(at.learningRate),
      momentum: mean(at.momentum),
      gradientNorm: mean(at.gradientNorm),
      refused: share(at.refused),
      tensors: tensors.map((tensor, i) => {
        const first = stepColumns.length + i * tensorColumns.length
        const [ratio, weightNorm, gradientNorm] = [mean(first), mean(first + 1), mean(first + 2)]
        return { ...tensor, ratio, weightNorm, gradientNorm, nonfinite: share(first + 3) }
      }),
    }
  }
}
