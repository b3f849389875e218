/** NumPy's files: .npy through npyjs, .npz (a zip of them) through fflate; both are optional packages. */
import type { GradusError } from '../errors.js'
import { type NumberArray, product, type Table } from './column.js'
import { badFile, type FileSource, optionalPackage, readBytes } from './file.js'

type NumpyTable = Table & { shape: number[] }

/**
 * Reads a .npy file (NumPy's format 1.0 to 3.0) of real numbers or booleans; needs the package `npyjs`. Arrays in
 * Fortran order are turned to C order, float16 becomes float32, 64-bit integers int32 or, where they are larger, float64,
 * booleans 0 and 1.
 *
 * @throws `GRADUS_BAD_FILE` says what is wrong with the file, `GRADUS_MISSING_PACKAGE` how to install npyjs.
 */
export async function readNpy(file: FileSource): Promise<NumpyTable> {
  const { parse } = await optionalPackage('npyjs', 'readNpy', () => import('npyjs'))
  return decode(parse, await readBytes(file), (problem, cause) => badFile(file, problem, cause))
}

/**
 * Reads all arrays of a .npz file by their names; needs the packages `npyjs` and `fflate`.
 *
 * @throws as {@link readNpy}.
 */
export async function readNpz(file: FileSource): Promise<Record<string, NumpyTable>> {
  const { parse } = await optionalPackage('npyjs', 'readNpz', () => import('npyjs'))
  const { unzip } = await optionalPackage('fflate', 'readNpz', () => import('fflate'))
  const bytes = await readBytes(file)
  const entries = await new Promise<Record<string, Uint8Array>>((resolve, reject) => {
    try {
      unzip(bytes, { filter: ({ name }) => name.endsWith('.npy') }, (error, files) => {
        if (error) reject(badFile(file, `not a readable .npz file (${error.message})`, error))
        else resolve(files)
      })
    } catch (error) {
      reject(badFile(file, 'not a readable .npz file', error))
    }
  })
  const tables: Record<string, NumpyTable> = {}
  for (const [entry, content] of Object.entries(entries)) {
    tables[entry.slice(0, -4)] = decode(parse, content, (problem, cause) =>
      badFile(file, `${entry}: ${problem}`, cause),
    )
  }
  return tables
}

type Parse = typeof import('npyjs').parse
type Fail = (problem: string, cause?: unknown) => GradusError

function decode(parse: Parse, bytes: Uint8Array, fail: Fail): NumpyTable {
  let parsed: ReturnType<Parse>
  try {
    // npyjs views the buffer at the header's end, which NumPy aligns; a copy starts aligned too.
    parsed = parse(new Uint8Array(bytes).buffer)
  } catch (error) {
    throw fail(`not a readable .npy file (${(error as Error).message})`, error)
  }
  const { shape, dtype, fortranOrder } = parsed
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0))
    throw fail(`the shape (${shape}) is not one of whole numbers`)
  if (dtype.startsWith('c') || dtype.startsWith('U')) throw fail(`the dtype ${dtype} is not one of real numbers`)
  const data = toNumbers(parsed.data, fail)
  if (data.length !== product(shape)) {
    throw fail(`expected ${product(shape)} elements for the shape (${shape}), found ${data.length}`)
  }
  const ordered = fortranOrder && shape.length > 1 ? fromFortranOrder(data, shape) : data
  return { data: ordered, shape, ...(dtype === 'b1' && { scale: 1 }) }
}

function toNumbers(data: unknown, fail: Fail): NumberArray {
  if (Array.isArray(data)) return Uint8Array.from(data as boolean[], Number)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const numbers = Float64Array.from(data as BigInt64Array, Number)
    const bad = numbers.findIndex((value) => !Number.isSafeInteger(value))
    if (bad >= 0) throw fail(`element ${bad}, ${data[bad]}, is beyond what a number holds exactly`)
    return numbers.every((value) => value === (value | 0)) ? Int32Array.from(numbers) : numbers
  }
  return data as NumberArray
}

/** From first index fastest to last index fastest. */
function fromFortranOrder(data: NumberArray, shape: number[]): NumberArray {
  const out = data.slice()
  const strides = shape.map((_, axis) => product(shape.slice(0, axis)))
  const index = shape.map(() => 0)
  for (let i = 0, from = 0; i < data.length; i++) {
    out[i] = data[from] as number
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] as number
      from += stride
      if (++(index[axis] as number) < (shape[axis] as number)) break
      from -= stride * (shape[axis] as number)
      index[axis] = 0
    }
  }
  return out
}
