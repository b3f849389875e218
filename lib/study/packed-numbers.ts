/** Numbers as base64 of their bytes, little-endian float64: all there are, exactly, in a fraction of the time that digits take. */

const bytesEach = Float64Array.BYTES_PER_ELEMENT
/** Ten thousand texts are read in a row: none has memory of its own. */
let scratch = new Float64Array(1 << 10)
let bytes = Buffer.from(scratch.buffer)

export const packNumbers = (values: readonly number[]): string =>
  Buffer.from(Float64Array.from(values).buffer).toString('base64')

/** @throws SyntaxError for what is none of such texts */
export function unpackNumbers(text: string): number[] {
  const count = Buffer.byteLength(text, 'base64') / bytesEach
  if (!Number.isInteger(count)) throw new SyntaxError('they are no numbers')
  if (scratch.length < count) {
    scratch = new Float64Array(2 * count)
    bytes = Buffer.from(scratch.buffer)
  }
  if (bytes.write(text, 'base64') !== count * bytesEach) throw new SyntaxError('they are no numbers')
  const values = new Array<number>(count)
  for (let i = 0; i < count; i++) values[i] = scratch[i]!
  return values
}
