/** Tables of numbers from CSV files, through the optional package csv-parse. */
import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { checkOptions } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { badFile, type FileSource, optionalPackage } from './file.js'

export interface CsvOptions {
  /** The column to predict, by its name or its number from 0; negative numbers count from the end. Default none. */
  target?: string | number
  /** The features, by name or number. Default all columns but the target. */
  columns?: (string | number)[]
  /** Whether the first line holds the columns' names. Default true. */
  header?: boolean
  /** Default `,`. */
  delimiter?: string
  /** The number an empty cell stands for. Default: an empty cell is an error. */
  missing?: number
  /** Default `float32`. */
  dtype?: 'float32' | 'float64'
}

export interface CsvTable {
  /** The features: (rows, columns). */
  x: { data: Float32Array | Float64Array; shape: [number, number] }
  /** The target as numbers, or, when its cells are words, the number of each word in `classes`. */
  y?: Float64Array | Int32Array
  /** Names of the features (their numbers without a header). */
  columns: string[]
  /** The words of the target, sorted; class c is `classes[c]`. */
  classes?: string[]
}

/**
 * Reads a CSV file (RFC 4180: quotes, line breaks in quotes, any line ending), plain or `.gz`; needs the package
 * `csv-parse`. Cells must be numbers; the target's may be words.
 *
 * @throws `GRADUS_BAD_FILE` names the row and column of a cell that is no number, or a row of the wrong length;
 * `GRADUS_MISSING_PACKAGE` how to install csv-parse.
 */
export async function readCsv(file: FileSource, options: CsvOptions = {}): Promise<CsvTable> {
  checkOptions('options', options, ['target', 'columns', 'header', 'delimiter', 'missing', 'dtype'])
  const { header = true, delimiter = ',', missing, dtype = 'float32' } = options
  const { parse } = await optionalPackage('csv-parse', 'readCsv', () => import('csv-parse'))
  const records = parse({ delimiter, bom: true, trim: true, skip_empty_lines: true })
  // Errors of any part of the pipeline come out of the iteration below.
  pipeline([...open(file), records], () => {})

  let layout: Layout | undefined
  const x: number[] = []
  const targets: string[] = []
  let rows = 0
  try {
    for await (const record of records as AsyncIterable<string[]>) {
      if (!layout) {
        layout = layOut(file, record, header, options)
        if (header) continue
      }
      for (const at of layout.features) {
        x.push(toNumber(record[at] as string, missing, () => place(rows, layout as Layout, at)))
      }
      if (layout.target >= 0) targets.push(record[layout.target] as string)
      rows++
    }
  } catch (error) {
    if (error instanceof GradusError && error.code !== badCell) throw error
    throw badFile(file, (error as Error).message, error)
  }
  if (!layout || rows === 0) throw badFile(file, 'the table has no rows')
  const data = dtype === 'float32' ? Float32Array.from(x) : Float64Array.from(x)
  const { names, features, target } = layout
  const table: CsvTable = {
    x: { data, shape: [rows, features.length] },
    columns: features.map((at) => names[at] as string),
  }
  return target < 0 ? table : { ...table, ...decodeTarget(file, targets, names[target] as string, missing) }
}

function open(file: FileSource): (NodeJS.ReadableStream | NodeJS.ReadWriteStream)[] {
  if (file instanceof Uint8Array) return [Readable.from([file])]
  const stream = createReadStream(file)
  return String(file).endsWith('.gz') ? [stream, createGunzip()] : [stream]
}

interface Layout {
  names: string[]
  features: number[]
  /** -1: none. */
  target: number
}

function layOut(file: FileSource, first: string[], header: boolean, { target, columns }: CsvOptions): Layout {
  const names = header ? first : first.map((_, i) => String(i))
  const find = (argument: string, wanted: string | number) => {
    const at = typeof wanted === 'number' ? (wanted < 0 ? names.length + wanted : wanted) : names.indexOf(wanted)
    if (names[at] === undefined) throw invalidArgument(argument, `a column of ${file} (${names.join(', ')})`, wanted)
    return at
  }
  const targetAt = target === undefined ? -1 : find('target', target)
  const features = columns
    ? columns.map((column, i) => find(`columns[${i}]`, column))
    : names.map((_, at) => at).filter((at) => at !== targetAt)
  if (features.length === 0) throw badFile(file, 'the table has no columns of features')
  return { names, features, target: targetAt }
}

const badCell = 'GRADUS_BAD_FILE'
const place = (row: number, { names }: Layout, at: number) => `row ${row}, column ${names[at]}`

function toNumber(cell: string, missing: number | undefined, where: () => string): number {
  if (cell === '') {
    if (missing !== undefined) return missing
    throw new GradusError(badCell, `${where()}: the cell is empty (the option missing gives it a value)`)
  }
  const value = Number(cell)
  if (!Number.isFinite(value))
    throw new GradusError(badCell, `${where()}: expected a number, found ${JSON.stringify(cell)}`)
  return value
}

function decodeTarget(file: FileSource, cells: string[], name: string, missing: number | undefined) {
  const isNumeric = cells.every((cell) => cell === '' || Number.isFinite(Number(cell)))
  if (isNumeric) {
    try {
      return { y: Float64Array.from(cells, (cell, row) => toNumber(cell, missing, () => `row ${row}, column ${name}`)) }
    } catch (error) {
      throw badFile(file, (error as Error).message, error)
    }
  }
  const classes = [...new Set(cells)].sort()
  const numbers = new Map(classes.map((word, number) => [word, number]))
  return { y: Int32Array.from(cells, (cell) => numbers.get(cell) as number), classes }
}
