/** IDX files, the format of MNIST (described by LeCun, Cortes and Burges at yann.lecun.com/exdb/mnist). */
import { badFile, type FileSource } from '../files.js'
import { optionsOf } from '../options.js'
import { product, type Table } from './column.js'
import { type ElementType, elementsOf } from './elements.js'
import { type ReadOptions, readBytes, readRules } from './file.js'

const readOptions = optionsOf<ReadOptions>()('readIdx', readRules)

/** By the third byte of the file. */
const elementTypes: Record<number, ElementType> = {
  8: { bytes: 1, Type: Uint8Array },
  9: { bytes: 1, Type: Int8Array },
  11: { bytes: 2, Type: Int16Array },
  12: { bytes: 4, Type: Int32Array },
  13: { bytes: 4, Type: Float32Array },
  14: { bytes: 8, Type: Float64Array },
}

/**
 * Reads an IDX file, plain or gzip-compressed, of any of its six element types.
 *
 * @returns the elements and their shape, (examples, …); bytes may be a view of the buffer that was given
 * @throws `GRADUS_BAD_FILE` says what is wrong with the file.
 */
export async function readIdx(file: FileSource, options?: ReadOptions): Promise<Table & { shape: number[] }> {
  const { maxBytes } = readOptions(options)
  const bytes = await readBytes(file, maxBytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 4) throw badFile(file, `an IDX file begins with 4 bytes, this one has ${bytes.length}`)
  if (view.getUint16(0) !== 0) throw badFile(file, 'not an IDX file: the first two bytes must be zero')
  const type = elementTypes[view.getUint8(2)]
  if (!type) throw badFile(file, `the IDX element type 0x${view.getUint8(2).toString(16).padStart(2, '0')} is unknown`)
  const rank = view.getUint8(3)
  const start = 4 + 4 * rank
  if (rank === 0) throw badFile(file, 'the IDX file has no dimensions')
  if (bytes.length < start) throw badFile(file, `the header of ${rank} dimensions is cut off`)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  const expected = product(shape) * type.bytes
  if (bytes.length - start !== expected) {
    throw badFile(file, `expected ${expected} bytes of data for the shape [${shape}], found ${bytes.length - start}`)
  }
  return { data: await elementsOf(bytes.subarray(start), type, false), shape }
}
