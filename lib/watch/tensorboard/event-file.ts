import { type FileHandle, open } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { optionalPackage } from '../../data/file.js'
import { makeFolders } from '../../files.js'
import type { Point } from './point.js'
import { frameRecord } from './records.js'

type Messages = typeof import('./messages.js')

/** A file that TensorBoard reads, also while it grows: whole records are appended, so that a kill tears the last at most. */
export class EventFile {
  readonly #file: FileHandle
  readonly #messages: Messages

  private constructor(file: FileHandle, messages: Messages) {
    this.#file = file
    this.#messages = messages
  }

  /** A new one in the directory. Error: `GRADUS_MISSING_PACKAGE` without `@bufbuild/protobuf`. */
  static async create(directory: string): Promise<EventFile> {
    const messages = await optionalPackage('@bufbuild/protobuf', 'tensorboard', () => import('./messages.js'))
    await makeFolders(directory)
    const file = await openNew(directory)
    await file.appendFile(frameRecord(messages.encodeVersion()))
    return new EventFile(file, messages)
  }

  async append(points: readonly Point[]): Promise<void> {
    if (points.length === 0) return
    await this.#file.appendFile(Buffer.concat(points.map((point) => frameRecord(this.#messages.encodePoint(point)))))
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

/** TensorFlow's names; the number at the end is free. */
async function openNew(directory: string): Promise<FileHandle> {
  const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0')
  const host = hostname().replaceAll(/[^\w.-]/g, '_')
  for (let number = 0; ; number++) {
    try {
      return await open(join(directory, `events.out.tfevents.${seconds}.${host}.${number}`), 'ax')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
