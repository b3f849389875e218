/** Data that does not fit in memory: iterables of pieces, each loaded while the one before it is at work. */
import { invalidArgument } from '../errors.js'
import type { NativeDataset } from '../native.js'
import type { Conventions } from './conventions.js'
import { Dataset, type Requirements } from './dataset.js'
import type { Examples } from './examples.js'

type Iterated = AsyncIterable<Examples> | Iterable<Examples>

/**
 * Pieces of data one after the other, each with any number of examples. A function is called for each epoch and returns
 * a new iterable (an async generator function will do); an iterable is iterated anew each epoch, so a generator object
 * lasts for one epoch only.
 */
export type Stream = Iterated | (() => Iterated)

/** What `fit` and `evaluate` take. */
export type Data = Dataset | Examples | Stream

export function isStream(data: unknown): data is Stream {
  if (typeof data === 'function') return true
  if (typeof data !== 'object' || data === null || data instanceof Dataset) return false
  return Symbol.asyncIterator in data || Symbol.iterator in data
}

/** The pieces in native memory, one ahead of the one in use; each is given back when the next is asked for. */
export async function* loadAhead(stream: Stream, requirements: Requirements): AsyncGenerator<NativeDataset> {
  const iterator = iterate(typeof stream === 'function' ? stream() : stream)
  const pieces = new Pieces(iterator, requirements)
  let piece: NativeDataset | null = null
  let next = pieces.next()
  let isDone = false
  try {
    for (piece = await next; piece; piece = await next) {
      next = pieces.next()
      next.catch(() => {}) // thrown when it is awaited; not before, and not when the run ends first
      yield piece
      piece.dispose()
    }
    isDone = true
  } finally {
    // Left early, by the run or by a bad piece: nothing stays behind.
    if (!isDone) {
      piece?.dispose()
      const unused = await next.catch(() => null)
      unused?.dispose()
      await iterator.return?.()
    }
  }
}

type AnyIterator = AsyncIterator<Examples> | Iterator<Examples>

function iterate(iterable: Iterated): AnyIterator {
  return Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]()
}

/** One piece of a stream after the other, all with the classes of the model or else of the first piece. */
class Pieces {
  readonly #iterator: AnyIterator
  readonly #requirements: Requirements
  readonly #conventions: Conventions

  constructor(iterator: AnyIterator, requirements: Requirements) {
    this.#iterator = iterator
    this.#conventions = requirements.conventions ?? {}
    this.#requirements = { ...requirements, conventions: this.#conventions }
  }

  async next(): Promise<NativeDataset | null> {
    const item = await this.#iterator.next()
    if (item.done) return null
    const dataset = new Dataset(item.value)
    if (dataset.classes && !this.#conventions.classes && !item.value.classes) {
      throw invalidArgument('classes', 'the names of all classes, with each piece of a stream', undefined)
    }
    return await dataset.resident(this.#requirements)
  }
}
