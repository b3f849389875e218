/** What is known of a checkpoint from its header alone: whoever looks at runs has no model to read the rest into. */
import { GradusError } from '../errors.js'
import { fileError, nameOf as fileNameOf } from '../files.js'
import { openBytes, SafetensorsReader } from '../model/file.js'
import { parseShallow } from '../model/json-reader.js'
import type { Identity } from './identity.js'
import { decodeValue } from './values.js'

/** Of what entry `run` of the metadata says; raised when older versions could not go on from it. */
export const formatVersion = 1

/** What is known of a checkpoint from its header alone. */
export interface Head {
  /** Of the run that it belongs to. */
  readonly id: string
  /** At an epoch's end, or within one. */
  readonly kind: 'epoch' | 'steps'
  /** Finished epochs, examples of the one under way, and updates. */
  readonly epochs: number
  readonly rows: number
  readonly step: number
  /** The numbers of the last epoch's record; none within an epoch. */
  readonly record: Readonly<Record<string, number>> | null
  /** By what it is compared with others; null where nothing was named. */
  readonly watched: Watched | null
  readonly identity: Identity
}

/** A column of the records, and whether small or large values are good. */
export interface Watched {
  readonly column: string
  readonly mode: 'min' | 'max'
}

export const damaged = (what: string) => new GradusError('GRADUS_BAD_FILE', `it is damaged: ${what}`)

/** An open checkpoint. */
export class CheckpointHeader {
  readonly head: Head
  readonly size: number
  /** The entry `run` of the metadata, its values as they are written. */
  readonly run: Readonly<Record<string, unknown>>
  readonly file: SafetensorsReader

  constructor(file: SafetensorsReader, size: number) {
    this.run = parseRun(file.header.metadata.run)
    this.head = headOf(this.run)
    this.size = size
    this.file = file
  }

  /** @throws GRADUS_BAD_FILE when a byte is not as it was written */
  async checkHash(): Promise<void> {
    if (this.file.header.metadata.sha256 === undefined) throw damaged('it has no hash')
    await this.file.checkHash()
  }
}

export interface HeaderOptions {
  /** Whether a link is followed. Default true. */
  readonly follow?: boolean | undefined
  /** Bytes of the longest header that is read. Default: what any may have. */
  readonly mostOfHeader?: number | undefined
}

/** Opens a checkpoint; its errors name the file. */
export async function withHeader<Result>(
  path: string,
  work: (checkpoint: CheckpointHeader) => Promise<Result>,
  { mostOfHeader, ...options }: HeaderOptions = {},
): Promise<Result> {
  try {
    const bytes = await openBytes(path, options)
    try {
      return await work(new CheckpointHeader(await SafetensorsReader.open(bytes, mostOfHeader), bytes.size))
    } finally {
      await bytes.close()
    }
  } catch (error) {
    if (!(error instanceof GradusError)) throw fileError(path, error)
    if (error.message.startsWith(fileNameOf(path)) || error.code !== 'GRADUS_BAD_FILE') throw error
    throw new GradusError(error.code, `${fileNameOf(path)}: ${error.message}`, { cause: error })
  }
}

/** What is wrong with it, in a sentence; null of a sound one. All of it is read. */
export const problemOf = (path: string): Promise<string | null> =>
  withHeader(path, (checkpoint) => checkpoint.checkHash()).then(
    () => null,
    (error: Error) => error.message,
  )

/** What a callback of that name had told it to keep, but arrays; null where it kept nothing, or cannot be read. */
export const rememberedIn = (path: string, callback: string): Promise<unknown> =>
  withHeader(path, async ({ run }) => {
    const callbacks = (run.callbacks ?? {}) as Readonly<Record<string, unknown>>
    return decodeValue(callbacks[callback] ?? null, new Map())
  }).catch(() => null)

function parseRun(json: string | undefined): Record<string, unknown> {
  if (json === undefined) throw new GradusError('GRADUS_BAD_FILE', 'no checkpoint: its metadata have no entry "run"')
  const run = parseShallow(json)
  if (typeof run !== 'object' || run === null || Array.isArray(run)) throw damaged('its entry "run" is no record')
  const { format } = run as Record<string, unknown>
  if (format === formatVersion) return run as Record<string, unknown>
  const newer = Number(format) > formatVersion ? 'a newer Gradus wrote it' : 'its format is unknown'
  throw new GradusError(
    'GRADUS_BAD_FILE',
    `${newer}: format ${JSON.stringify(format)}, and this one reads ${formatVersion}`,
  )
}

function headOf({ id, kind, epochs, rows, step, record, watched, identity }: Record<string, unknown>): Head {
  const counts = [epochs, rows, step]
  if (typeof id !== 'string' || (kind !== 'epoch' && kind !== 'steps'))
    throw damaged('its entry "run" says not of which run')
  if (!counts.every((count) => Number.isSafeInteger(count) && (count as number) >= 0))
    throw damaged('its counts are none')
  if (typeof identity !== 'object' || identity === null) throw damaged('its entry "run" has no identity')
  return { id, kind, epochs, rows, step, record: numbersOf(record), watched: watchedOf(watched), identity } as Head
}

function numbersOf(value: unknown): Head['record'] {
  const record = decodeValue(value ?? null, new Map())
  if (record === null) return null
  if (typeof record !== 'object') throw damaged('its record is none')
  const numbers = Object.entries(record).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return Object.fromEntries(numbers)
}

function watchedOf(value: unknown): Watched | null {
  const { column, mode } = (value ?? {}) as Partial<Watched>
  return typeof column === 'string' && (mode === 'min' || mode === 'max') ? { column, mode } : null
}
