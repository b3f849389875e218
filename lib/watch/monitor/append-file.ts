import { type FileHandle, open } from 'node:fs/promises'
import { withFileErrors } from '../../files.js'

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

  /** `keep` tells how much of a file that was there already is whole. */
  static open(path: string, keep: (file: FileHandle, size: number) => number | Promise<number>): Promise<AppendFile> {
    return withFileErrors(path, () => AppendFile.#open(path, keep), 'written')
  }

  static async #open(
    path: string,
    keep: (file: FileHandle, size: number) => number | Promise<number>,
  ): Promise<AppendFile> {
    await (await open(path, 'a')).close()
    const file = await open(path, 'r+')
    let whole: number
    try {
      const { size } = await file.stat()
      whole = await keep(file, size)
      if (whole < size) await file.truncate(whole)
    } finally {
      await file.close()
    }
    return new AppendFile(await open(path, 'a'), whole)
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

  /** Nothing more is written, of what waits neither. */
  drop(): void {
    this.#isDropped = true
    this.#gathered = 0
  }

  async close(): Promise<void> {
    this.send()
    await this.#queue
    await this.#file.close()
  }
}
