/** What a model loses that knows nothing of its inputs: the one place where that is worked out. */

/** As {@link Loss} and the descriptor of a run tell it. */
export interface LossKind {
  readonly kind: string
  readonly parameter?: number | undefined
  readonly smoothing?: number | undefined
}

/** What targets are like, each example counting by its weight. */
export interface TargetFacts {
  /** How many were looked at. */
  readonly rows: number
  /** Whether some examples count more than others. */
  readonly isWeighted: boolean
  /** The loss of the best constant prediction: always the shares of the classes, or the mean; null where not known. */
  readonly chance: number | null
  /** How many belong to each class, whatever they weigh; not of very many classes. */
  readonly classCounts?: readonly number[]
  /** Of the numbers of a regression: those of the output that is largest in scale. */
  readonly mean?: number
  readonly deviation?: number
}

/** More are not listed one by one. */
const mostListed = 1000

const isRegression = (kind: string): boolean =>
  kind === 'mean_squared_error' || kind === 'mean_absolute_error' || kind === 'huber'

/**
 * The loss of an untrained model, whose scores are about 0: that of guessing evenly. For regression E[y²], which the facts
 * tell. Null where it is not known.
 */
export function startLoss({ kind, parameter = 1 }: LossKind, outputs: number, facts?: TargetFacts): number | null {
  // The temperature's square is a factor of the loss.
  if (kind === 'softmax_cross_entropy') return outputs > 1 ? parameter ** 2 * Math.log(outputs) : null
  if (kind === 'binary_cross_entropy') return Math.LN2
  if (kind === 'multiclass_hinge') return outputs > 1 ? (outputs - 1) * parameter : null
  if (kind === 'one_vs_all_hinge') return outputs * parameter
  if (kind !== 'mean_squared_error' || facts?.mean === undefined) return facts?.chance ?? null
  return Math.max(facts.chance ?? 0, facts.mean ** 2 + facts.deviation! ** 2)
}

/** The least loss that there is: 0, but where targets are smoothed their entropy. */
export function leastLoss({ kind, parameter = 1, smoothing = 0 }: LossKind, outputs: number): number {
  if (kind !== 'softmax_cross_entropy' || !(smoothing > 0) || !(outputs > 1)) return 0
  const other = smoothing / outputs
  const own = 1 - smoothing + other
  return -(parameter ** 2) * (own * Math.log(own) + (outputs - 1) * other * Math.log(other))
}

/** The loss of always giving the classes' shares, by how many examples each has; null for losses on other targets. */
export function chanceOfClasses({ kind, parameter = 1 }: LossKind, counts: ArrayLike<number>): number | null {
  const classes = counts.length
  let [total, most] = [0, 0]
  for (let i = 0; i < classes; i++) {
    total += counts[i]!
    most = Math.max(most, counts[i]!)
  }
  if (!(total > 0)) return null
  const sum = (f: (share: number) => number) => {
    let all = 0
    for (let i = 0; i < classes; i++) if (counts[i]! > 0) all += f(counts[i]! / total)
    return all
  }
  if (kind === 'softmax_cross_entropy') return parameter ** 2 * sum((share) => -share * Math.log(share))
  // All scores alike, or that of the largest class a margin above the others.
  if (kind === 'multiclass_hinge') return parameter * Math.min(classes - 1, classes * (1 - most / total))
  if (kind === 'one_vs_all_hinge') return sum((share) => 2 * parameter * Math.min(share, 1 - share))
  return null
}

/** The facts, from the targets row by row: {@link TargetTally.count} all of them, then {@link TargetTally.measure} all again. */
export class TargetTally {
  readonly #loss: LossKind
  readonly #outputs: number
  readonly #hasLabels: boolean
  /** By class, or by output; weighted. */
  readonly #sums: Float64Array
  /** By class, where each counts as one. */
  readonly #counts: Float64Array
  readonly #squares: Float64Array
  readonly #losses: Float64Array
  #weight = 0
  #firstWeight = Number.NaN
  #isWeighted = false
  #rows = 0

  /** `outputs`: of one example, with labels the classes. */
  constructor(loss: LossKind, outputs: number, hasLabels: boolean) {
    this.#loss = loss
    this.#outputs = outputs
    this.#hasLabels = hasLabels
    const measured = hasLabels || !isRegression(loss.kind) ? 0 : outputs
    this.#sums = new Float64Array(outputs)
    this.#counts = new Float64Array(outputs)
    this.#squares = new Float64Array(measured)
    this.#losses = new Float64Array(measured)
  }

  /** Whether {@link measure} adds anything. */
  get needsMeasure(): boolean {
    return this.#squares.length > 0
  }

  count(value: number, element: number, weight = 1): void {
    if (element === 0) {
      if (this.#rows++ === 0) this.#firstWeight = weight
      this.#isWeighted ||= weight !== this.#firstWeight
      this.#weight += weight
    }
    const place = this.#hasLabels ? value : element
    const share = this.#hasLabels ? 1 : value
    if (!(Number.isInteger(place) && place >= 0 && place < this.#outputs)) return
    this.#counts[place]! += share
    this.#sums[place]! += weight * share
  }

  /** About the mean, which is known by now: sums of squares themselves would lose what is small beside it. */
  measure(value: number, element: number, weight = 1): void {
    const error = value - this.#sums[element]! / this.#weight
    this.#squares[element]! += weight * error * error
    this.#losses[element]! += weight * this.#lossOf(error)
  }

  #lossOf(error: number): number {
    const { kind, parameter = 1 } = this.#loss
    const size = Math.abs(error)
    if (kind === 'mean_squared_error') return error * error
    if (kind === 'mean_absolute_error') return size
    return size <= parameter ? (error * error) / 2 : parameter * (size - parameter / 2)
  }

  /** How many examples belong to each class, whatever they weigh; of soft targets the sums of the shares. */
  get counts(): Float64Array {
    return this.#counts
  }

  get facts(): TargetFacts {
    const { kind } = this.#loss
    const told = { rows: this.#rows, isWeighted: this.#isWeighted }
    const average = (values: Float64Array) =>
      values.reduce((sum, value) => sum + value, 0) / (this.#weight * values.length)
    if (this.needsMeasure) {
      const scale = (i: number) =>
        Math.hypot(this.#sums[i]! / this.#weight, Math.sqrt(this.#squares[i]! / this.#weight))
      let widest = 0
      for (let i = 1; i < this.#outputs; i++) if (scale(i) > scale(widest)) widest = i
      const mean = this.#sums[widest]! / this.#weight
      const deviation = Math.sqrt(this.#squares[widest]! / this.#weight)
      return { ...told, chance: finite(average(this.#losses)), mean, deviation }
    }
    if (kind === 'binary_cross_entropy') {
      const losses = this.#sums.map((sum) => this.#weight * binaryEntropy(sum / this.#weight))
      return { ...told, chance: finite(average(losses)) }
    }
    const chance = chanceOfClasses(this.#loss, this.#sums)
    if (chance === null) return { ...told, chance }
    const isListed = this.#outputs <= mostListed
    return { ...told, chance: finite(chance), ...(isListed && { classCounts: Array.from(this.#counts) }) }
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

function binaryEntropy(share: number): number {
  if (!(share > 0 && share < 1)) return 0
  return -share * Math.log(share) - (1 - share) * Math.log1p(-share)
}

/** Root mean square of targets: an output gets to more in thousands of steps only, at the usual learning rates. */
const [smallestScale, largestScale] = [1e-3, 100]
/** Means of so many deviations are all that is learned for long. */
const farthest = 100

/** What is wrong with the scale of a regression's targets, in words; null where nothing is, or where they are no numbers. */
export function targetProblem({ mean, deviation }: TargetFacts): string | null {
  if (mean === undefined || deviation === undefined) return null
  if (deviation === 0) return 'all alike'
  if (Math.hypot(mean, deviation) > largestScale) return 'far too large'
  if (Math.abs(mean) > farthest * deviation) return 'far from 0'
  return deviation < smallestScale ? 'far too small' : null
}
