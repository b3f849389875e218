/** A trial that has ended as numbers in a row, and the text of its records behind them: a master's cache is made of such rows. */
import { type FlatSpace, putNumbers } from './flat-space.js'
import { isTrialNumber } from './layout.js'
import { type EndState, endStates, recordOf } from './records.js'
import type { Trial } from './trial.js'
import { studyFormat } from './values.js'

/** Rows are made of numbers of eight bytes, little-endian. */
export const wordBytes = Float64Array.BYTES_PER_ELEMENT

/**
 * Where in a row what stands. Behind it come the parameters' numbers, the epochs unless they are 1, 2, …, the values, and the bytes
 * of the worker's name and of the records, filled up to a whole word.
 */
export const at = {
  words: 0,
  /** Of all that stands behind it. */
  checksum: 1,
  number: 2,
  state: 3,
  next: 4,
  stage: 5,
  epoch: 6,
  value: 7,
  begunAt: 8,
  changedAt: 9,
  points: 10,
  isEach: 11,
  workerBytes: 12,
  recordBytes: 13,
} as const
const headWords = Object.keys(at).length

/** The row of a trial; null of one that has not ended, or of which something is damaged. */
export function rowOf(trial: Trial, space: FlatSpace): Uint8Array | null {
  const state = endStates.indexOf(trial.state as EndState)
  if (state < 0 || trial.problem !== null || trial.suggestion === null) return null
  const { epochs, values } = trial
  const worker = Buffer.from(trial.worker)
  const changes = [...trial.changes].map(([number, change]) => [number, recordOf(change)])
  const records = Buffer.from(JSON.stringify({ format: studyFormat, changes }))
  // Most trials report each epoch.
  const isEach = epochs.every((epoch, i) => epoch === i + 1)
  const { number, next, stage, epoch, value, begunAt, changedAt } = trial
  const known = { number, state, next, stage, epoch, value, begunAt, changedAt }
  const sizes = {
    points: epochs.length,
    isEach: Number(isEach),
    workerBytes: worker.length,
    recordBytes: records.length,
  }
  const begin = headWords + space.parameters.length
  const text = begin + (isEach ? 1 : 2) * epochs.length
  const words = new Float64Array(text + Math.ceil((worker.length + records.length) / wordBytes))
  for (const [name, value] of Object.entries({ ...known, ...sizes })) words[at[name as keyof typeof at]] = value
  putNumbers(trial, space, words.subarray(headWords, begin))
  if (!isEach) words.set(epochs, begin)
  words.set(values, text - values.length)
  const bytes = new Uint8Array(words.buffer)
  bytes.set(worker, text * wordBytes)
  bytes.set(records, text * wordBytes + worker.length)
  words[at.words] = words.length
  words[at.checksum] = checksumOf(new Int32Array(words.buffer), 0, words.length)
  return bytes
}

/** Of a row's words: Fowler, Noll and Vo's FNV-1a, by 32 bits at a time. Ten thousand rows are looked at in a row. */
function checksumOf(halves: Int32Array, from: number, count: number): number {
  let sum = 0x811c9dc5
  for (let i = 2 * (from + at.checksum + 1); i < 2 * (from + count); i++) sum = Math.imul(sum ^ halves[i]!, 0x01000193)
  return sum
}

/** Rows as they lie in a file. */
export interface Rows {
  /** Of the study. */
  readonly path: string
  readonly words: Float64Array
  /** The same, otherwise. */
  readonly halves: Int32Array
  readonly bytes: Buffer
  /** Of the space whose parameters stand in each row. */
  readonly key: string
  /** How many parameters these are. */
  readonly parameters: number
}

/** One of them. */
export interface Row {
  readonly rows: Rows
  readonly from: number
}

/** What stands at a place in a row. */
export const wordIn = ({ rows, from }: Row, place: number): number => rows.words[from + place]!

export const stateIn = (row: Row): EndState => endStates[wordIn(row, at.state)]!

const isEachIn = (row: Row): boolean => wordIn(row, at.isEach) === 1

/** Where the values end and the texts begin. */
const textOf = (row: Row): number =>
  row.from + headWords + row.rows.parameters + (isEachIn(row) ? 1 : 2) * wordIn(row, at.points)

const isWhole = (value: number, least = 0): boolean => Number.isSafeInteger(value) && value >= least

/** How many words it has; 0 where there is none, or one that is torn, or was made up. */
export function wordsOf(row: Row): number {
  const { rows, from } = row
  const count = wordIn(row, at.words)
  if (!isWhole(count, headWords) || from + count > rows.words.length) return 0
  if (![at.points, at.workerBytes, at.recordBytes].every((place) => isWhole(wordIn(row, place)))) return 0
  const bytes = wordIn(row, at.workerBytes) + wordIn(row, at.recordBytes)
  if (textOf(row) - from + Math.ceil(bytes / wordBytes) !== count) return 0
  if (checksumOf(rows.halves, from, count) !== wordIn(row, at.checksum)) return 0
  const isSound =
    stateIn(row) !== undefined &&
    isTrialNumber(wordIn(row, at.number)) &&
    isWhole(wordIn(row, at.next), 2) &&
    isWhole(wordIn(row, at.stage), 1) &&
    isWhole(wordIn(row, at.epoch))
  return isSound && (isEachIn(row) || epochsIn(row).every((epoch) => isWhole(epoch))) ? count : 0
}

/** Writes the parameters' numbers to where they are wanted. */
export function parametersIn({ rows, from }: Row, into: Float64Array): void {
  for (let i = 0; i < rows.parameters; i++) into[i] = rows.words[from + headWords + i]!
}

export function epochsIn(row: Row): readonly number[] {
  const points = wordIn(row, at.points)
  return isEachIn(row) ? eachUpTo(points) : listOf(row, textOf(row) - 2 * points)
}

export const valuesIn = (row: Row): readonly number[] => listOf(row, textOf(row) - wordIn(row, at.points))

/** As `Array.from` would, in a fraction of the time. */
function listOf(row: Row, from: number): number[] {
  const list = new Array<number>(wordIn(row, at.points))
  for (let i = 0; i < list.length; i++) list[i] = row.rows.words[from + i]!
  return list
}

/** 1 … n, of which trials of one length share one list. */
let each: readonly number[] = []

function eachUpTo(count: number): readonly number[] {
  if (each.length !== count) each = Array.from({ length: count }, (_, i) => i + 1)
  return each
}

export const workerIn = (row: Row): string => textIn(row, 0, wordIn(row, at.workerBytes))
export const recordsIn = (row: Row): string => textIn(row, wordIn(row, at.workerBytes), wordIn(row, at.recordBytes))

function textIn(row: Row, from: number, count: number): string {
  const begin = wordBytes * textOf(row) + from
  return row.rows.bytes.toString('utf8', begin, begin + count)
}
