/** IDX files, the format of MNIST (described by LeCun, Cortes and Burges at yann.lecun.com/exdb/mnist). */
import { setImmediate as nextTick } from 'node:timers/promises'
import type { NumberArray, Table } from './column.js'
import { product } from './column.js'
import { badFile, type FileSource, readBytes } from './file.js'

type ElementType = { bytes: number; Type: new (buffer: ArrayBuffer, offset: number, length: number) => NumberArray }

/** By the third byte of the file. */
const elementTypes: Record<number, ElementType> = {
  8: { bytes: 1, Type: Uint8Array },
  9: { bytes: 1, Type: Int8Array },
  11: { bytes: 2, Type: Int16Array },
  12: { bytes: 4, Type: Int32Array },
  13: { bytes: 4, Type: Float32Array },
  14: { bytes: 8, Type: Float64Array },
}

/** Bytes turned around in one go. */
const sliceBytes = 1 << 20

/**
 * Reads an IDX file, plain or gzip-compressed, of any of its six element types.
 *
 * @returns the elements and their shape: (examples, …)
 * @throws `GRADUS_BAD_FILE` says what is wrong with the file.
 */
export async function readIdx(file: FileSource): Promise<Table & { shape: number[] }> {
  const bytes = await readBytes(file)
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
  return { data: await nativeOrder(bytes.subarray(start), type), shape }
}

/** The elements, from the file's big-endian order to this machine's. */
async function nativeOrder(bytes: Uint8Array, { bytes: width, Type }: ElementType): Promise<NumberArray> {
  if (width === 1) return new Type(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)
  const copy = Buffer.alloc(bytes.length)
  for (let first = 0; first < bytes.length; first += sliceBytes) {
    if (first > 0) await nextTick()
    const slice = copy.subarray(first, Math.min(first + sliceBytes, bytes.length))
    slice.set(bytes.subarray(first, first + slice.length))
    if (littleEndian) swap(slice, width)
  }
  return new Type(copy.buffer, copy.byteOffset, bytes.length / width)
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function swap(slice: Buffer, width: number): void {
  if (width === 2) slice.swap16()
  else if (width === 4) slice.swap32()
  else slice.swap64()
}
