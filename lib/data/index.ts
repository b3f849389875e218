export type { ColumnData, NestedArray, NumberArray, Table } from './column.js'
export { type CsvOptions, type CsvTable, readCsv } from './csv.js'
export { Dataset, dataset } from './dataset.js'
export type { Examples } from './examples.js'
export type { FileSource } from './file.js'
export { readIdx } from './idx.js'
export { readNpy, readNpz } from './npy.js'
export {
  argmax,
  oneHot,
  type Standardization,
  type StandardizeOptions,
  standardization,
  standardize,
} from './prepare.js'
export { type SplitOptions, shuffle, split } from './split.js'
export type { Data, Stream } from './stream.js'
