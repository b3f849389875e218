import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { badFile, isMissing, readText } from '../../files.js'
import { type Entry, RecordingBuilder, type Standing } from './builder.js'
import { checkEntry } from './check-entry.js'
import { checkInfo } from './check-info.js'
import { files, layerRowWidth, Rows, stepRowWidth } from './files.js'
import { parseObject } from './json.js'
import type { Recording, RunInfo, StepSeries } from './recording.js'
import { pieceSize, readCells, readRows } from './table.js'

/** A line of the journal that is longer is no record. */
const longestLine = 1 << 26

/** `run.json`, checked. */
export async function readInfo(directory: string): Promise<RunInfo> {
  const path = join(directory, files.info)
  const text = await readText(path).catch((error) => {
    throw isMissing(error) ? badFile(path, 'no such file: this is no run directory', error.cause) : error
  })
  return checkInfo(parseObject(text, path), path)
}

/**
 * A run directory, read as it grows: finished runs, running ones, and those that others write on a shared disk. The
 * memory that it takes does not depend on the length of the run.
 *
 * @throws `GRADUS_BAD_FILE` when `run.json` is missing or not what it should be
 */
export async function openRun(directory: string): Promise<RunReader> {
  const reader = new RunReader(directory, await readInfo(directory))
  await reader.refresh()
  return reader
}

/** Made by {@link openRun}. */
export class RunReader {
  readonly directory: string
  readonly info: RunInfo
  readonly #builder: RecordingBuilder
  #steps = 0
  #journal = 0
  #rest: Buffer = Buffer.alloc(0)
  /** Of files that had nothing new when they were last read. */
  readonly #sizes = new Map<string, number>()

  /** @internal */
  constructor(directory: string, info: RunInfo) {
    this.directory = directory
    this.info = info
    this.#builder = new RecordingBuilder(info)
  }

  /** Reads what was appended since; whether there was anything. */
  async refresh(): Promise<boolean> {
    const grew = [await this.#refreshSteps(), await this.#refreshLayers(), await this.#refreshJournal()]
    return grew.some((did) => did)
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
      const buffer = Buffer.alloc(Math.min(pieceSize, Math.max(0, size - this.#journal)))
      while (this.#journal < size) {
        const bytesRead = readSync(file, buffer, 0, buffer.length, this.#journal)
        if (bytesRead === 0) break
        this.#journal += bytesRead
        this.#addLines(buffer.subarray(0, bytesRead))
      }
      return this.#journal > before
    })
  }

  /** Whole lines become entries; one that is no record (torn by a kill, then written on) is left out. */
  #addLines(bytes: Buffer): void {
    let rest = Buffer.concat([this.#rest, bytes])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.toString('utf8', 0, end)
      rest = rest.subarray(end + 1)
      if (line.trim() === '') continue
      const entry = tryParse(line)
      if (entry) this.#builder.addEntry(entry)
    }
    this.#rest = rest.length > longestLine ? Buffer.alloc(0) : Buffer.from(rest)
  }

  /** A file that is as long as when it had nothing new is not opened; one that is not there yet has not grown. */
  async #ifGrown(name: string, read: (file: number, size: number) => Promise<boolean>): Promise<boolean> {
    const path = join(this.directory, name)
    const size = statSync(path, { throwIfNoEntry: false })?.size
    if (size === undefined || size === this.#sizes.get(name)) return false
    const file = openSync(path, 'r')
    try {
      const grew = await read(file, size)
      if (!grew) this.#sizes.set(name, size)
      return grew
    } finally {
      closeSync(file)
    }
  }
}

function tryParse(line: string): Entry | null {
  try {
    return checkEntry(parseObject(line, files.journal))
  } catch {
    return null
  }
}
