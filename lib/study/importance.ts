/**
 * How much each parameter had to do with being among the best: PED-ANOVA, which compares where the best tenth of the trials lies
 * with where all of them lie, one parameter at a time (Watanabe, Bansal and Hutter, "PED-ANOVA: Efficiently Quantifying
 * Hyperparameter Importance in Arbitrary Subspaces", IJCAI 2023). A parameter of a branch is judged among the trials of that
 * branch ("Conditional PED-ANOVA", arXiv 2601.20800).
 */
import { cumulative } from '../normal.js'
import type { StudyParameter } from './parameters.js'

/** Below this nothing is said: the best tenth would be a single trial. */
export const leastTrials = 20

/** A parameter's range and its value in each trial, NaN where it has none. */
export interface ImportanceColumn extends Pick<StudyParameter, 'kind' | 'low' | 'high' | 'isLog' | 'size'> {
  readonly values: ArrayLike<number>
}

const shareOfBest = 0.1
/** Cells into which the range of a number is cut, at most. */
const mostCells = 50
/** Fewer trials than these of a branch say nothing. */
const leastOfBranch = 2
/** Densities never come to 0. */
const leastDensity = 1e-12

/**
 * Shares that sum to 1, in the order of the columns; all 0 where the best cannot be told from the rest.
 *
 * @param losses - lower is better, Infinity for the worst; as long as each column
 */
export function importanceOf(columns: readonly ImportanceColumn[], losses: Float64Array): number[] {
  const best = bestOf(losses)
  const count = best.reduce((sum, isBest) => sum + isBest, 0)
  const shares = columns.map((column) => divergenceOf(column, best, count))
  const sum = shares.reduce((a, b) => a + b, 0)
  return shares.map((share) => (sum > 0 && Number.isFinite(sum) ? share / sum : 0))
}

/** 1 for the best tenth, and for all that are as good as the last of it. */
function bestOf(losses: Float64Array): Uint8Array {
  const limit = losses.slice().sort()[Math.ceil(shareOfBest * losses.length) - 1]!
  return Uint8Array.from(losses, (loss) => Number(loss <= limit))
}

/** Pearson's divergence of the best trials' density from all trials', as much as the column's trials weigh among all. */
function divergenceOf(column: ImportanceColumn, best: Uint8Array, countOfBest: number): number {
  const { values, size } = column
  const cells = cellsOf(column)
  const [all, top] = [new Float64Array(cells), new Float64Array(cells)]
  let [there, bestThere] = [0, 0]
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue
    const cell = cellOf(column, values[i]!, cells)
    all[cell]! += 1
    top[cell]! += best[i]!
    there++
    bestThere += best[i]!
  }
  if (size < 2 || there < leastOfBranch || bestThere === 0) return 0
  const [of, ofBest] = [densityOf(column, all), densityOf(column, top)]
  const divergence = of.reduce((sum, density, i) => sum + density * (ofBest[i]! / density - 1) ** 2, 0)
  return ((bestThere / countOfBest) ** 2 / (there / values.length)) * divergence
}

function cellsOf({ kind, low, high, isLog, size }: ImportanceColumn): number {
  if (kind === 'category') return size
  if (isLog && Number.isFinite(size)) return Math.min(mostCells, Math.ceil(Math.log2(high - low + 1)) + 1)
  return Math.min(mostCells, size)
}

function cellOf({ kind, low, high, isLog }: ImportanceColumn, value: number, cells: number): number {
  if (kind === 'category') return value
  const place = isLog ? Math.log(value) - Math.log(low) : value - low
  const width = (isLog ? Math.log(high) - Math.log(low) : high - low) / (cells - 1)
  return Math.max(0, Math.min(cells - 1, Math.ceil(place / width - 0.5)))
}

const densityOf = ({ kind }: ImportanceColumn, counts: Float64Array): Float64Array =>
  (kind === 'category' ? shares(counts) : smooth(counts)).map((density) => density + leastDensity)

/** Each trial leaves a little for the other choices, and there is one more trial that knows nothing. */
function shares(counts: Float64Array): Float64Array {
  const kernels = counts.reduce((sum, count) => sum + Number(count > 0), 0) + 1
  const total = counts.reduce((a, b) => a + b, 0) + 1
  const prior = 1 / kernels
  const each = 1 + counts.length * prior
  const spread = (total - 1) * (prior / each) + 1 / counts.length
  return counts.map((count) => (count / each + spread) / total)
}

/** A normal kernel for each cell that is not empty, its width by Scott's rule, cut at the ends; and one as wide as the range. */
function smooth(counts: Float64Array): Float64Array {
  const cells = counts.length
  const at = [...counts.keys()].filter((cell) => counts[cell]! > 0)
  const total = counts.reduce((a, b) => a + b, 0)
  const density = new Float64Array(cells)
  const add = (middle: number, width: number, weight: number) => {
    const below = (edge: number) => cumulative((edge - middle) / width)
    const mass = below(cells - 0.5) - below(-0.5)
    for (let cell = 0; cell < cells; cell++)
      density[cell]! += ((below(cell + 0.5) - below(cell - 0.5)) * weight) / mass / (total + 1)
  }
  const width = widthOf(at, counts, total)
  for (const cell of at) add(cell, width, counts[cell]!)
  add((cells - 1) / 2, cells, 1)
  return density
}

/** Scott, "Multivariate Density Estimation" (1992): 1.059 · min(spread, quartiles' distance / 1.34) · n^-1/5. */
function widthOf(at: readonly number[], counts: Float64Array, total: number): number {
  const mean = at.reduce((sum, cell) => sum + cell * counts[cell]!, 0) / total
  const square = at.reduce((sum, cell) => sum + (cell - mean) ** 2 * counts[cell]!, 0)
  const spread = Math.sqrt(square / Math.max(1, total - 1))
  const sums: number[] = []
  for (const cell of at) sums.push((sums.at(-1) ?? 0) + counts[cell]!)
  const first = sums.findIndex((sum) => sum >= Math.floor(total / 4))
  const last = sums.findIndex((sum) => sum > Math.floor((total * 3) / 4))
  const distance = (at[last] ?? at.at(-1)!) - at[first]!
  return Math.max(1.059 * Math.min(distance / 1.34, spread) * total ** -0.2, narrowest)
}

/** Nine tenths of the kernel lie in its cell. */
const narrowest = 0.5 / 1.64
