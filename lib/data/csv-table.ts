/** Records of a CSV file on their way to columns of numbers. */
import { describe, GradusError } from '../errors.js'
import { badFile, type FileSource, nameOf } from '../files.js'
import { type CellRules, featureOf, isMissing, targetsOf } from './csv-cells.js'
import type { CsvRecord } from './csv-records.js'
import { someOf } from './labels.js'

export interface CsvTable {
  /** The features: (rows, columns). */
  x: { data: Float32Array | Float64Array; shape: [number, number] }
  /** Names of the features (their numbers without a header). */
  columns: string[]
  /** Rows left out by `missing: 'skip'`. */
  skipped: number
}

/** A table with a target. */
export interface CsvTargetTable extends CsvTable {
  /** The target as numbers, or, when its cells are words, the number of each word in `classes`. */
  y: Float64Array | Int32Array
  /** The classes of the target; class c is `classes[c]`. Undefined where the target's cells are numbers. */
  classes: readonly string[] | undefined
}

/** The options of `readCsv` that say what its table is. */
export interface TableSettings extends Omit<CellRules, 'missingWords'> {
  target: string | number | undefined
  columns: readonly (string | number)[] | undefined
  header: boolean | undefined
  missingWords: readonly string[]
  dtype: 'float32' | 'float64'
}

interface Layout {
  names: string[]
  features: number[]
  /** -1: none. */
  target: number
}

/** Takes records and makes columns of them. */
export class TableBuilder {
  readonly #file: FileSource
  readonly #settings: TableSettings
  readonly #rules: CellRules
  #layout: Layout | undefined
  #numbers = new Float64Array(1024)
  #count = 0
  readonly #targets: string[] = []
  /** Line of each row, for errors that come at the end. */
  readonly #lines: number[] = []
  #skipped = 0

  constructor(file: FileSource, settings: TableSettings) {
    this.#file = file
    this.#settings = settings
    this.#rules = { ...settings, missingWords: new Set(settings.missingWords.map((word) => word.trim())) }
  }

  add({ line, cells }: CsvRecord): void {
    if (!this.#layout) {
      this.#layout = layOut(this.#file, cells, this.#settings)
      if (this.#settings.header !== false) return
    }
    const { names, features, target } = this.#layout
    if (cells.length !== names.length) {
      throw badFile(this.#file, `line ${line}: expected ${names.length} cells, found ${cells.length}`)
    }
    if (this.#rules.missing === 'skip' && this.#lacks(cells)) {
      this.#skipped++
      return
    }
    for (const at of features) {
      this.#push(featureOf(cells[at] as string, this.#rules, () => `line ${line}, column ${names[at]}`))
    }
    if (target >= 0) this.#targets.push(cells[target] as string)
    this.#lines.push(line)
  }

  async finish(): Promise<CsvTable & Partial<CsvTargetTable>> {
    if (!this.#layout || this.#lines.length === 0) throw badFile(this.#file, 'the table has no rows')
    const { names, features, target } = this.#layout
    const Type = this.#settings.dtype === 'float32' ? Float32Array : Float64Array
    const table: CsvTable = {
      x: { data: new Type(this.#numbers.subarray(0, this.#count)), shape: [this.#lines.length, features.length] },
      columns: features.map((at) => names[at] as string),
      skipped: this.#skipped,
    }
    if (target < 0) return table
    const where = (row: number) => `line ${this.#lines[row]}, column ${names[target]}`
    return { ...table, classes: undefined, ...(await targetsOf(this.#targets, this.#rules, where)) }
  }

  #lacks(cells: string[]): boolean {
    const { features, target } = this.#layout as Layout
    const isMissingAt = (at: number) => isMissing(cells[at] as string, this.#rules)
    return features.some(isMissingAt) || (target >= 0 && isMissingAt(target))
  }

  #push(value: number): void {
    if (this.#count === this.#numbers.length) {
      const longer = new Float64Array(2 * this.#count)
      longer.set(this.#numbers)
      this.#numbers = longer
    }
    this.#numbers[this.#count++] = value
  }
}

/** Whether at least half of the names, and two of them, are numbers: data, in all likelihood. */
function areNumbers(names: readonly string[]): boolean {
  const numbers = names.filter((name) => name.trim() !== '' && Number.isFinite(Number(name))).length
  return numbers >= 2 && 2 * numbers >= names.length
}

function layOut(file: FileSource, first: string[], { header, target, columns }: TableSettings): Layout {
  if (header === undefined && areNumbers(first)) {
    const message =
      'line 1: its names are numbers; say header: false where no line of names comes first, else header: true'
    throw badFile(file, message)
  }
  const names = header === false ? first.map((_, i) => String(i)) : first
  const find = (argument: string, wanted: unknown) => {
    const at =
      typeof wanted === 'number' ? (wanted < 0 ? names.length + wanted : wanted) : names.indexOf(wanted as string)
    if (names[at] === undefined) {
      const other = names.length === 1 ? /[;\t|]/.exec(names[0]!)?.[0] : undefined
      const hint = other ? `; delimiter: ${JSON.stringify(other)} if that is what stands between the cells` : ''
      const message = `${argument}: expected a column of ${nameOf(file)} (${someOf(names)}), received ${describe(wanted)}${hint}`
      throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
    }
    return at
  }
  const targetAt = target === undefined ? -1 : find('target', target)
  const features = columns
    ? columns.map((column, i) => find(`columns[${i}]`, column))
    : names.map((_, at) => at).filter((at) => at !== targetAt)
  if (features.length === 0) throw badFile(file, 'the table has no columns of features')
  return { names, features, target: targetAt }
}
