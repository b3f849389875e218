/** The trials of a study as the page keeps them: a row each, in columns. */
import { type TrialColumns, trialStates } from '../../server/study/study-wire.js'

export type State = (typeof trialStates)[number]

/** Points of a curve; NaN where nothing finite was reported. */
export interface TrialCurve {
  readonly epochs: Uint32Array
  readonly values: Float32Array
}

export class Trials {
  generation = 0
  version = 0
  readonly number: number[] = []
  readonly state: State[] = []
  readonly stage: number[] = []
  readonly epoch: number[] = []
  /** NaN where there is none. */
  readonly value: number[] = []
  /** Seconds after the study's begin. */
  readonly begin: number[] = []
  readonly end: number[] = []
  readonly worker: string[] = []
  /** A column a parameter. */
  readonly params: number[][] = []
  readonly curve: TrialCurve[] = []
  #rows = new Map<number, number>()

  get count(): number {
    return this.number.length
  }

  row(number: number): number | undefined {
    return this.#rows.get(number)
  }

  /** Puts an answer in its place; whether there was anything in it. */
  take(columns: TrialColumns): boolean {
    if (columns.isWhole) this.#clear()
    this.generation = columns.generation
    this.version = columns.version
    let at = 0
    for (let i = 0; i < columns.number.length; i++) {
      const length = columns.curveLength[i]!
      this.#put(columns, i, columns.number[i]!, {
        epochs: columns.curveEpochs.subarray(at, at + length),
        values: columns.curveValues.subarray(at, at + length),
      })
      at += length
    }
    return columns.isWhole || columns.number.length > 0
  }

  #put(columns: TrialColumns, i: number, number: number, curve: TrialCurve): void {
    const row = this.#rows.get(number) ?? this.number.length
    this.#rows.set(number, row)
    this.number[row] = number
    this.state[row] = trialStates[columns.state[i]!]!
    this.stage[row] = columns.stage[i]!
    this.epoch[row] = columns.epoch[i]!
    this.value[row] = columns.value[i]!
    this.begin[row] = columns.begin[i]!
    this.end[row] = columns.end[i]!
    this.worker[row] = columns.workers[columns.worker[i]!] ?? ''
    for (const [k, column] of columns.params.entries()) {
      this.params[k] ??= []
      this.params[k][row] = column[i]!
    }
    this.curve[row] = curve
  }

  #clear(): void {
    this.#rows = new Map()
    const { number, state, stage, epoch, value, begin, end, worker, params, curve } = this
    for (const column of [number, state, stage, epoch, value, begin, end, worker, params, curve]) column.length = 0
  }
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
