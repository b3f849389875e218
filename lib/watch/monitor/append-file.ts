import { type FileHandle, open } from 'node:fs/promises'

/** More than this waiting to be written, and whoever writes waits too. */
const mostWaiting = 32 << 20

/**
 * A file that only grows. What a kill leaves torn at its end is cut off when it is opened again. Writes are queued and
 * never awaited by training, unless the disk falls far behind.
 */
export class AppendFile {
  readonly #file: FileHandle
  #queue: Promise<void> = Promise.resolve()
  #waiting = 0
  #failure: Error | null = null

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** `keep` tells how much of a file that was there already is whole. */
  static async open(path: string, keep: (file: FileHandle, size: number) => Promise<number>): Promise<AppendFile> {
    await (await open(path, 'a')).close()
    const file = await open(path, 'r+')
    try {
      const { size } = await file.stat()
      const whole = await keep(file, size)
      if (whole < size) await file.truncate(whole)
    } finally {
      await file.close()
    }
    return new AppendFile(await open(path, 'a'))
  }

  /** The bytes must stay as they are. After an error nothing more is written; {@link failure} tells. */
  write(bytes: Uint8Array): void {
    this.#waiting += bytes.byteLength
    this.#queue = this.#queue.then(async () => {
      try {
        if (!this.#failure) await this.#file.appendFile(bytes)
      } catch (error) {
        this.#failure = error as Error
      }
      this.#waiting -= bytes.byteLength
    })
  }

  get failure(): Error | null {
    return this.#failure
  }

  async keepUp(): Promise<void> {
    if (this.#waiting > mostWaiting) await this.#queue
  }

  async close(): Promise<void> {
    await this.#queue
    await this.#file.close()
  }
}
