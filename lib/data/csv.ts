/** Tables of numbers from CSV files. */
import { checkBoolean, oneOf } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { badFile, type FileSource, nameOf } from '../files.js'
import { optionsOf } from '../options.js'
import { CsvReader } from './csv-records.js'
import { type CsvTable, type CsvTargetTable, TableBuilder } from './csv-table.js'
import { type ReadOptions, readPieces, readRules } from './file.js'
import { checkClasses } from './labels.js'
import { inSlices } from './slices.js'

const sliceCharacters = 1 << 14

export interface CsvOptions extends ReadOptions {
  /** The column to predict, by its name or its number from 0; negative numbers count from the end. Default none. */
  target?: string | number | undefined
  /** The features, by name or number. Default all columns but the target. */
  columns?: readonly (string | number)[] | undefined
  /** Whether the first line holds the columns' names. Default true, but not silently where half of the names are numbers. */
  header?: boolean | undefined
  /** One character. Default `,`; `;` where the decimal sign is a comma. */
  delimiter?: string | undefined
  /** The sign before decimals. Default `.`. */
  decimal?: '.' | ',' | undefined
  /**
   * What a missing feature becomes: this number, or with `'skip'` its row is left out. Default: it is an error. Cells of
   * nothing but blanks are missing. A missing target is an error unless its row is skipped.
   */
  missing?: number | 'skip' | undefined
  /** Other cells that mean missing, such as `['NA', '?']`. Default none. */
  missingWords?: readonly string[] | undefined
  /**
   * Names of the target's classes: class c is `classes[c]`. Give those of the first file to a second one, so that both
   * number them alike; digits are names here too. Default: where the target's cells are words, those that occur, sorted.
   */
  classes?: readonly string[] | undefined
  /** Default `float32`. */
  dtype?: 'float32' | 'float64' | undefined
}

/**
 * Reads a CSV file (RFC 4180: quotes, line breaks in quotes, any line ending; UTF-8, or UTF-16 with its byte order
 * mark), plain or gzip-compressed. Cells must be numbers; the target's may be words.
 *
 * @example
 * const train = await readCsv('train.csv', { target: 'species' })
 * const test = await readCsv('test.csv', { target: 'species', classes: train.classes })
 *
 * @throws `GRADUS_BAD_FILE` names line and column of a cell that is no number, or the line of a row of the wrong length;
 * a row longer than 2²⁴ characters is refused.
 */
export function readCsv(file: FileSource, options: CsvOptions & { target: string | number }): Promise<CsvTargetTable>
export function readCsv(file: FileSource, options?: CsvOptions & { target?: undefined }): Promise<CsvTable>
export function readCsv(file: FileSource, options?: CsvOptions): Promise<CsvTable & Partial<CsvTargetTable>>
export async function readCsv(file: FileSource, options?: CsvOptions): Promise<CsvTable & Partial<CsvTargetTable>> {
  const read = readOptions(options)
  if (typeof file === 'string' && /\n/.test(file)) {
    throw new GradusError(
      'GRADUS_INVALID_ARGUMENT',
      'file: expected a path or bytes, received text; write readCsv(Buffer.from(text))',
    )
  }
  const { decimal, delimiter = decimal === ',' ? ';' : ',' } = read
  if (delimiter === decimal) throw invalidArgument('delimiter', 'another character than the decimal sign', delimiter)
  const table = new TableBuilder(file, read)
  const reader = new CsvReader(delimiter)
  try {
    for await (const text of textOf(readPieces(file, read.maxBytes))) {
      await inSlices(text.length, sliceCharacters, (first, end) => {
        for (const record of reader.read(text.slice(first, end))) table.add(record)
      })
    }
    for (const record of reader.end()) table.add(record)
    return await table.finish()
  } catch (error) {
    throw located(file, error as Error)
  }
}

function checkColumn(argument: string, value: unknown): string | number {
  if (typeof value === 'string' || Number.isInteger(value)) return value as string | number
  throw invalidArgument(argument, 'the name or number of a column', value)
}

const checkWord = (argument: string, value: unknown): string => {
  if (typeof value !== 'string') throw invalidArgument(argument, 'a word', value)
  return value
}

const checkList =
  <Item>(what: string, check: (argument: string, item: unknown) => Item) =>
  (argument: string, value: unknown): readonly Item[] => {
    if (!Array.isArray(value)) throw invalidArgument(argument, `an array of ${what}`, value)
    return value.map((item, i) => check(`${argument}[${i}]`, item))
  }

function checkDelimiter(argument: string, value: unknown): string {
  if (typeof value === 'string' && value.length === 1 && !'"\r\n'.includes(value)) return value
  throw invalidArgument(argument, 'a single character, neither a quote nor a line break', value)
}

function checkMissing(argument: string, value: unknown): number | 'skip' {
  if (value === 'skip' || (typeof value === 'number' && Number.isFinite(value))) return value
  throw invalidArgument(argument, "a finite number or 'skip'", value)
}

const readOptions = optionsOf<CsvOptions>()('readCsv', {
  target: checkColumn,
  columns: checkList('names or numbers of columns', checkColumn),
  header: checkBoolean,
  delimiter: checkDelimiter,
  decimal: [oneOf('.', ','), '.'],
  missing: checkMissing,
  missingWords: [checkList('words', checkWord), []],
  classes: checkClasses,
  dtype: [oneOf('float32', 'float64'), 'float32'],
  ...readRules,
})

/** The text, by its byte order mark in UTF-16 or else in UTF-8. */
async function* textOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined
  for await (const piece of pieces) {
    decoder ??= new TextDecoder(encodingOf(piece), { fatal: true })
    yield decoder.decode(piece, { stream: true })
  }
  yield decoder?.decode() ?? ''
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
}

/** The error with the file's name before it. */
function located(file: FileSource, error: Error & { code?: string | undefined }): Error {
  if (error instanceof GradusError && (error.code !== 'GRADUS_BAD_FILE' || error.message.startsWith(nameOf(file)))) {
    return error
  }
  const isText = error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
  return badFile(file, isText ? 'its text is not UTF-8; save it as UTF-8' : error.message, error)
}
