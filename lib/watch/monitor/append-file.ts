import type { FileHandle } from 'node:fs/promises'
import { openToAppend, replaceFile, withFileErrors } from '../../files.js'

/** More than this waiting to be written, and whoever writes waits too. */
const mostWaiting = 32 << 20

/**
 * A file that only grows. What a kill leaves torn at its end is cut off when it is opened again. What is added is gathered
 * until it is sent; that is never awaited by training, unless the disk falls far behind.
 */
export class AppendFile {
  readonly #file: FileHandle
  #size: number
  /** What has been added since the last `send`, in the first `#gathered` bytes. */
  #gathering: Uint8Array = new Uint8Array(1 << 12)
  #gathered = 0
  /** Memory of a write that is done, for the next: fresh pages cost more than what is copied into them. */
  #spare: Uint8Array | null = null
  #queue: Promise<void> = Promise.resolve()
  #waiting = 0
  #failure: Error | null = null
  #isDropped = false

  private constructor(file: FileHandle, size: number) {
    this.#file = file
    this.#size = size
  }

  /**
   * @param keep - tells how much of a file that was there already is to stay
   * @param isAnew - a copy of that takes the file's place: whoever still writes into the old one writes for nobody
   */
  static async open(
    path: string,
    keep: (file: FileHandle, size: number) => number | Promise<number>,
    isAnew: boolean,
  ): Promise<AppendFile> {
    const file = await openToAppend(path)
    try {
      const { size } = await file.stat()
      const kept = await keep(file, size)
      if (!isAnew) {
        if (kept < size) await withFileErrors(path, () => file.truncate(kept), 'written')
        return new AppendFile(file, kept)
      }
      await replaceFile(path, (copy) => copyBytes(file, copy, kept), { sync: false })
    } catch (error) {
      await file.close()
      throw error
    }
    await file.close()
    const copy = await openToAppend(path)
    return new AppendFile(copy, (await copy.stat()).size)
  }

  /** With what is not written yet. */
  get size(): number {
    return this.#size
  }

  /** Copies the bytes. After an error nothing more is written; {@link failure} tells. */
  add(bytes: Uint8Array): void {
    if (this.#failure || this.#isDropped || bytes.length === 0) return
    const size = this.#gathered + bytes.length
    if (size > this.#gathering.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.#gathering.length))
      larger.set(this.#gathering.subarray(0, this.#gathered))
      this.#gathering = larger
    }
    this.#gathering.set(bytes, this.#gathered)
    this.#gathered = size
    this.#size += bytes.length
  }

  /** Queues what has been gathered, to be written. */
  send(): void {
    if (this.#gathered === 0) return
    const full = this.#gathering
    const bytes = full.subarray(0, this.#gathered)
    this.#gathering = this.#spare ?? new Uint8Array(full.length)
    this.#spare = null
    this.#gathered = 0
    this.#waiting += bytes.length
    this.#queue = this.#queue.then(async () => {
      try {
        for (let done = 0; done < bytes.length && !this.#failure && !this.#isDropped; ) {
          done += (await this.#file.write(bytes, done)).bytesWritten
        }
      } catch (error) {
        this.#failure = error as Error
      }
      this.#waiting -= bytes.length
      this.#spare = full
    })
  }

  get failure(): Error | null {
    return this.#failure
  }

  /** When the disk has caught up; undefined while it is not far behind. */
  keepUp(): Promise<void> | undefined {
    return this.#waiting > mostWaiting ? this.#queue : undefined
  }

  /** Resolves when all that has been added lies on the disk, or never will: {@link failure} tells. */
  async settle(): Promise<void> {
    this.send()
    await this.#queue
    if (this.#failure || this.#isDropped) return
    await this.#file.datasync().catch((error) => {
      this.#failure = error
    })
  }

  /** Nothing more is written, of what waits neither. */
  drop(): void {
    this.#isDropped = true
    this.#gathered = 0
  }

  /** An error of the disk is a {@link failure} here too. */
  async close(): Promise<void> {
    this.send()
    await this.#queue
    await this.#file.close().catch((error) => {
      this.#failure ??= error
    })
  }
}

const pieceSize = 1 << 22

/** The first `count` bytes. */
async function copyBytes(from: FileHandle, to: FileHandle, count: number): Promise<void> {
  const memory = Buffer.alloc(Math.min(pieceSize, count))
  for (let done = 0; done < count; ) {
    const { bytesRead } = await from.read(memory, 0, Math.min(memory.length, count - done), done)
    if (bytesRead === 0) return
    await to.writeFile(memory.subarray(0, bytesRead))
    done += bytesRead
  }
}
