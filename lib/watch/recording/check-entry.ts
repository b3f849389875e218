import type { Entry } from './builder.js'

const numbers: Record<string, readonly string[]> = {
  begin: ['step', 'time'],
  epoch: ['epoch', 'step'],
  predictions: ['epoch', 'step'],
  sharpness: ['epoch', 'step', 'eigenvalue'],
  system: ['step', 'time', 'samplesPerSecond', 'memory'],
  refusal: ['step'],
  end: ['step', 'time'],
}
const counts: Record<string, readonly string[]> = { predictions: ['predicted', 'actual'] }
const texts: Record<string, readonly string[]> = { end: ['stoppedBy'] }
/** What lines of older versions lack. */
const newer: Record<string, Readonly<Record<string, 'number' | 'string'>>> = {
  begin: { process: 'number', host: 'string', boot: 'string', started: 'string', threads: 'number', epochs: 'number' },
}

/** More than any monitor looks at. */
const mostCounts = 10_000

const isCounts = (value: unknown) =>
  Array.isArray(value) && value.length <= mostCounts && value.every((count) => Number.isFinite(count))

/** A line of a journal as an entry; null for one that this version does not know, or that lacks what it should have. */
export function checkEntry(line: Record<string, unknown>): Entry | null {
  const { type } = line
  if (typeof type !== 'string' || !Object.hasOwn(numbers, type)) return null
  const isWhole =
    numbers[type]!.every((field) => Number.isFinite(line[field])) &&
    (counts[type] ?? []).every((field) => isCounts(line[field])) &&
    (texts[type] ?? []).every((field) => typeof line[field] === 'string') &&
    Object.entries(newer[type] ?? {}).every(([field, of]) => line[field] === undefined || typeof line[field] === of)
  return isWhole ? (line as unknown as Entry) : null
}
