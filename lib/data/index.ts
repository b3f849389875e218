export type { FileSource } from '../files.js'
export {
  type Augmentation,
  alternatingFlip,
  type ColorJitterOptions,
  colorJitter,
  cutmix,
  cutout,
  type Fill,
  type MixOptions,
  mixup,
  type RandomAffineOptions,
  type RandomCropOptions,
  type RandomFlipOptions,
  randomAffine,
  randomCrop,
  randomFlip,
} from './augment.js'
export { toChannelsLast } from './channels.js'
export { type Cifar10, readCifar10 } from './cifar.js'
export type { ByteScale, ColumnData, NestedArray, NumberArray, Table } from './column.js'
export { type CsvOptions, readCsv } from './csv.js'
export type { CsvTable, CsvTargetTable } from './csv-table.js'
export { Dataset, dataset } from './dataset.js'
export type { Examples } from './examples.js'
export type { ReadOptions } from './file.js'
export { readIdx } from './idx.js'
export { type ImagesOptions, readImages } from './images.js'
export { readNpy, readNpz } from './npy.js'
export type { Groups } from './partition.js'
export { argmax, oneHot } from './prepare.js'
export { type PreviewOptions, previewAugmentation } from './preview.js'
export { type SplitOptions, shuffle, split } from './split.js'
export {
  type Standardization,
  type Standardized,
  type StandardizeOptions,
  standardization,
  standardize,
} from './standardize.js'
export type { ChannelStandardization } from './standardize-channels.js'
export type { Data, Stream, StreamPlace } from './stream.js'
export { type WindowOptions, type Windows, window } from './window.js'
