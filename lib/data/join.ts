/** Datasets joined to one. */
import { setImmediate as nextTick } from 'node:timers/promises'
import { GradusError } from '../errors.js'
import { type FloatArray, type NativeColumn, type NativeDataset, native, type TypedArray } from '../native.js'
import { type LoadedColumn, loadedColumns, viewOf } from './dataset.js'

/** Numbers copied in one go, less than a millisecond of work. */
const slice = 1 << 16

/** Some rows of a dataset, and what their columns are. */
export interface Rows {
  readonly dataset: NativeDataset
  readonly columns: readonly LoadedColumn[]
}

export const rowsOf = (dataset: NativeDataset, first: number, count: number): Rows => ({
  dataset: viewOf(dataset, first, count),
  columns: loadedColumns(dataset),
})

/** All rows of all parts, in their order, in memory of their own. */
export async function join(parts: readonly Rows[]): Promise<NativeDataset> {
  const columns = commonColumns(parts)
  const rows = parts.reduce((sum, { dataset }) => sum + dataset.size, 0)
  const of = (role: LoadedColumn['role']) =>
    columns.filter((column) => column.role === role).map(({ native }) => native)
  const joined = new native.Dataset(rows, of('input'), of('target')[0] ?? null, of('weight')[0] ?? null, true)
  for (const column of columns) {
    let first = 0
    for (const part of parts) first = await copy(part, column, joined, first)
  }
  return joined
}

/** Bytes with one meaning stay bytes; else numbers are what the model sees. Weights are there when a part has some. */
function commonColumns(parts: readonly Rows[]): LoadedColumn[] {
  const all = parts.flatMap(({ columns }) => columns)
  const first = parts[0]!.columns
  const weight = all.find(({ role }) => role === 'weight')
  const columns = !weight || first.some(({ role }) => role === 'weight') ? first : [...first, weight]
  return columns.map((column) =>
    common(
      column,
      all.filter((other) => isSame(column, other)).map(({ native }) => native),
    ),
  )
}

const isSame = (a: LoadedColumn, b: LoadedColumn) => a.role === b.role && a.index === b.index

function common(column: LoadedColumn, same: readonly NativeColumn[]): LoadedColumn {
  const types = new Set(same.map(({ type }) => type))
  if (types.has('int32') && types.size > 1) {
    const message = 'y: expected class numbers in all pieces of a stream or in none, received both'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  if (new Set(same.map((one) => JSON.stringify(meaningOf(one)))).size === 1) return column
  const { name, shape } = column.native
  return { ...column, native: { name, shape, type: types.has('float64') ? 'float64' : 'float32' } }
}

const meaningOf = ({ type, scale, offset }: NativeColumn) => [type, scale, offset]

/** Writes the part's rows from row `first` on; returns where they end. */
async function copy(part: Rows, column: LoadedColumn, joined: NativeDataset, first: number): Promise<number> {
  const { dataset } = part
  const { role, index, native } = column
  const elements = native.shape.reduce((size, dimension) => size * dimension, 1)
  const rows = Math.max(1, Math.floor(slice / Math.max(1, elements)))
  const isThere = part.columns.some((other) => isSame(column, other))
  for (let row = 0; row < dataset.size; row += rows) {
    const count = Math.min(rows, dataset.size - row)
    const values = isThere ? dataset.read(role, index, row, count) : new Float64Array(count).fill(1)
    joined.write(role, index, (first + row) * elements, converted(values, native))
    await nextTick()
  }
  return first + dataset.size
}

const types = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const

/** Bytes come back from the numbers that they stand for. */
function converted(values: FloatArray | Int32Array, { type, scale = 1, offset = 0 }: NativeColumn): TypedArray {
  if (type === 'uint8') {
    const own = (of: number | Float64Array, i: number) => (typeof of === 'number' ? of : of[i % of.length]!)
    return Uint8Array.from(values, (v, i) => Math.round((v - own(offset, i)) / (own(scale, i) || 1)))
  }
  const Type = types[type]
  return values instanceof Type ? values : new Type(values)
}
