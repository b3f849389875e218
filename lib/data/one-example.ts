import { type ColumnData, countNumbers, isTable, product } from './column.js'

/**
 * A column of inputs to predict from, as rows of this shape: what holds exactly one example, as `[1, 2, 3, 4]` for the shape
 * [4] or a picture for its own shape, is one row.
 */
export function asRows(data: ColumnData, shape: readonly number[]): ColumnData {
  const elements = product(shape)
  if (Array.isArray(data)) {
    const isRows = data.length === 0 || countNumbers(data[0], 'x[0]', elements) === elements
    return !isRows && countNumbers(data, 'x', elements) === elements ? [data] : data
  }
  if (!isTable(data) || !data.shape || product(data.shape.slice(1)) === elements) return data
  return product(data.shape) === elements ? { ...data, shape: [1, ...data.shape] } : data
}
