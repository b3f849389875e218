/** Data that does not fit in memory: iterables of pieces, each loaded while the one before it is at work. */
import { GradusError, invalidArgument } from '../errors.js'
import type { NativeDataset } from '../native.js'
import { settlesWithin, unlessAborted } from '../signals.js'
import type { Conventions } from './conventions.js'
import { Dataset } from './dataset.js'
import type { Examples } from './examples.js'
import type { Requirements } from './plans.js'

type Iterated = AsyncIterable<Examples> | Iterable<Examples>

/** Which pieces of data are wanted of a function that makes them. */
export interface StreamPlace {
  /** The epoch, from 1; 0 where there are none, as in `evaluate`. */
  readonly epoch: number
  /**
   * Pieces of that epoch that are done already, when a run goes on within it. A function that looks at this gives those after
   * them; of one that does not, so many are taken and left unread.
   */
  readonly skip: number
}

/**
 * Pieces of data one after the other, each with any number of examples. A function is called for each epoch and returns
 * a new iterable (an async generator function will do); an iterable is iterated anew each epoch, so a generator object
 * lasts for one epoch only.
 */
export type Stream = Iterated | ((place: StreamPlace) => Iterated)

/** What `fit` and `evaluate` take. */
export type Data = Dataset | Examples | Stream

export function isStream(data: unknown): data is Stream {
  if (typeof data === 'function') return true
  if (typeof data !== 'object' || data === null || data instanceof Dataset || ArrayBuffer.isView(data)) return false
  return Symbol.asyncIterator in data || Symbol.iterator in data
}

/** Milliseconds that a stream which is told to end may take for it before others go on without it. */
const graceToEnd = 50

/**
 * The pieces in native memory, one ahead of the one in use; each is given back when the next is asked for. A stream that is
 * left is closed; what it then throws is thrown here.
 * @throws the signal's reason when it fires, also while the stream hangs
 */
export async function* loadAhead(
  stream: Stream,
  requirements: Requirements,
  { epoch = 0, skip = 0, signal }: Partial<StreamPlace> & { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<NativeDataset, void> {
  const argument = requirements.argument ?? 'data'
  if (Array.isArray(stream) && !isExamples(stream[0])) throw invalidArgument(argument, 'examples as { x, y }', stream)
  const loader = new Loader(begin(stream, { epoch, skip }, argument), requirements)
  let piece: NativeDataset | null = null
  let hasFailed = false
  try {
    loader.ask()
    for (;;) {
      piece = await unlessAborted(loader.next, signal)
      if (!piece) break
      loader.ask()
      yield piece
      piece.dispose()
    }
  } catch (error) {
    hasFailed = !signal?.aborted
    throw error
  } finally {
    piece?.dispose()
    // The error on its way counts, not what closing adds to it.
    await (hasFailed ? loader.close().catch(() => {}) : loader.close())
  }
}

/** The pieces as they are, one after the other, for who does not put them into native memory at once. */
export async function* piecesOf(
  stream: Stream,
  { epoch = 0, skip = 0, argument = 'data' }: Partial<StreamPlace> & { readonly argument?: string } = {},
): AsyncGenerator<Examples, void> {
  if (Array.isArray(stream) && !isExamples(stream[0])) throw invalidArgument(argument, 'examples as { x, y }', stream)
  const iterator = begin(stream, { epoch, skip }, argument)
  let hasEnded = false
  try {
    for (;;) {
      const item = await iterator.next()
      hasEnded = item.done === true
      if (item.done) return
      yield item.value
    }
  } finally {
    if (!hasEnded) await iterator.return?.()
  }
}

const isExamples = (piece: unknown): boolean => typeof piece === 'object' && piece !== null && 'x' in piece

function called(stream: (place: StreamPlace) => Iterated, place: StreamPlace, argument: string): Iterated {
  if (!/^class\b/.test(Function.prototype.toString.call(stream))) return stream(place)
  const expected = 'an iterable of { x, y } or a function that gives one'
  const message = `${argument}: expected ${expected}, received the class ${stream.name}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

type AnyIterator = AsyncIterator<Examples> | Iterator<Examples>

/** From the first piece that is not done yet. */
function begin(stream: Stream, { epoch, skip }: StreamPlace, argument: string): AnyIterator {
  if (typeof stream !== 'function') return skipping(iterate(stream, argument), () => skip)
  let hasLooked = false
  const place = {
    epoch,
    get skip() {
      hasLooked = true
      return skip
    },
  }
  return skipping(iterate(called(stream, place, argument), argument), () => (hasLooked ? 0 : skip))
}

/** Leaves out the first so many, a number that is asked for when the first is there: a generator begins to work only then. */
function skipping(iterator: AnyIterator, skip: () => number): AnyIterator {
  let isFirst = true
  return {
    async next() {
      let item = await iterator.next()
      if (isFirst) for (let left = skip(); left > 0 && !item?.done; left--) item = await iterator.next()
      isFirst = false
      return item
    },
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
  }
}

function iterate(iterable: Iterated, argument: string): AnyIterator {
  const make = iterable?.[Symbol.asyncIterator as never] ?? iterable?.[Symbol.iterator as never]
  if (typeof make !== 'function') throw invalidArgument(argument, 'an iterable of { x, y }', iterable)
  const iterator = (make as () => unknown).call(iterable) as AnyIterator | null
  if (typeof iterator?.next !== 'function') throw invalidArgument(argument, 'an iterator with next()', iterator)
  return iterator
}

/** One piece of a stream after the other, all with the classes of the model or else of the first piece, and the stream's end. */
class Loader {
  readonly #iterator: AnyIterator
  readonly #requirements: Requirements
  readonly #conventions: Conventions
  readonly #argument: string
  /** By itself: there is nothing to close. */
  #hasEnded = false
  next: Promise<NativeDataset | null> = Promise.resolve(null)

  constructor(iterator: AnyIterator, requirements: Requirements) {
    this.#iterator = iterator
    this.#conventions = requirements.conventions ?? {}
    this.#requirements = { ...requirements, conventions: this.#conventions }
    this.#argument = requirements.argument ?? 'data'
  }

  /** `next` is the next piece, or null at the end. */
  ask(): void {
    this.next = this.#load()
    this.next.catch(() => {}) // thrown to whoever awaits it
  }

  async #load(): Promise<NativeDataset | null> {
    const item = await this.#item()
    if (item === null) return null
    const examples = item.value
    const dataset = new Dataset(examples, { argument: this.#argument })
    if (dataset.classes && !this.#conventions.classes && !examples.classes) {
      const argument = this.#requirements.argument ? `${this.#argument}.classes` : 'classes'
      throw invalidArgument(argument, 'the names of all classes, with each piece of a stream', undefined)
    }
    return await dataset.resident(this.#requirements)
  }

  /** Null at the end. */
  async #item(): Promise<{ value: Examples } | null> {
    try {
      const item = await this.#iterator.next()
      if (typeof item !== 'object' || item === null) {
        throw invalidArgument(this.#argument, 'an iterator that gives { done, value }', item)
      }
      if (!item.done) return item
    } catch (error) {
      this.#hasEnded = true
      throw error
    }
    this.#hasEnded = true
    return null
  }

  /** Tells the stream that no more is wanted, and waits a moment for its end: one that hangs must not hold up the rest. */
  async close(): Promise<void> {
    const closing = Promise.all([this.#discard(), this.#return()])
    closing.catch(() => {})
    if (await settlesWithin(graceToEnd, closing)) return
    closing.catch((error) => {
      const message = `A stream of data failed after it was no longer needed: ${error}`
      process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_STREAM_FAILED' })
    })
  }

  async #discard(): Promise<void> {
    const unused = await this.next
    unused?.dispose()
  }

  async #return(): Promise<void> {
    if (!this.#hasEnded) await this.#iterator.return?.()
  }
}
