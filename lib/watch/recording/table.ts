/**
 * Rows of a table on disk. They are read without handing the work to other threads, which costs a running training
 * more than the reading itself.
 */
import { readSync } from 'node:fs'
import { Rows } from './files.js'

/** Bytes that are read at once; a multiple of nothing in particular. */
export const pieceSize = 1 << 20
/** All tables are read into the same memory: fresh pages cost more than what is read into them. */
let memory = new Uint8Array(0)

/** Rows `from` to `to` in pieces. What reads them copies what it needs before it lets others have their turn. */
export function* readRows(file: number, width: number, from: number, to: number): Generator<Rows> {
  const bytesEach = 4 * width
  const rowsAtOnce = Math.min(to - from, Math.max(1, Math.floor(pieceSize / bytesEach)))
  for (let row = from; row < to; ) {
    const asked = bytesEach * Math.min(rowsAtOnce, to - row)
    if (memory.length < asked) memory = new Uint8Array(Math.max(asked, 2 * memory.length))
    const count = Math.floor(readSync(file, memory, 0, asked, bytesEach * row) / bytesEach)
    if (count === 0) return
    yield new Rows(memory.buffer, width, 0, count * width)
    row += count
  }
}

/** The first cells of one row; whether it was there. */
export function readCells(file: number, cells: Rows, position: number): boolean {
  const { buffer, byteLength } = cells.values
  return readSync(file, new Uint8Array(buffer), 0, byteLength, position) === byteLength
}

/** The first row whose step is at least this one: steps never fall. */
export function firstRowFrom(file: number, width: number, rows: number, step: number): number {
  const cell = Rows.of(1, 1)
  let low = 0
  let high = rows
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    readCells(file, cell, 4 * width * middle)
    if (cell.steps[0]! < step) low = middle + 1
    else high = middle
  }
  return low
}
