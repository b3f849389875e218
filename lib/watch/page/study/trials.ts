/** The trials of a study as the page keeps them: a row each, in columns. */
import { type TrialColumns, trialStates } from '../../server/study/study-wire.js'

export type State = (typeof trialStates)[number]

/** Points of a curve; NaN where nothing finite was reported. */
export interface TrialCurve {
  readonly epochs: Uint32Array
  readonly values: Float32Array
}

/** A column, however it came. */
export type Numbers = ArrayLike<number> & Iterable<number>

const columnNames = ['number', 'stage', 'epoch', 'value', 'begin', 'end'] as const

export class Trials {
  generation = 0
  version = 0
  readonly number = new Uint32Array(0)
  readonly stage = new Uint32Array(0)
  readonly epoch = new Uint32Array(0)
  /** NaN where there is none. */
  readonly value = new Float32Array(0)
  /** Seconds after the study's begin. */
  readonly begin = new Float32Array(0)
  readonly end = new Float32Array(0)
  /** A column a parameter. */
  readonly params: readonly Float32Array[] = []
  readonly state: State[] = []
  readonly worker: string[] = []
  /** Where the points of each row lie: of ten thousand curves some hundreds are drawn. */
  readonly #points: { readonly of: TrialColumns; readonly from: number; readonly count: number }[] = []
  readonly #rows = new Map<number, number>()

  get count(): number {
    return this.number.length
  }

  /** Whether something has been reported. */
  hasCurve(row: number): boolean {
    return this.#points[row]!.count > 0
  }

  curve(row: number): TrialCurve {
    const { of, from, count } = this.#points[row]!
    return { epochs: of.curveEpochs.subarray(from, from + count), values: of.curveValues.subarray(from, from + count) }
  }

  /** Puts an answer in its place; whether there was anything in it. */
  take(columns: TrialColumns): boolean {
    if (columns.isWhole) this.#clear()
    this.generation = columns.generation
    this.version = columns.version
    const rows = Array.from(columns.number, (number) => this.#rowOf(number))
    const put = <Column extends Uint32Array | Float32Array>(column: Column, values: Column): Column => {
      const all = longer((columns.isWhole ? column.subarray(0, 0) : column) as Column, this.#rows.size)
      for (let i = 0; i < rows.length; i++) all[rows[i]!] = values[i]!
      return all
    }
    const numbers = Object.fromEntries(columnNames.map((name) => [name, put(this[name], columns[name])]))
    const none = new Float32Array(0)
    Object.assign(this, numbers, { params: columns.params.map((column, k) => put(this.params[k] ?? none, column)) })
    for (let i = 0, from = 0; i < rows.length; i++) {
      const [row, count] = [rows[i]!, columns.curveLength[i]!]
      this.state[row] = trialStates[columns.state[i]!]!
      this.worker[row] = columns.workers[columns.worker[i]!] ?? ''
      this.#points[row] = { of: columns, from, count }
      from += count
    }
    return columns.isWhole || rows.length > 0
  }

  #rowOf(number: number): number {
    const row = this.#rows.get(number) ?? this.#rows.size
    this.#rows.set(number, row)
    return row
  }

  #clear(): void {
    this.#rows.clear()
    for (const list of [this.state, this.worker, this.#points]) list.length = 0
  }
}

/** The same where it is that long. */
function longer<Column extends Uint32Array | Float32Array>(column: Column, length: number): Column {
  if (column.length === length) return column
  const all = column instanceof Float32Array ? new Float32Array(length).fill(Number.NaN) : new Uint32Array(length)
  all.set(column)
  return all as Column
}

/** States whose value is one: exploded and failed ones have none that means something. */
export const hasValue = (state: State, value: number): boolean =>
  Number.isFinite(value) && state !== 'exploded' && state !== 'failed'

/** Rows of complete trials, best first; of equal ones the earlier. */
export function ranked({ state, value, number }: Trials, isMaximized: boolean): number[] {
  const sign = isMaximized ? -1 : 1
  const rows = [...state.keys()].filter((row) => state[row] === 'complete')
  return rows.sort((a, b) => sign * (value[a]! - value[b]!) || number[a]! - number[b]!)
}

/** So many are shown above all others. */
export const mostBest = 10

/** Of rows as many as can be told apart, at equal distances. */
export function sample(rows: readonly number[], most: number): readonly number[] {
  if (rows.length <= most) return rows
  return Array.from({ length: most }, (_, i) => rows[Math.floor((i * rows.length) / most)]!)
}
