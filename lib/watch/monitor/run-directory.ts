import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { badFile } from '../../data/file.js'
import { GradusError } from '../../errors.js'
import type { Entry } from '../recording/builder.js'
import { files, layerRowWidth, type Rows, stepRowWidth } from '../recording/files.js'
import { writeLine } from '../recording/json.js'
import type { Latest } from '../recording/latest.js'
import { writeLatest } from '../recording/latest.js'
import type { RunInfo } from '../recording/recording.js'
import { readInfo } from '../recording/run-reader.js'
import { firstRowFrom } from '../recording/table.js'
import { AppendFile } from './append-file.js'

/** The files of a run under way. Errors of the disk end the recording, not the run; `failure` tells. */
export class RunDirectory {
  readonly path: string
  readonly #steps: AppendFile
  readonly #layers: AppendFile
  readonly #journal: AppendFile

  private constructor(path: string, steps: AppendFile, layers: AppendFile, journal: AppendFile) {
    this.path = path
    this.#steps = steps
    this.#layers = layers
    this.#journal = journal
  }

  /**
   * A new run's directory, or that of a run that goes on from `step`: then what was recorded beyond it is cut off.
   * @throws `GRADUS_INVALID_ARGUMENT` when there is a run already that this one does not continue
   */
  static async open(path: string, info: RunInfo, { step, goesOn }: { step: number; goesOn: boolean }) {
    await mkdir(path, { recursive: true }).catch((error: Error) => {
      throw badFile(path, `expected a folder that can be made and written to (${error.message})`)
    })
    const known = await readInfo(path).catch((error) => (error.message.includes('no such file') ? null : fail(error)))
    if (known && !goesOn) {
      const message = `dir: expected a folder without a run, ${path} holds one; give another, or initialEpoch to go on with it`
      throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
    }
    if (known) checkSameModel(path, known, info)
    else await writeInfo(path, info)
    const { tensors, layers, monitor } = known ?? info
    const table = (name: string, width: number) =>
      AppendFile.open(join(path, name), async (file, size) => {
        const rows = Math.floor(size / (4 * width))
        return 4 * width * firstRowFrom(file.fd, width, rows, step)
      })
    return new RunDirectory(
      path,
      await table(files.steps, stepRowWidth(tensors.length)),
      await table(files.layers, layerRowWidth(layers.length, tensors.length, monitor.histograms !== null)),
      await AppendFile.open(join(path, files.journal), wholeLines),
    )
  }

  addSteps(rows: Rows): void {
    this.#steps.add(bytesOf(rows))
  }

  addLayers(rows: Rows): void {
    this.#layers.add(bytesOf(rows))
  }

  addEntry(entry: Entry): void {
    this.#journal.add(Buffer.from(writeLine(entry)))
  }

  writeLatest(latest: Latest): Promise<void> {
    return writeLatest(this.path, latest)
  }

  get #files(): readonly AppendFile[] {
    return [this.#steps, this.#layers, this.#journal]
  }

  get failure(): Error | null {
    return this.#steps.failure ?? this.#layers.failure ?? this.#journal.failure
  }

  /** What has been added is written from now on. */
  send(): void {
    for (const file of this.#files) file.send()
  }

  /** When the disk has caught up; undefined while it is not far behind. */
  keepUp(): Promise<void> | undefined {
    return this.#steps.keepUp() ?? this.#layers.keepUp()
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close()
  }
}

function fail(error: unknown): never {
  throw error
}

const bytesOf = ({ values }: Rows) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

async function writeInfo(path: string, info: RunInfo): Promise<void> {
  const beside = join(path, `${files.info}.${process.pid}.tmp`)
  const file = await open(beside, 'w')
  try {
    await file.writeFile(`${JSON.stringify(info, null, 1)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(beside, join(path, files.info))
}

function checkSameModel(path: string, known: RunInfo, info: RunInfo): void {
  const columns = ({ tensors, layers, monitor }: RunInfo) => JSON.stringify([tensors, layers, monitor])
  if (columns(known) === columns(info)) return
  const message = `dir: expected the run in ${path} to be of this model and to be monitored alike, received another model or other options of monitor()`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
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
