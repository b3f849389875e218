/** What the cells of a CSV file say: numbers, names of classes, or nothing. */
import { GradusError } from '../errors.js'
import { namesIn, numbersOf } from './labels.js'
import { inSlices } from './slices.js'

const sliceCells = 1 << 13

/** How cells are read. */
export interface CellRules {
  /** A point or a comma. */
  decimal: string
  /** What a missing feature becomes; `skip` leaves its row out, undefined makes it an error. */
  missing: number | 'skip' | undefined
  /** Cells that are missing beside those of blanks. */
  missingWords: ReadonlySet<string>
  /** Names of the target's classes; undefined: those that occur. */
  classes: readonly string[] | undefined
}

export function isMissing(cell: string, { missingWords }: CellRules): boolean {
  const text = cell.trim()
  return text === '' || (missingWords.size > 0 && missingWords.has(text))
}

const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** Digits with a sign, a decimal point and an exponent; no other notation that JavaScript knows. Else NaN. */
export function parseNumber(cell: string, decimal: string): number {
  const text = cell.trim()
  if (decimal !== '.' && text.includes('.')) return Number.NaN
  const digits = decimal === '.' ? text : text.replace(decimal, '.')
  if (!number.test(digits)) return Number.NaN
  const value = Number(digits)
  return Math.abs(value) < Infinity ? value : Number.NaN
}

/** A cell of the features. `where`: its line and column, as errors name it. */
export function featureOf(cell: string, rules: CellRules, where: () => string): number {
  if (isMissing(cell, rules)) {
    if (typeof rules.missing === 'number') return rules.missing
    throw bad(where(), `the cell is missing (${shown(cell)}); the option missing gives it a value or skips its row`)
  }
  const value = parseNumber(cell, rules.decimal)
  if (Number.isNaN(value)) throw bad(where(), `expected a number, found ${shown(cell)}${hintFor(cell, rules)}`)
  return value
}

/** Numbers, or, where the cells are words or classes are given, class numbers with the names of the classes. */
export async function targetsOf(
  cells: readonly string[],
  rules: CellRules,
  where: (row: number) => string,
): Promise<{ y: Float64Array } | { y: Int32Array; classes: readonly string[] }> {
  const { classes, decimal } = rules
  const numbers = new Float64Array(cells.length)
  let [word, hasNumbers] = [-1, false]
  await inSlices(cells.length, sliceCells, (first, end) => {
    for (let row = first; row < end; row++) {
      const cell = cells[row] as string
      if (isMissing(cell, rules)) throw bad(where(row), "the target is missing; missing: 'skip' leaves its row out")
      const value = parseNumber(cell, decimal)
      numbers[row] = value
      if (!Number.isNaN(value)) hasNumbers = true
      else if (word < 0) word = row
    }
  })
  if (word < 0 && !classes) return { y: numbers }
  if (word >= 0 && hasNumbers && !classes) {
    const hint = 'where all of them are names, the option classes lists them'
    throw bad(where(word), `expected a number as in other rows, found ${shown(cells[word] as string)}; ${hint}`)
  }
  const names = classes ?? namesIn(cells)
  return { y: numbersOf(cells, names, (row, problem) => bad(where(row), problem)), classes: names }
}

function hintFor(cell: string, { decimal }: CellRules): string {
  if (decimal === '.' && !Number.isNaN(parseNumber(cell, ','))) return "; the option decimal: ',' reads it"
  if (/^(na|n\/a|nan|null|none|-|\?|\.)$/i.test(cell.trim())) return '; the option missingWords takes it for missing'
  return ''
}

const shown = (cell: string): string => JSON.stringify(cell.length > 60 ? `${cell.slice(0, 57)}…` : cell)

const bad = (where: string, problem: string) => new GradusError('GRADUS_BAD_FILE', `${where}: ${problem}`)
