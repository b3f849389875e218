import { checkOptions } from '../checks.js'
import type { FloatArray } from '../native.js'
import { call } from './call.js'

export interface TableOptions {
  /** From 1 up. */
  columns: number
  /** Rows of the table. */
  tableRows: number
}

/**
 * y[i] = table[rows[i]]: an embedding.
 *
 * @param table (tableRows, columns)
 * @param rows n numbers from 0 to tableRows − 1
 * @param y (n, columns), written
 */
export function gatherRows<A extends FloatArray>(table: A, rows: Int32Array, y: A, options: TableOptions): A {
  checkOptions('gatherRows', options, ['columns', 'tableRows'])
  call.gather_rows!(rows?.length, options.columns, options.tableRows, table, rows, y)
  return y
}

/**
 * table[rows[i]] += dy[i]: an embedding's gradient. What 64 positions have for the same row is summed first, in order.
 *
 * @param dy (n, columns)
 * @param rows n numbers from 0 to tableRows − 1
 * @param table (tableRows, columns), added into
 */
export function scatterAddRows<A extends FloatArray>(dy: A, rows: Int32Array, table: A, options: TableOptions): A {
  checkOptions('scatterAddRows', options, ['columns', 'tableRows'])
  call.scatter_add_rows!(rows?.length, options.columns, options.tableRows, dy, rows, table)
  return table
}

/** y = x · scale + offset; default scale 1/255, so that bytes become numbers from 0 to 1, and offset 0. */
export function convertBytes<A extends FloatArray>(
  x: Uint8Array,
  y: A,
  options: { scale?: number | undefined; offset?: number | undefined } = {},
): A {
  checkOptions('convertBytes', options, ['scale', 'offset'])
  call.convert_bytes!(options.scale ?? 1 / 255, options.offset ?? 0, x, y)
  return y
}
