/** What checkpoints are called. Names are for people; nothing is read from them. */
import { invalidArgument } from '../errors.js'

/** What a name is made from. */
export interface CheckpointFacts {
  /** The finished epoch; within one, the epoch under way. From 1. */
  readonly epoch: number
  /** Updates so far. */
  readonly step: number
  /** The value of the column that is watched; null without one, and within an epoch. */
  readonly score: number | null
}

export const extension = '.safetensors'

/** `epoch=012,valAccuracy=0.9812.safetensors` at an epoch's end, `epoch=013,step=056780.safetensors` within one. */
export function nameOf({ epoch, step, score }: CheckpointFacts, { isWithin, monitor }: NameParts): string {
  const parts = [`epoch=${String(epoch).padStart(3, '0')}`]
  if (isWithin) parts.push(`step=${String(step).padStart(6, '0')}`)
  else if (monitor !== undefined && score !== null) parts.push(`${plain(monitor)}=${scoreText(score)}`)
  return parts.join(',') + extension
}

interface NameParts {
  readonly isWithin: boolean
  readonly monitor: string | undefined
}

/** Bytes; a file's name has at most 255. */
const longestColumn = 100

function plain(column: string): string {
  const characters = Array.from(column.slice(0, longestColumn).replace(/[^\p{L}\p{N}_]/gu, '-'))
  while (Buffer.byteLength(characters.join('')) > longestColumn) characters.pop()
  return characters.join('')
}

/** Five digits, with a point in every locale, and an exponent where it is needed. */
const scoreText = (score: number): string => String(Number(score.toPrecision(5)))

/** The same by a function of the user's own. */
export function ownName(filename: (facts: CheckpointFacts) => unknown, facts: CheckpointFacts): string {
  const name = filename(facts)
  const expected = 'the name of a file, without slashes'
  if (typeof name !== 'string' || name === '' || /[/\\\0]|^\./.test(name))
    throw invalidArgument('filename', expected, name)
  const whole = name.endsWith(extension) ? name : name + extension
  if (Buffer.byteLength(whole) > 255) throw invalidArgument('filename', 'a name of at most 255 bytes', name)
  return whole
}
