/** How the values of a parameter lie between 0 and 1, each kind on its own scale. */
import type { Json } from '../../call.js'
import { short } from '../../words.js'
import { decimalGrid } from './decimals.js'
import type { BranchesParameter, ChoiceParameter, IntegerParameter, Parameter, UniformParameter } from './parameter.js'
import { canonical } from './values.js'

/** The values of a finite range, by number from 0 up. */
export interface Cells {
  at(index: number): Json
  /** −1: no value of this range. */
  indexOf(value: unknown): number
  /** Where the cell of value `index` begins, 0 … 1; `edge(size)` is 1. Choices have cells of the same width. */
  edge(index: number): number
  /** The number of the cell that holds a unit. */
  indexAt(unit: number): number
}

export interface Scale {
  readonly kind: 'real' | 'integer' | 'category'
  readonly size: number
  /** What is asked of a value, in words. */
  readonly expected: string
  readonly cells: Cells | null
  holds(value: unknown): boolean
  toUnit(value: Json): number
  fromUnit(unit: number): Json
}

const clamp = (low: number, value: number, high: number): number => Math.max(low, Math.min(high, value))

export function scaleOf(parameter: Parameter): Scale {
  if (parameter.kind === 'choice' || parameter.kind === 'branches') return categories(parameter)
  const { kind, low, high } = parameter
  if (kind === 'integer') return integers(parameter)
  if (kind === 'uniform' && parameter.step !== undefined) return steps(parameter, parameter.step)
  return kind === 'uniform'
    ? reals(
        low,
        high,
        (value) => (value - low) / (high - low),
        (unit) => low + unit * (high - low),
      )
    : logarithm(low, high)
}

function reals(low: number, high: number, up: (value: number) => number, down: (unit: number) => number): Scale {
  return {
    kind: 'real',
    size: Number.POSITIVE_INFINITY,
    expected: `a number from ${low} to ${high}`,
    cells: null,
    holds: (value) => typeof value === 'number' && value >= low && value <= high,
    toUnit: (value) => clamp(0, up(value as number), 1),
    // The ends are what was declared, whatever powers and products round to.
    fromUnit: (unit) => (unit <= 0 ? low : unit >= 1 ? high : clamp(low, down(unit), high)),
  }
}

function logarithm(low: number, high: number): Scale {
  const from = Math.log10(low)
  const length = Math.log10(high) - from
  return reals(
    low,
    high,
    (value) => (Math.log10(value) - from) / length,
    (unit) => 10 ** (from + unit * length),
  )
}

function integers({ low, high, step = 1, log }: IntegerParameter): Scale {
  const size = (high - low) / step + 1
  const indexOf = (value: unknown) => {
    const index = ((value as number) - low) / step
    return Number.isSafeInteger(value) && Number.isSafeInteger(index) && index >= 0 && index < size ? index : -1
  }
  const edges = log ? logCells(low, size) : evenCells(size)
  const expected = step === 1 ? 'a whole number' : `a whole number, in steps of ${step},`
  const cells = { at: (index: number) => low + index * step, indexOf, ...edges }
  return celled('integer', size, `${expected} from ${low} to ${high}`, cells)
}

/** Reals in steps. A value may miss its place on the grid by what sums such as 0.1 + 0.2 do. */
function steps({ low, high }: UniformParameter, step: number): Scale {
  const grid = decimalGrid(low, high, step)
  const size = grid.steps + 1
  const indexOf = (value: unknown) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) return -1
    const index = clamp(0, Math.round((value - low) / step), grid.steps)
    return Math.abs(value - grid.value(index)) <= 1e-9 * step ? index : -1
  }
  const cells = { at: grid.value, indexOf, ...evenCells(size) }
  return celled('real', size, `a number in steps of ${step} from ${low} to ${high}`, cells)
}

function categories(parameter: ChoiceParameter | BranchesParameter): Scale {
  const values = parameter.kind === 'choice' ? parameter.values : Object.keys(parameter.branches)
  const indices = new Map(values.map((value, index) => [canonical(value), index]))
  const cells: Cells = {
    at: (index) => values[index]!,
    indexOf: (value) => indices.get(canonical(value)) ?? -1,
    ...evenCells(values.length),
  }
  const expected = `one of ${values.slice(0, 8).map(brief).join(', ')}${values.length > 8 ? ', …' : ''}`
  const scale = celled('category', values.length, expected, cells)
  // A category has a number instead of a place.
  return {
    ...scale,
    toUnit: cells.indexOf,
    fromUnit: (unit) => cells.at(clamp(0, Math.round(unit), values.length - 1)),
  }
}

const brief = (value: Json): string => {
  const text = typeof value === 'number' ? short(value) : JSON.stringify(value)
  return text.length > 24 ? `${text.slice(0, 23)}…` : text
}

function celled(kind: Scale['kind'], size: number, expected: string, cells: Cells): Scale {
  return {
    kind,
    size,
    expected,
    cells,
    holds: (value) => cells.indexOf(value) >= 0,
    toUnit: (value) => {
      const index = cells.indexOf(value)
      return (cells.edge(index) + cells.edge(index + 1)) / 2
    },
    fromUnit: (unit) => cells.at(cells.indexAt(unit)),
  }
}

const evenCells = (size: number): Pick<Cells, 'edge' | 'indexAt'> => ({
  edge: (index) => index / size,
  indexAt: (unit) => clamp(0, Math.floor(unit * size), size - 1),
})

/** Integers from `low` on: k has the stretch from k − ½ to k + ½ in the logarithm. */
function logCells(low: number, size: number): Pick<Cells, 'edge' | 'indexAt'> {
  const first = low - 0.5
  const length = Math.log1p(size / first)
  const edge = (index: number) => (index >= size ? 1 : Math.log1p(index / first) / length)
  const indexAt = (unit: number) => {
    let index = clamp(0, Math.floor(first * Math.expm1(unit * length)), size - 1)
    // The guess may be wrong by a rounding; the edges decide.
    while (index > 0 && unit < edge(index)) index--
    while (index < size - 1 && unit >= edge(index + 1)) index++
    return index
  }
  return { edge, indexAt }
}
