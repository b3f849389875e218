/** Points of a space as rows of a fixed length, which is what a covariance compares. */
import type { Cells } from '../../space/scales.js'
import type { Point, Space } from '../../space/space.js'

export interface Coordinate {
  readonly path: string
  readonly isCategory: boolean
  /** Values that there are. */
  readonly size: number
  readonly cells: Cells | null
  /** Which coordinate must have which category for this one to be there; null: always. */
  readonly condition: { readonly index: number; readonly category: number } | null
}

/** In place of what belongs to another branch: the middle, and a category of its own. Distances stay those of a metric. */
const absent = { number: 0.5, category: -1 }

export class Coordinates {
  readonly all: readonly Coordinate[]

  constructor(private readonly space: Space) {
    const indices = new Map(space.dimensions.map(({ path }, index) => [path, index]))
    this.all = space.dimensions.map(({ path, kind, size, cells, condition }) => ({
      path,
      isCategory: kind === 'category',
      size,
      cells: kind === 'category' ? null : cells,
      condition: condition && { index: indices.get(condition.path)!, category: condition.category },
    }))
  }

  get isCategory(): readonly boolean[] {
    return this.all.map(({ isCategory }) => isCategory)
  }

  isThere(row: Float64Array, index: number): boolean {
    const { condition } = this.all[index]!
    return condition === null || row[condition.index] === condition.category
  }

  rowOf(point: Point): Float64Array {
    return Float64Array.from(
      this.all,
      ({ path, isCategory }) => point[path] ?? (isCategory ? absent.category : absent.number),
    )
  }

  /** The row of a number in [0, 1) for each coordinate, snapped. */
  rowFrom(draws: ArrayLike<number>): Float64Array {
    const row = new Float64Array(this.all.length)
    for (let i = 0; i < row.length; i++) {
      const { isCategory, cells } = this.all[i]!
      if (!this.isThere(row, i)) {
        row[i] = isCategory ? absent.category : absent.number
        continue
      }
      const unit = this.space.dimensions[i]!.fromDraw(draws[i]!)
      row[i] = cells ? middleOf(cells, cells.indexAt(unit)) : unit
    }
    return row
  }

  pointOf(row: Float64Array): Point {
    return Object.fromEntries(
      this.all.flatMap(({ path }, index) => (this.isThere(row, index) ? [[path, row[index]!]] : [])),
    )
  }

  /** A row with another value at one place; what this takes away or brings along lies in the middle of its range. */
  changed(row: Float64Array, index: number, value: number): Float64Array {
    const next = row.slice()
    next[index] = value
    for (let i = index + 1; i < next.length; i++) {
      const { isCategory, cells } = this.all[i]!
      const [wasThere, isThere] = [this.isThere(row, i), this.isThere(next, i)]
      if (wasThere === isThere) continue
      const inMiddle = isCategory ? 0 : cells ? middleOf(cells, cells.indexAt(0.5)) : 0.5
      next[i] = isThere ? inMiddle : isCategory ? absent.category : absent.number
    }
    return next
  }

  /** The row with finite ranges in the middles of their cells. */
  snapped(row: Float64Array): Float64Array {
    return row.map((unit, i) => {
      const { cells } = this.all[i]!
      return cells && this.isThere(row, i) ? middleOf(cells, cells.indexAt(unit)) : unit
    })
  }
}

export const middleOf = (cells: Cells, index: number): number => (cells.edge(index) + cells.edge(index + 1)) / 2
