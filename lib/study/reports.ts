/** `reports.1.jsonl`: the metric after each epoch, a line each, written by the process of claim 1 alone. */
import { open } from 'node:fs/promises'
import { GradusError } from '../errors.js'
import { withFileErrors } from '../files.js'
import { readFrom } from './read.js'
import { fromNumber, type JsonObject, toNumber } from './values.js'

/** Adds lines to the file of one claim. */
export class ReportWriter {
  readonly #path: string
  #last: number | null = null
  /** What a full disk has taken only the half of: the next line begins anew. */
  #isTorn = false

  constructor(path: string) {
    this.#path = path
  }

  /**
   * @param epoch - from 1, larger than the one before
   * @throws `GRADUS_INVALID_ARGUMENT` when it is out of order; `GRADUS_BAD_FILE` when it could not be written, and then it
   * may be tried again
   */
  async add(epoch: number, value: number, record: JsonObject | null = null): Promise<void> {
    this.#check(epoch)
    const line = `${JSON.stringify({ epoch, value: fromNumber(value), ...(record && { record }) })}\n`
    const bytes = Buffer.from(this.#isTorn ? `\n${line}` : line)
    await withFileErrors(this.#path, () => this.#append(bytes), 'written')
    this.#isTorn = false
    this.#last = epoch
  }

  /** Opened anew each time: a server far away is told of what was written when the file is closed. */
  async #append(bytes: Buffer): Promise<void> {
    const file = await open(this.#path, 'a')
    try {
      this.#isTorn = true
      // At once, or whoever reads might see the first half of a line for long.
      const { bytesWritten } = await file.write(bytes)
      if (bytesWritten < bytes.length) await file.appendFile(bytes.subarray(bytesWritten))
    } finally {
      await file.close()
    }
  }

  #check(epoch: number): void {
    if (Number.isSafeInteger(epoch) && epoch > (this.#last ?? 0)) return
    const expected = this.#last === null ? 'an epoch from 1 up' : `an epoch after ${this.#last}, the last one reported`
    const message = `report: expected ${expected}, received ${String(epoch)}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'report', expected })
  }
}

/** Values by epoch, in the order of the epochs. */
export interface Curve {
  readonly epochs: readonly number[]
  readonly values: readonly number[]
}

/** Of one look; more is read by the next. */
const mostAtOnce = 1 << 24
/** No line of ours is longer. */
const longestLine = 1 << 20
const newline = 10

/** Reads what has come since the last look. A last line without an end is not there yet. */
export class ReportTail implements Curve {
  readonly epochs: number[] = []
  readonly values: number[] = []
  readonly #path: string
  #offset = 0

  constructor(path: string) {
    this.#path = path
  }

  /** Whether something has come. @throws `GRADUS_BAD_FILE` */
  read(): boolean {
    const bytes = readFrom(this.#path, this.#offset, mostAtOnce)
    if (bytes === null) return false
    const before = this.epochs.length
    let begin = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, begin)) {
      this.#add(bytes.subarray(begin, end))
      begin = end + 1
    }
    // A line that ends nowhere is passed over.
    this.#offset += bytes.length - begin > longestLine ? bytes.length : begin
    return this.epochs.length > before
  }

  /** Lines that are none are left out: they are of a write that came to nothing, or of somebody else. */
  #add(bytes: Buffer): void {
    if (bytes.length > longestLine) return
    let line: { epoch?: unknown; value?: unknown } | null
    try {
      line = JSON.parse(bytes.toString('utf8'))
    } catch {
      return
    }
    const { epoch, value: written } = typeof line === 'object' && line !== null ? line : {}
    const value = toNumber(written)
    const isNext = Number.isSafeInteger(epoch) && (epoch as number) > (this.epochs.at(-1) ?? 0)
    if (!isNext || value === null) return
    this.epochs.push(epoch as number)
    this.values.push(value)
  }
}

/** What the claims of a trial have reported, oldest first: one that goes on from an earlier epoch does the rest once more. */
export function joined(curves: readonly Curve[]): Curve {
  const told = curves.filter(({ epochs }) => epochs.length > 0)
  if (told.length === 1) return { epochs: [...told[0]!.epochs], values: [...told[0]!.values] }
  const [epochs, values]: [number[], number[]] = [[], []]
  for (const curve of told) {
    while (epochs.length > 0 && epochs.at(-1)! >= curve.epochs[0]!) {
      epochs.pop()
      values.pop()
    }
    epochs.push(...curve.epochs)
    values.push(...curve.values)
  }
  return { epochs, values }
}
