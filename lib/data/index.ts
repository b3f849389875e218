export type { FileSource } from '../files.js'
export type { ColumnData, NestedArray, NumberArray, Table } from './column.js'
export { type CsvOptions, readCsv } from './csv.js'
export type { CsvTable, CsvTargetTable } from './csv-table.js'
export { Dataset, dataset } from './dataset.js'
export type { Examples } from './examples.js'
export type { ReadOptions } from './file.js'
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
