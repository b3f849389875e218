/** NumPy's files: .npy (numpy.lib.format, versions 1.0 to 3.0) and .npz, a zip archive of them. */
import type { GradusError } from '../errors.js'
import { badFile, type FileSource } from '../files.js'
import { optionsOf } from '../options.js'
import { type NumberArray, product, type Table } from './column.js'
import { type ElementType, elementsOf, fromFortranOrder, fromHalves, fromLongs } from './elements.js'
import { type ReadOptions, readBytes, readRules } from './file.js'
import { inSlices, sliceNumbers } from './slices.js'
import { unzip } from './zip.js'

const readNpyOptions = optionsOf<ReadOptions>()('readNpy', readRules)
const readNpzOptions = optionsOf<ReadOptions>()('readNpz', readRules)

type NumpyTable = Table & { shape: number[] }

/**
 * Reads a .npy file of real numbers or booleans, plain or gzip-compressed. Arrays in Fortran order are turned to C
 * order, big-endian numbers to this machine's order; float16 becomes float32, 64-bit integers int32 or, where they are
 * larger, float64, booleans 0 and 1.
 *
 * @returns the elements and their shape; the elements may be a view of the buffer that was given
 * @throws `GRADUS_BAD_FILE` says what is wrong with the file.
 */
export async function readNpy(file: FileSource, options?: ReadOptions): Promise<NumpyTable> {
  const { maxBytes } = readNpyOptions(options)
  const bytes = await readBytes(file, maxBytes)
  return await decode(bytes, (problem, cause) => badFile(file, problem, cause))
}

/**
 * Reads all arrays of a .npz file, stored or compressed, by their names.
 *
 * @returns a record without a prototype: nothing is in it but the arrays
 * @throws as {@link readNpy}; also when an array's checksum is wrong, or all of them together exceed `maxBytes`.
 */
export async function readNpz(file: FileSource, options?: ReadOptions): Promise<Record<string, NumpyTable>> {
  const { maxBytes: limit } = readNpzOptions(options)
  const bytes = await readBytes(file, limit)
  const tables: Record<string, NumpyTable> = Object.create(null)
  for await (const [entry, content] of unzip(file, bytes, '.npy', limit)) {
    const name = entry.slice(0, -'.npy'.length)
    tables[name] = await decode(content, (problem, cause) => badFile(file, `${entry}: ${problem}`, cause))
  }
  return tables
}

type Fail = (problem: string, cause?: unknown) => GradusError

type Decode = (elements: unknown, fail: Fail) => NumberArray | Promise<NumberArray>

const asTheyAre: Decode = (elements) => elements as NumberArray

/** By kind and size of `descr`: `<f4` is a little-endian float of 4 bytes. */
const elementTypes: Record<string, ElementType & { decode: Decode }> = {
  b1: { bytes: 1, Type: Uint8Array, decode: (bytes) => zerosAndOnes(bytes as Uint8Array) },
  i1: { bytes: 1, Type: Int8Array, decode: asTheyAre },
  u1: { bytes: 1, Type: Uint8Array, decode: asTheyAre },
  i2: { bytes: 2, Type: Int16Array, decode: asTheyAre },
  u2: { bytes: 2, Type: Uint16Array, decode: asTheyAre },
  i4: { bytes: 4, Type: Int32Array, decode: asTheyAre },
  u4: { bytes: 4, Type: Uint32Array, decode: asTheyAre },
  i8: { bytes: 8, Type: longs(BigInt64Array), decode: longNumbers },
  u8: { bytes: 8, Type: longs(BigUint64Array), decode: longNumbers },
  f2: { bytes: 2, Type: Uint16Array, decode: (halves) => fromHalves(halves as Uint16Array) },
  f4: { bytes: 4, Type: Float32Array, decode: asTheyAre },
  f8: { bytes: 8, Type: Float64Array, decode: asTheyAre },
}

async function decode(bytes: Uint8Array, fail: Fail): Promise<NumpyTable> {
  const { descr, isFortran, shape, start } = readHeader(bytes, fail)
  const dtype = descr.slice(1)
  const type = Object.hasOwn(elementTypes, dtype) ? elementTypes[dtype] : undefined
  if (!type || !'<>|='.includes(descr.charAt(0))) throw fail(`the dtype ${descr} is not one of real numbers`)
  const expected = product(shape)
  const found = (bytes.length - start) / type.bytes
  if (found !== expected) throw fail(`expected ${expected} elements for the shape (${shape}), found ${found}`)
  const elements = await elementsOf(bytes.subarray(start), type, descr.charAt(0) !== '>')
  const data = await type.decode(elements, fail)
  const ordered = isFortran && shape.length > 1 ? await fromFortranOrder(data, shape) : data
  return { data: ordered, shape, ...(dtype === 'b1' && { scale: 1 }) }
}

/** What stands before the elements: a Python dictionary as text, its length before it. */
function readHeader(bytes: Uint8Array, fail: Fail) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = Buffer.from(bytes.subarray(0, 6)).toString('latin1')
  if (bytes.length < 12 || magic !== '\x93NUMPY') throw fail('not a readable .npy file: its first bytes are others')
  const version = view.getUint8(6)
  if (version < 1 || version > 3) throw fail(`not a readable .npy file: its format ${version} is unknown`)
  const at = version === 1 ? 10 : 12
  const start = at + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (start > bytes.length) throw fail('not a readable .npy file: its header is cut off')
  if (start - at > longestHeader) throw fail(`not a readable .npy file: a header of ${start - at} bytes`)
  const text = Buffer.from(bytes.subarray(at, start)).toString('latin1')
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1]
  const isFortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1]
  const sizes = /'shape'\s*:\s*\(([^()]*)\)/.exec(text)?.[1]
  if (/'descr'\s*:\s*\[/.test(text)) throw fail('the dtype has fields; it must be one of real numbers')
  if (descr === undefined || isFortran === undefined || sizes === undefined) {
    throw fail('not a readable .npy file: dtype, order or shape is missing in its header')
  }
  const shape = sizes
    .split(',')
    .map((size) => size.trim())
    .filter((size, i, all) => size !== '' || i < all.length - 1)
    .map((size) => (/^\d+L?$/.test(size) ? Number.parseInt(size, 10) : Number.NaN))
  if (!shape.every(Number.isSafeInteger)) throw fail(`the shape (${sizes}) is not one of whole numbers`)
  return { descr, isFortran: isFortran === 'True', shape, start }
}

/** NumPy's own limit is 10,000 characters. */
const longestHeader = 1 << 16

/** The type as if its elements were numbers; `decode` makes them so. */
function longs(Type: typeof BigInt64Array | typeof BigUint64Array) {
  return Type as unknown as ElementType['Type']
}

function longNumbers(elements: unknown, fail: Fail): Promise<NumberArray> {
  return fromLongs(elements as BigInt64Array, (index, value) => {
    throw fail(`element ${index}, ${value}, is beyond what a number holds exactly`)
  })
}

async function zerosAndOnes(bytes: Uint8Array): Promise<Uint8Array> {
  const out = new Uint8Array(bytes.length)
  await inSlices(bytes.length, sliceNumbers, (first, end) => {
    for (let i = first; i < end; i++) out[i] = bytes[i] === 0 ? 0 : 1
  })
  return out
}
