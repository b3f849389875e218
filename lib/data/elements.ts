/** Numbers from the bytes of a file: their order turned to this machine's, odd types made into ordinary ones. */
import type { NumberArray } from './column.js'
import { inSlices, sliceBytes, sliceNumbers } from './slices.js'

export type ElementType = {
  bytes: number
  Type: new (buffer: ArrayBuffer, offset: number, length: number) => NumberArray
}

/** A view of the bytes where they lie aligned and in this machine's order, else a copy. */
export async function elementsOf(
  bytes: Uint8Array,
  { bytes: width, Type }: ElementType,
  isLittle: boolean,
): Promise<NumberArray> {
  const inOrder = width === 1 || isLittle === littleEndian
  const view = inOrder && bytes.byteOffset % width === 0 ? bytes : await copyOf(bytes, inOrder ? 1 : width)
  return new Type(view.buffer as ArrayBuffer, view.byteOffset, view.length / width)
}

/** A copy whose words of `width` bytes are turned around; 1: as they are. */
async function copyOf(bytes: Uint8Array, width: number): Promise<Uint8Array> {
  const copy = Buffer.alloc(bytes.length)
  await inSlices(bytes.length, sliceBytes, (first, end) => {
    const slice = copy.subarray(first, end)
    slice.set(bytes.subarray(first, end))
    if (width === 2) slice.swap16()
    else if (width === 4) slice.swap32()
    else if (width === 8) slice.swap64()
  })
  return copy
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Numbers of IEEE half precision, 16 bits each. */
export async function fromHalves(halves: Uint16Array): Promise<Float32Array> {
  const numbers = new Float32Array(halves.length)
  await inSlices(halves.length, sliceNumbers, (first, end) => {
    for (let i = first; i < end; i++) numbers[i] = fromHalf(halves[i] as number)
  })
  return numbers
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/**
 * 64-bit integers as int32 where all fit, else as float64.
 * @param onInexact is told the first one beyond ±(2⁵³ − 1), and throws.
 */
export async function fromLongs(
  longs: BigInt64Array | BigUint64Array,
  onInexact: (index: number, value: bigint) => never,
): Promise<Int32Array | Float64Array> {
  const numbers = new Float64Array(longs.length)
  let areSmall = true
  await inSlices(longs.length, sliceNumbers, (first, end) => {
    for (let i = first; i < end; i++) {
      const number = Number(longs[i])
      if (!Number.isSafeInteger(number)) onInexact(i, longs[i] as bigint)
      if (number !== (number | 0)) areSmall = false
      numbers[i] = number
    }
  })
  if (!areSmall) return numbers
  const small = new Int32Array(numbers.length)
  await inSlices(small.length, sliceBytes, (first, end) => small.set(numbers.subarray(first, end), first))
  return small
}

/** From first index fastest (Fortran's order) to last index fastest. */
export async function fromFortranOrder(data: NumberArray, shape: readonly number[]): Promise<NumberArray> {
  const out = data.slice()
  let stride = 1
  const strides = shape.map((dimension) => {
    const own = stride
    stride *= dimension
    return own
  })
  const index = shape.map(() => 0)
  let from = 0
  await inSlices(data.length, sliceNumbers, (first, end) => {
    for (let i = first; i < end; i++) {
      out[i] = data[from] as number
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const step = strides[axis] as number
        from += step
        if (++(index[axis] as number) < (shape[axis] as number)) break
        from -= step * (shape[axis] as number)
        index[axis] = 0
      }
    }
  })
  return out
}
