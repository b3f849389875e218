/** Data that does not fit in memory: iterables of pieces, each loaded while the one before it is at work. */
import type { NativeDataset } from '../native.js'
import { Dataset, type Examples, type Requirements } from './dataset.js'

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
  let piece: NativeDataset | null = null
  let next = loadNext(iterator, requirements)
  try {
    for (piece = await next; piece; piece = await next) {
      next = loadNext(iterator, requirements)
      next.catch(() => {}) // thrown when it is awaited; not before, and not when the run ends first
      yield piece
      piece.dispose()
    }
  } finally {
    // Left early, by the run or by an error in the stream: nothing stays behind.
    if (piece) {
      piece.dispose()
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

async function loadNext(iterator: AnyIterator, requirements: Requirements): Promise<NativeDataset | null> {
  const item = await iterator.next()
  return item.done ? null : await new Dataset(item.value).resident(requirements)
}
