/** Floats of half the length, as their bits. */

/** To floats, which can be all of them. */
export function widen(dtype: 'F16' | 'BF16', bits: Uint16Array, to: Float32Array): void {
  if (dtype === 'F16') for (let i = 0; i < to.length; i++) to[i] = ofBinary16(bits[i]!)
  else {
    // The upper half of a float.
    const words = new Uint32Array(to.buffer, to.byteOffset, to.length)
    for (let i = 0; i < words.length; i++) words[i] = bits[i]! << 16
  }
}

/** IEEE 754 binary16: a sign, five bits of exponent, ten of fraction. */
function ofBinary16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}
