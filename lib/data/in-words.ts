/** Examples in a line: their columns, not their numbers. */
import { type ColumnData, isColumn, type NumberArray, type Table } from './column.js'
import type { NumberedExamples } from './examples.js'

/** `x: Uint8Array [60000, 28, 28], y: Uint8Array [60000]`. */
export function inWords({ x, y, sampleWeights }: NumberedExamples): string {
  const inputs = isColumn(x)
    ? [['x', x] as const]
    : Object.entries(x).map(([name, data]) => [`x.${name}`, data as ColumnData] as const)
  const columns = [...inputs, ['y', y] as const, ['sampleWeights', sampleWeights] as const]
  return columns.flatMap(([name, data]) => (data === undefined ? [] : `${name}: ${columnInWords(data)}`)).join(', ')
}

/** Of arrays in arrays, which may hold themselves. */
const deepest = 64

/** Of a column as it was given. */
function columnInWords(data: ColumnData): string {
  if (Array.isArray(data)) {
    const shape: number[] = []
    for (let at: unknown = data; Array.isArray(at) || ArrayBuffer.isView(at); at = (at as { 0?: unknown })[0]) {
      if (shape.push((at as { length: number }).length) === deepest) break
    }
    return `array [${shape.join(', ')}]`
  }
  const table = data as Table | NumberArray
  const values = 'data' in table ? table.data : table
  const shape = 'data' in table && table.shape ? table.shape : [values.length]
  return `${values.constructor.name} [${shape.join(', ')}]`
}
