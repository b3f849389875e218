import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, openFile, syncFolder } from '../../files.js'
import { writeLine } from '../../json.js'
import type { RunFolder } from '../../train/run-folder.js'
import type { Entry } from '../recording/builder.js'
import { endOf, files, layerRowWidth, lookColumns, Rows, setEnd, stepRowWidth } from '../recording/files.js'
import { HistogramEncoder } from '../recording/histogram-bytes.js'
import type { Latest } from '../recording/latest.js'
import { writeLatest } from '../recording/latest.js'
import { firstRowFrom, readCells } from '../recording/table.js'
import { AppendFile } from './append-file.js'
import type { Place } from './place.js'

/** The layers before their histograms, which end where those of the last look do. */
const order = ['steps', 'layers', 'histograms', 'journal'] as const
type FileName = (typeof order)[number]

/** Bytes of the files that grow. */
export type Sizes = Readonly<Record<FileName, number>>

interface Cut {
  readonly step: number
  readonly sizes: Sizes | null
}

/** The files of a run under way. Errors of the disk end the recording, not the run; `failure` tells. */
export class RunDirectory {
  readonly #folder: RunFolder
  readonly #steps: AppendFile
  readonly #layers: AppendFile
  readonly #histograms: AppendFile
  readonly #journal: AppendFile
  readonly #encoder = new HistogramEncoder()

  private constructor(folder: RunFolder, opened: Record<FileName, AppendFile>) {
    this.#folder = folder
    this.#steps = opened.steps
    this.#layers = opened.layers
    this.#histograms = opened.histograms
    this.#journal = opened.journal
  }

  /**
   * The files of a run, new or going on from `step`: then what was recorded beyond it is cut off. With `sizes`, which a
   * checkpoint has kept, to exactly these: steps that were refused share a number.
   */
  static async open({ folder, info }: Place, { step, sizes }: Cut): Promise<RunDirectory> {
    const { path, tookOver } = folder
    const widths = { steps: stepRowWidth(info.tensors.length), layers: layerRowWidth(info.layers.length) }
    const keep = sizes ? keepSizes(sizes) : keepSteps(step, widths, await sizeOf(path, 'histograms'))
    const opened: AppendFile[] = []
    try {
      for (const name of order) opened.push(await AppendFile.open(join(path, files[name]), keep[name], tookOver))
      const [steps, layers, histograms, journal] = opened as [AppendFile, AppendFile, AppendFile, AppendFile]
      return new RunDirectory(folder, { steps, layers, histograms, journal })
    } catch (error) {
      for (const file of opened) await file.close()
      throw error
    }
  }

  /** Whether the files that are there have at least these sizes. */
  static async holds({ folder: { path } }: Place, sizes: Sizes): Promise<boolean> {
    for (const name of order) if ((await sizeOf(path, name)) < sizes[name]) return false
    return true
  }

  get path(): string {
    return this.#folder.path
  }

  isTaken(): Promise<boolean> {
    return this.#folder.isTaken()
  }

  /** @throws `GRADUS_STALE_RUN` when another process has taken the folder over */
  check(): Promise<void> {
    return this.#folder.check()
  }

  addSteps(rows: Rows): void {
    this.#steps.add(bytesOf(rows))
  }

  /** `counts` are the histograms of each row, one after the other. Says in the rows where they lie. */
  addLooks(rows: Rows, counts: readonly Float32Array[]): void {
    for (const [row, of] of counts.entries()) {
      this.#histograms.add(this.#encoder.encode(of))
      setEnd(rows, row * rows.width, this.#histograms.size)
    }
    this.#layers.add(bytesOf(rows))
  }

  addEntry(entry: Entry): void {
    this.#journal.add(Buffer.from(writeLine(entry)))
  }

  /** @throws `GRADUS_STALE_RUN` as `check` does, or what the disk has */
  writeLatest(latest: Latest): Promise<void> {
    return writeLatest(this.path, latest, () => this.check())
  }

  get #files(): readonly AppendFile[] {
    return [this.#histograms, this.#steps, this.#layers, this.#journal]
  }

  /** With what is not written yet. */
  get sizes(): Sizes {
    const [steps, layers] = [this.#steps.size, this.#layers.size]
    return { steps, layers, histograms: this.#histograms.size, journal: this.#journal.size }
  }

  get failure(): Error | null {
    return this.#files.map(({ failure }) => failure).find((failure) => failure !== null) ?? null
  }

  /** What has been added is written from now on. */
  send(): void {
    for (const file of this.#files) file.send()
  }

  /** Resolves when all that has been added lies on the disk, or never will: {@link failure} tells. */
  async settle(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.settle()))
    // The files themselves too, which may be new.
    await syncFolder(this.path).catch(() => undefined)
  }

  /** When the disk has caught up; undefined while it is not far behind. */
  keepUp(): Promise<void> | undefined {
    return this.#steps.keepUp() ?? this.#layers.keepUp() ?? this.#histograms.keepUp()
  }

  /** Nothing more is written, of what waits neither. */
  drop(): void {
    for (const file of this.#files) file.drop()
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close()
  }
}

const bytesOf = ({ values }: Rows) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

/** Bytes of the file, or 0. */
async function sizeOf(path: string, name: FileName): Promise<number> {
  try {
    const { handle, size } = await openFile(join(path, files[name]), { follow: false })
    await handle.close()
    return size
  } catch (error) {
    if (isMissing(error)) return 0
    throw error
  }
}

/** Bytes of a file that stay. */
type Keep = (file: FileHandle, size: number) => number | Promise<number>

const keepSizes = (sizes: Sizes): Record<FileName, Keep> => ({
  steps: () => sizes.steps,
  layers: () => sizes.layers,
  histograms: () => sizes.histograms,
  journal: () => sizes.journal,
})

/** What was recorded before `step`: of looks those whose histograms are all there, and those; of the journal what is whole. */
function keepSteps(
  step: number,
  widths: { readonly steps: number; readonly layers: number },
  written: number,
): Record<FileName, Keep> {
  let end = 0
  return {
    steps: ({ fd }, size) => {
      const each = 4 * widths.steps
      return each * firstRowFrom(fd, widths.steps, Math.floor(size / each), step)
    },
    layers: ({ fd }, size) => {
      const each = 4 * widths.layers
      const look = Rows.of(1, lookColumns.length)
      let rows = firstRowFrom(fd, widths.layers, Math.floor(size / each), step)
      for (; rows > 0; rows--) {
        readCells(fd, look, each * (rows - 1))
        if (endOf(look) <= written) break
      }
      end = rows > 0 ? endOf(look) : 0
      return each * rows
    },
    histograms: () => end,
    journal: wholeLines,
  }
}

/** Bytes up to the end of the last whole line. */
async function wholeLines(file: FileHandle, size: number): Promise<number> {
  const piece = Buffer.alloc(1 << 16)
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - piece.length)
    const { bytesRead } = await file.read(piece, 0, end - start, start)
    const at = piece.subarray(0, bytesRead).lastIndexOf(10)
    if (at >= 0) return start + at + 1
    end = start
  }
  return 0
}
