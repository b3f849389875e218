import { closeSync, lstatSync, readSync, realpathSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { badFile, fileError, isMissing, openWithin, readTextWithin } from '../../files.js'
import { parseObject } from '../../json.js'
import { RecordingBuilder, type Standing } from './builder.js'
import { checkEntry } from './check-entry.js'
import { checkInfo } from './check-info.js'
import { files, layerRowWidth, Rows, stepRowWidth } from './files.js'
import { Lines } from './lines.js'
import type { Recording, RunInfo, StepSeries } from './recording.js'
import { pieceSize, readCells, readRows } from './table.js'

/** `run.json` of more bytes was not written by a monitor. */
const mostOfInfo = 1 << 24
/** Lines that are no records: a kill leaves one, and no run is killed as often as this. */
const mostTorn = 1000
/** So much of what was read is compared before more is read. */
const tailLength = 64

/** `run.json` of the directory with this real path, checked; `check` looks at the file first. */
export function readInfo(real: string, check?: (status: Stats) => void): RunInfo {
  const path = join(real, files.info)
  try {
    return checkInfo(parseObject(readTextWithin(real, files.info, mostOfInfo, check), path), path)
  } catch (error) {
    throw isMissing(error) ? badFile(path, 'no such file: this is no run directory', (error as Error).cause) : error
  }
}

/**
 * A run directory, read as it grows: finished runs, running ones, and those that others write on a shared disk. The
 * memory that it takes does not depend on the length of the run.
 *
 * @throws `GRADUS_BAD_FILE` when `run.json` is missing or not what it should be
 */
export const openRun = (directory: string): Promise<RunReader> => openRealRun(realPathOf(directory))

/** The path itself where there is nothing: reading tells so. */
function realPathOf(directory: string): string {
  try {
    return realpathSync.native(directory)
  } catch {
    return directory
  }
}

/** As {@link openRun}, of a real path: one that has become a link since then is refused. */
export async function openRealRun(real: string): Promise<RunReader> {
  const reader = new RunReader(real, readInfo(real))
  await reader.refresh()
  return reader
}

/** Made by {@link openRun}. */
export class RunReader {
  /** Its real path. */
  readonly directory: string
  readonly #begun: RunInfo
  #builder: RecordingBuilder
  #steps = 0
  #journal = 0
  /** The last bytes of the journal that were read. */
  #tail: Buffer = Buffer.alloc(0)
  #lines = new Lines()
  #torn = 0
  /** Whether the run has gone on, so that what was read before may have been cut off. */
  #hasGoneOn = false
  #generation = 0
  /** Size, time and place of files that had nothing new when they were last read. */
  readonly #seen = new Map<string, string>()

  /** @internal */
  constructor(directory: string, info: RunInfo) {
    this.directory = directory
    this.#begun = info
    this.#builder = new RecordingBuilder(info)
  }

  /** As the last begin says. */
  get info(): RunInfo {
    return this.#builder.info
  }

  /** What has been read, to go on with. */
  get builder(): RecordingBuilder {
    return this.#builder
  }

  /** Another one when the run has gone on, and so has been read anew from its begin. */
  get generation(): number {
    return this.#generation
  }

  /** Reads what was appended since; whether there was anything. */
  async refresh(): Promise<boolean> {
    // Journal first: that the run has gone on, and its tables have been cut, stands there.
    let grew = await this.#refreshJournal()
    if (this.#hasGoneOn) {
      this.#forget()
      grew = await this.#refreshJournal()
    }
    const tables = [await this.#refreshSteps(), await this.#refreshLayers()]
    return grew || tables.some((did) => did)
  }

  #forget(): void {
    this.#builder = new RecordingBuilder(this.#begun)
    this.#steps = this.#journal = this.#torn = 0
    this.#tail = Buffer.alloc(0)
    this.#lines = new Lines()
    this.#hasGoneOn = false
    this.#generation++
    this.#seen.clear()
  }

  recording(): Recording {
    return this.#builder.build()
  }

  /** What is recorded of the whole net from a row on; what lies in one bucket with it comes along. */
  stepsFrom(row: number): StepSeries {
    return this.#builder.buckets.series([], row)
  }

  get standing(): Standing {
    return this.#builder.standing
  }

  async #refreshSteps(): Promise<boolean> {
    return this.#ifGrown(files.steps, async (file, size) => {
      const before = this.#steps
      const width = stepRowWidth(this.info.tensors.length)
      const end = Math.floor(size / (4 * width))
      for (const rows of readRows(file, width, this.#steps, end)) {
        this.#builder.addSteps(rows)
        this.#steps += rows.count
        if (this.#steps < end) await setImmediate()
      }
      return this.#steps > before
    })
  }

  async #refreshLayers(): Promise<boolean> {
    return this.#ifGrown(files.layers, async (file, size) => {
      const width = layerRowWidth(this.info.layers.length)
      const { looks } = this.#builder
      const count = Math.floor(size / (4 * width))
      looks.expect(count)
      const before = looks.next
      const row = Rows.of(1, width)
      while (looks.next < count) {
        if (!readCells(file, row, 4 * width * looks.next)) break
        looks.add(looks.next, row, 0)
      }
      return looks.next > before
    })
  }

  async #refreshJournal(): Promise<boolean> {
    return this.#ifGrown(files.journal, async (file, size) => {
      const before = this.#journal
      if (!this.#isAsRead(file)) {
        this.#hasGoneOn = true
        return true
      }
      const buffer = Buffer.alloc(Math.min(pieceSize, Math.max(0, size - this.#journal)))
      while (this.#journal < size) {
        const bytesRead = readSync(file, buffer, 0, buffer.length, this.#journal)
        if (bytesRead === 0) break
        this.#journal += bytesRead
        const bytes = buffer.subarray(0, bytesRead)
        this.#tail = Buffer.concat([this.#tail, bytes.subarray(-tailLength)]).subarray(-tailLength)
        for (const line of this.#lines.add(bytes)) this.#addLine(line, before > 0)
        if (this.#journal < size) await setImmediate()
      }
      return this.#journal > before
    })
  }

  /** Whether the journal still ends, or goes on, behind what was read of it. */
  #isAsRead(file: number): boolean {
    const { length } = this.#tail
    const there = Buffer.alloc(length)
    return readSync(file, there, 0, length, this.#journal - length) === length && there.equals(this.#tail)
  }

  /** One that is no record (torn by a kill, then written on) is left out. */
  #addLine(line: Buffer, isLater: boolean): void {
    const record = isRecord(line) ? tryParse(line) : null
    if (record === null) {
      if (++this.#torn <= mostTorn) return
      throw badFile(join(this.directory, files.journal), `more than ${mostTorn} of its lines are no records`)
    }
    const entry = checkEntry(record)
    if (entry) this.#builder.addEntry(entry)
    if (entry?.type === 'begin' && isLater) this.#hasGoneOn = true
  }

  /** A file that is as it was when it had nothing new is not opened; one that is not there yet has not grown. */
  async #ifGrown(name: string, read: (file: number, size: number) => Promise<boolean>): Promise<boolean> {
    const path = join(this.directory, name)
    const status = lstatSync(path, { throwIfNoEntry: false })
    if (status === undefined) return false
    const seen = `${status.size} ${status.mtimeMs} ${status.ino}`
    if (seen === this.#seen.get(name)) return false
    const { file, size } = openWithin(this.directory, name)
    try {
      const grew = await read(file, size)
      if (!grew) this.#seen.set(name, seen)
      return grew
    } catch (error) {
      throw fileError(path, error)
    } finally {
      closeSync(file)
    }
  }
}

const recordBegin = Buffer.from('{"type":"')

/** As a monitor writes them: what else there may be costs no more than a look. */
const isRecord = (line: Buffer): boolean =>
  line.length > recordBegin.length && line.compare(recordBegin, 0, recordBegin.length, 0, recordBegin.length) === 0

function tryParse(line: Buffer): Record<string, unknown> | null {
  try {
    return parseObject(line.toString('utf8'), files.journal)
  } catch {
    return null
  }
}
