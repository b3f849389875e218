/** What the numbers of an input meant in training, so that the same ones mean the same ever after. */
import { setImmediate as nextTick } from 'node:timers/promises'
import { checkBoolean, checkFinite, oneOf } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { needed, optionsOf } from '../options.js'
import { short } from '../words.js'
import { type ByteScale, type BytesScale, type ColumnData, isScale, isTable, type OpenColumn } from './column.js'

/** A byte v stood for v · scale + offset. */
export interface BytesMeaning extends BytesScale {
  readonly kind: 'bytes'
}

/** They stood for themselves, and were of this kind. */
export interface NumbersMeaning {
  readonly kind: 'numbers'
  readonly low: number
  readonly high: number
  /** Whether there were no fractions. */
  readonly isWhole: boolean
}

export type InputMeaning = BytesMeaning | NumbersMeaning

/** What bytes mean that come without a scale of their own; null where training does not tell. */
export function scaleOfBytes(meaning: InputMeaning | undefined): BytesScale | null {
  if (meaning?.kind === 'bytes') return { scale: meaning.scale, offset: meaning.offset }
  if (!meaning) return { scale: 1 / 255, offset: 0 }
  const { low, high, isWhole } = meaning
  if (isWhole && low >= 0 && high <= 255) return { scale: 1, offset: 0 }
  return low >= 0 && high <= 1 ? { scale: 1 / 255, offset: 0 } : null
}

/** The same for a column that is opened. Throws where training does not tell. */
export function checkScaleOfBytes(argument: string, meaning: InputMeaning): BytesScale {
  const found = scaleOfBytes(meaning)
  if (found || meaning.kind === 'bytes') return found as BytesScale
  const range = `numbers as in training, from ${short(meaning.low)} to ${short(meaning.high)}`
  const message = `${argument}: expected ${range}, received bytes without a scale; give { data, scale, offset }`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** Whether a column says itself what its numbers mean. */
export const statesScale = (data: ColumnData): boolean =>
  isTable(data) && (data.scale !== undefined || data.offset !== undefined)

/** Numbers looked at before the event loop has its turn. */
const sliceNumbers = 1 << 16

/** What there is in a column. */
class Look {
  low = Infinity
  high = -Infinity
  isWhole = true

  add(values: ArrayLike<number>): void {
    let { low, high, isWhole } = this
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!
      if (value < low) low = value
      if (value > high) high = value
      if (isWhole) isWhole = Math.trunc(value) === value
    }
    Object.assign(this, { low, high, isWhole })
  }
}

function* looking(column: Pick<OpenColumn, 'rows' | 'elements' | 'read'>): Generator<void, Look> {
  const look = new Look()
  const rows = Math.max(1, Math.floor(sliceNumbers / Math.max(1, column.elements)))
  for (let first = 0; first < column.rows; first += rows) {
    if (first > 0) yield
    look.add(column.read(first, Math.min(rows, column.rows - first)))
  }
  return look
}

function atOnce<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value as Result
  }
}

async function inTurns<Result>(work: Generator<void, Result>): Promise<Result> {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value as Result
    await nextTick()
  }
}

/** The meaning of numbers that a model trains on. */
export async function meaningOf(column: Pick<OpenColumn, 'rows' | 'elements' | 'read'>): Promise<NumbersMeaning> {
  const { low, high, isWhole } = await inTurns(looking(column))
  return { kind: 'numbers', low, high, isWhole }
}

/** Numbers for an input that was trained on bytes: as bytes again, or as they are where they are scaled already. */
export const likeBytes = async (column: OpenColumn, meaning: BytesMeaning): Promise<OpenColumn> =>
  decided(column, meaning, await inTurns(looking(column)))
export const likeBytesAtOnce = (column: OpenColumn, meaning: BytesMeaning): OpenColumn =>
  decided(column, meaning, atOnce(looking(column)))

/** As much as rounding to float32 may add. */
const rounding = 1e-6

function decided(column: OpenColumn, { scale, offset }: BytesMeaning, { low, high, isWhole }: Look): OpenColumn {
  const offsets = [offset].flat()
  const scales = [scale].flat()
  const ends = scales.flatMap((own, i) => [offsets[i]!, offsets[i]! + 255 * own])
  const [least, most] = [Math.min(...ends), Math.max(...ends)]
  const areBytes = isWhole && low >= 0 && high <= 255
  const slack = rounding * (most - least)
  const areScaled = low >= least - slack && high <= most + slack
  const isSame = [low, high].every((value) => scales.every((own, i) => value * own + offsets[i]! === value))
  if (column.rows === 0 || (areScaled && !areBytes)) return column
  if (areBytes && (!areScaled || isSame)) return asBytes(column, { scale, offset })
  const scaled = `numbers from ${least} to ${most}, scaled already`
  const received = `numbers from ${low} to ${high}${areBytes ? ', which may be either' : ''}`
  const advice = areBytes
    ? 'give a Uint8Array, or { data, scale: 1 } for what is scaled'
    : 'scale: 1 in { data, scale } takes them as they are'
  throw new GradusError(
    'GRADUS_INVALID_ARGUMENT',
    `${column.argument}: expected bytes as in training, whole numbers from 0 to 255, or ${scaled}, received ${received}; ${advice}`,
  )
}

const asBytes = (column: OpenColumn, bytes: BytesScale): OpenColumn => ({
  ...column,
  isFlat: false,
  bytes,
  read: (first, count) => Uint8Array.from(column.read(first, count)),
})

const readBytes = optionsOf<Omit<BytesMeaning, 'kind'>>()('bytes', {
  scale: needed(checkScale),
  offset: needed(checkScale),
})

function checkScale(argument: string, value: unknown): ByteScale {
  if (!isScale(value)) throw invalidArgument(argument, 'a finite number or an array of them', value)
  return value
}

const readNumbers = optionsOf<Omit<NumbersMeaning, 'kind'>>()('numbers', {
  low: needed(checkFinite),
  high: needed(checkFinite),
  isWhole: needed(checkBoolean),
})

/** From what a file holds. Throws on what is none. */
export function restoreMeanings(argument: string, meanings: unknown): Record<string, InputMeaning> {
  if (typeof meanings !== 'object' || meanings === null) throw invalidArgument(argument, 'a record by inputs', meanings)
  const entries = Object.entries(meanings as Record<string, InputMeaning>).map(([name, meaning]) => {
    const { kind, ...rest } = { ...meaning }
    const known = oneOf('bytes', 'numbers')(`${argument}.${name}.kind`, kind)
    const place = `${argument}.${name}`
    return [
      name,
      known === 'bytes'
        ? { kind: known, ...readBytes(rest as never, place) }
        : { kind: known, ...readNumbers(rest as never, place) },
    ]
  })
  return Object.fromEntries(entries)
}
