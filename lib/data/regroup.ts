/** Pieces of a stream cut anew, so that batches and updates run across their ends as if all lay in memory. */
import type { NativeDataset } from '../native.js'
import { join, type Rows, rowsOf } from './join.js'

type Pieces = AsyncIterable<NativeDataset>

/**
 * The rows of the pieces in their order, in datasets of multiples of `rows` rows, all but the last. What can is a view of its
 * piece; only what lies across an end is copied. A dataset is valid until the next is asked for.
 */
export async function* regroup(pieces: Pieces, rows: number): AsyncGenerator<NativeDataset, void> {
  let rest: Rows[] = []
  let wanting = rows
  for await (const piece of pieces) {
    if (piece.size === 0) continue
    const head = rest.length > 0 ? Math.min(wanting, piece.size) : 0
    if (head > 0) {
      rest.push(rowsOf(piece, 0, head))
      wanting -= head
      if (wanting > 0) continue
      yield* joined(rest)
      rest = []
    }
    const whole = Math.floor((piece.size - head) / rows) * rows
    if (whole > 0) yield whole === piece.size ? piece : rowsOf(piece, head, whole).dataset
    const tail = piece.size - head - whole
    if (tail > 0) rest = [rowsOf(piece, head + whole, tail)]
    wanting = rows - tail
  }
  if (rest.length > 0) yield* joined(rest)
}

/** A dataset of pieces as they came, and how many they were. */
export interface Gathered {
  readonly dataset: NativeDataset
  readonly count: number
}

/** So many pieces at a time; maybe fewer at the end. */
export async function* gather(pieces: Pieces, most: number): AsyncGenerator<Gathered, void> {
  let parts: Rows[] = []
  for await (const piece of pieces) {
    if (piece.size === 0) continue
    parts.push(rowsOf(piece, 0, piece.size))
    if (parts.length < most) continue
    for await (const dataset of joined(parts)) yield { dataset, count: parts.length }
    parts = []
  }
  if (parts.length > 0) for await (const dataset of joined(parts)) yield { dataset, count: parts.length }
}

async function* joined(parts: readonly Rows[]): AsyncGenerator<NativeDataset, void> {
  if (parts.length === 1) return yield parts[0]!.dataset
  const dataset = await join(parts)
  try {
    yield dataset
  } finally {
    dataset.dispose()
  }
}
