import { checkPositiveInteger, checkSeed } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { optionsOf } from '../options.js'
import { type Augmentation, checkAugment, nativeAugmentation } from './augment.js'
import { asTable, isColumn, type Table } from './column.js'
import { Dataset } from './dataset.js'
import type { Examples } from './examples.js'

export interface PreviewOptions {
  /** Rows of the data, by number. Default: the first eight, or as many as there are. */
  rows?: readonly number[] | undefined
  /** From 1. Default 1. */
  epoch?: number | undefined
  /** The model's. Default 0, as a model's. */
  seed?: number | undefined
}

const readOptions = optionsOf<PreviewOptions>()(
  'previewAugmentation',
  {
    rows: (argument, value) => checkRows(argument, value),
    epoch: [checkPositiveInteger, 1],
    seed: [checkSeed, 0],
  },
  ['data', 'augment'],
)

function checkRows(argument: string, value: unknown): readonly number[] {
  const areRows = Array.isArray(value) && value.every((row) => Number.isSafeInteger(row) && row >= 0)
  if (!areRows) throw invalidArgument(argument, 'an array of row numbers', value)
  return value
}

/**
 * Images as training has them in an epoch, bit for bit, for data that lie in memory: to be looked at.
 *
 * @param data examples whose `x` has the shape [rows, height, width, channels], or [rows, height, width] of one channel
 * @param augment the list as `fit` takes it
 * @returns (rows, height, width, channels), in the order asked for: numbers as the network sees them, bytes scaled as `x` says or
 * else by 1/255
 * @throws `GRADUS_INVALID_ARGUMENT` for what is no image, and what `fit` refuses as well
 * @example
 * const { data, shape } = await previewAugmentation(train, [randomCrop({ padding: 4 }), alternatingFlip()], { epoch: 2 })
 */
export async function previewAugmentation(
  data: Dataset | Examples,
  augment: readonly Augmentation[],
  options?: PreviewOptions,
): Promise<Table & { data: Float32Array; shape: number[] }> {
  const { rows, epoch, seed } = readOptions(options)
  const native = nativeAugmentation(checkAugment('augment', augment)) ?? { fill: 'zero', transforms: [] }
  const { x } = data instanceof Dataset ? data.examples : data
  const shape = imageShape(x)
  const dataset = new Dataset({ x }, { temporary: true })
  try {
    const inputs = [{ name: 'x', shape, kind: 'real' as const }]
    const resident = await dataset.resident({ dtype: 'float32', inputs, outputShape: [], targets: 'none' })
    const { size } = resident
    const wanted = rows ?? Array.from({ length: Math.min(8, size) }, (_, row) => row)
    const beyond = wanted.find((row) => row >= size)
    if (beyond !== undefined) throw invalidArgument('rows', `numbers below ${size}, the rows there are`, beyond)
    return {
      data: resident.augmented(native, seed, epoch - 1, Uint32Array.from(wanted)),
      shape: [wanted.length, ...shape],
    }
  } finally {
    dataset.dispose()
  }
}

function imageShape(x: Examples['x']): number[] {
  const shape = isColumn(x) && !Array.isArray(x) ? asTable('x', x).shape : undefined
  if (shape?.length === 4) return shape.slice(1)
  if (shape?.length === 3) return [...shape.slice(1), 1]
  const received = shape ? `the shape [${shape.join(', ')}]` : 'numbers without a shape'
  const message = `data.x: expected images with the shape [rows, height, width, channels], received ${received}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}
