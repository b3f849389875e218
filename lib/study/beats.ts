/** Beats: a counter in a file each few seconds, by which others see that a process lives, whatever its main thread does. */
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { readSmall } from './read.js'

export interface BeatsOptions {
  /** Milliseconds from beat to beat. Default 5,000. */
  readonly every?: number | undefined
}

/** What the thread is told. */
export interface BeatOrder {
  readonly add?: string
  readonly remove?: string
}

/** One thread for all that this one holds. It ends with its process, and keeps none alive. */
export class Beats {
  readonly #thread: Worker

  constructor({ every = 5000 }: BeatsOptions = {}) {
    this.#thread = new Worker(new URL('./beat-thread.js', import.meta.url), {
      name: 'gradus beats',
      workerData: { every },
      // What the program is started with is not needed there, and takes long.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    })
    this.#thread.unref()
    this.#thread.on('error', warnOf)
  }

  /** From now on the file's counter grows. */
  add(path: string): void {
    this.#tell({ add: path })
  }

  remove(path: string): void {
    this.#tell({ remove: path })
  }

  #tell(order: BeatOrder): void {
    this.#thread.postMessage(order)
  }

  async close(): Promise<void> {
    await this.#thread.terminate()
  }
}

function warnOf({ message }: Error): void {
  const sentence = `The thread that tells others that this process lives has ended, and they may take its trials over: ${message}`
  process.emitWarning(sentence, { type: 'GradusWarning', code: 'GRADUS_NO_BEATS' })
}

// In place, without cutting the file: whoever reads finds a number, and a full disk takes it too.
const flags = constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0)

/** Writes a counter that is not smaller than the one before. */
export function writeBeat(path: string, count: number): void {
  // Opened anew each time: a server far away is told of what was written when the file is closed.
  const file = openSync(path, flags)
  try {
    writeSync(file, `${count}\n`, 0)
  } finally {
    closeSync(file)
  }
}

/** What stands in the file; null where nothing does. Only whether it has changed counts. */
export function readBeat(path: string): string | null {
  try {
    return readSmall(path, 64)
  } catch {
    return null
  }
}
