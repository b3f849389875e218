import { type FileHandle, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GradusError } from '../../errors.js'
import { badFile, isMissing, placeFile } from '../../files.js'
import type { RunFolder } from '../../train/run-folder.js'
import type { Entry } from '../recording/builder.js'
import { endOf, files, layerRowWidth, lookColumns, Rows, setEnd, stepRowWidth } from '../recording/files.js'
import { HistogramEncoder } from '../recording/histogram-bytes.js'
import { writeLine } from '../recording/json.js'
import type { Latest } from '../recording/latest.js'
import { writeLatest } from '../recording/latest.js'
import type { RunInfo } from '../recording/recording.js'
import { readInfo } from '../recording/run-reader.js'
import { firstRowFrom, readCells } from '../recording/table.js'
import { AppendFile } from './append-file.js'

/** The files of a run under way. Errors of the disk end the recording, not the run; `failure` tells. */
export class RunDirectory {
  readonly #folder: RunFolder
  readonly #steps: AppendFile
  readonly #layers: AppendFile
  readonly #histograms: AppendFile
  readonly #journal: AppendFile
  readonly #encoder = new HistogramEncoder()

  private constructor(folder: RunFolder, opened: Record<'steps' | 'layers' | 'histograms' | 'journal', AppendFile>) {
    this.#folder = folder
    this.#steps = opened.steps
    this.#layers = opened.layers
    this.#histograms = opened.histograms
    this.#journal = opened.journal
  }

  /**
   * The files of a new run, or of one that goes on from `step`: then what was recorded beyond it is cut off.
   * @throws `GRADUS_INVALID_ARGUMENT` when there is a run that this one does not continue
   */
  static async open(folder: RunFolder, info: RunInfo, { step, goesOn }: { step: number; goesOn: boolean }) {
    const { path } = folder
    const known = goesOn ? await readInfo(path).catch((error) => (isMissing(error) ? null : fail(error))) : null
    if (known) checkSameModel(path, known, info)
    else await writeInfo(path, info)
    const { tensors, layers } = known ?? info
    const opened: AppendFile[] = []
    const add = async (file: Promise<AppendFile>) => {
      opened.push(await file)
      return opened.at(-1)!
    }
    try {
      const steps = await add(openSteps(path, stepRowWidth(tensors.length), step))
      const looks = await openLooks(path, layerRowWidth(layers.length), step, add)
      const journal = await add(AppendFile.open(join(path, files.journal), wholeLines))
      return new RunDirectory(folder, { steps, ...looks, journal })
    } catch (error) {
      for (const file of opened) await file.close()
      throw error
    }
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

  writeLatest(latest: Latest): Promise<void> {
    return writeLatest(this.path, latest)
  }

  get #files(): readonly AppendFile[] {
    return [this.#histograms, this.#steps, this.#layers, this.#journal]
  }

  get failure(): Error | null {
    return this.#files.map(({ failure }) => failure).find((failure) => failure !== null) ?? null
  }

  /** What has been added is written from now on. */
  send(): void {
    for (const file of this.#files) file.send()
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

function fail(error: unknown): never {
  throw error
}

/** Whole, and once: who has the folder is the only one to write it. */
async function writeInfo(path: string, info: RunInfo): Promise<void> {
  const file = join(path, files.info)
  const isFirst = await placeFile(file, (handle) => handle.writeFile(`${JSON.stringify(info, null, 1)}\n`))
  if (!isFirst) throw badFile(file, 'something else has this name')
}

const bytesOf = ({ values }: Rows) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

function checkSameModel(path: string, known: RunInfo, info: RunInfo): void {
  const columns = ({ tensors, layers, monitor }: RunInfo) => JSON.stringify([tensors, layers, monitor])
  if (columns(known) === columns(info)) return
  const message = `dir: expected the run in ${path} to be of this model and to be monitored alike, received another model or other options of monitor()`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

const openSteps = (path: string, width: number, step: number) =>
  AppendFile.open(join(path, files.steps), ({ fd }, size) => {
    return 4 * width * firstRowFrom(fd, width, Math.floor(size / (4 * width)), step)
  })

/** The looks before `step` whose histograms are all there, and those. */
async function openLooks(
  path: string,
  width: number,
  step: number,
  add: (file: Promise<AppendFile>) => Promise<AppendFile>,
) {
  const written = await stat(join(path, files.histograms)).then(
    ({ size }) => size,
    () => 0,
  )
  let end = 0
  const open = AppendFile.open(join(path, files.layers), ({ fd }, size) => {
    const look = Rows.of(1, lookColumns.length)
    let rows = firstRowFrom(fd, width, Math.floor(size / (4 * width)), step)
    for (; rows > 0; rows--) {
      readCells(fd, look, 4 * width * (rows - 1))
      if (endOf(look) <= written) break
    }
    end = rows > 0 ? endOf(look) : 0
    return 4 * width * rows
  })
  const layers = await add(open)
  return { layers, histograms: await add(AppendFile.open(join(path, files.histograms), () => end)) }
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
