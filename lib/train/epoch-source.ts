/** The rows of one epoch on their way into updates, and how far it is trained. */
import { viewOf } from '../data/dataset.js'
import { gather, regroup } from '../data/regroup.js'
import type { NativeDataset } from '../native.js'
import { defaultBatchSize } from './calls.js'
import type { Source } from './source.js'

/** How far an epoch is trained: rows in all; of a stream also whole pieces, and rows of the piece after them. */
export interface EpochPlace {
  readonly rows: number
  readonly pieces: number
  readonly row: number
}

export const epochBegin: EpochPlace = { rows: 0, pieces: 0, row: 0 }

/** Rows to train, and in what batches. */
export interface Batches {
  readonly dataset: NativeDataset
  /** The first of the dataset's rows that is not trained yet. */
  readonly firstRow: number
  readonly batchSize: number
}

/**
 * What the updates of one epoch are made of, from a place within it on. Batches and what is accumulated run across the ends of a
 * stream's pieces, as if all lay in memory. Without a batch size each piece of a stream is a batch; those that make up one
 * update are then of one size, the mean.
 */
export class EpochSource {
  readonly #source: Source
  readonly #epoch: number
  readonly #from: EpochPlace
  /** Where the pieces that were given and are not wholly trained end, counted in rows of the epoch. */
  readonly #ends: number[] = []
  /** Pieces wholly trained, and where they end. */
  #pieces: number
  #end: number

  /** @param epoch - from 1 */
  constructor(source: Source, epoch: number, from: EpochPlace) {
    this.#source = source
    this.#epoch = epoch
    this.#from = from
    this.#pieces = from.pieces
    this.#end = from.rows - from.row
  }

  async *batches(
    { batchSize, accumulate }: { batchSize?: number | undefined; accumulate: number },
    signal: AbortSignal,
  ): AsyncGenerator<Batches, void> {
    const size = batchSize ?? defaultBatchSize
    if (this.#source.rows !== null) {
      const firstRow = this.#from.rows
      for await (const dataset of this.#source.pieces()) yield { dataset, firstRow, batchSize: size }
    } else if (batchSize !== undefined) {
      const cut = regroup(this.#rest(signal), size * accumulate)
      for await (const dataset of cut) yield { dataset, firstRow: 0, batchSize: size }
    } else {
      for await (const { dataset, count } of gather(this.#rest(signal), accumulate)) {
        yield { dataset, firstRow: 0, batchSize: Math.ceil(dataset.size / count) }
      }
    }
  }

  /** Where the epoch stands when so many of its rows are trained; no fewer than when this was asked before. */
  placeAt(rows: number): EpochPlace {
    if (this.#source.rows !== null) return { rows, pieces: 0, row: 0 }
    while (this.#ends.length > 0 && this.#ends[0]! <= rows) {
      this.#end = this.#ends.shift()!
      this.#pieces++
    }
    return { rows, pieces: this.#pieces, row: rows - this.#end }
  }

  /** A stream's pieces, the first without its rows that are trained already. */
  async *#rest(signal: AbortSignal): AsyncGenerator<NativeDataset, void> {
    let { row } = this.#from
    let end = this.#end
    for await (const piece of this.#source.pieces({ epoch: this.#epoch, skip: this.#from.pieces, signal })) {
      end += piece.size
      this.#ends.push(end)
      if (row < piece.size) yield row > 0 ? viewOf(piece, row, piece.size - row) : piece
      row = Math.max(0, row - piece.size)
    }
  }
}
