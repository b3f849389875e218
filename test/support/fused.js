// A multiplication and an addition with one rounding, in exact whole numbers.

const parts = new DataView(new ArrayBuffer(8))

/** x as mantissa · 2^exponent. */
function exactly(x) {
  parts.setFloat64(0, x)
  const bits = parts.getBigUint64(0)
  const field = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & ((1n << 52n) - 1n)
  const mantissa = field === 0 ? fraction : fraction | (1n << 52n)
  return { mantissa: x < 0 ? -mantissa : mantissa, exponent: Math.max(field, 1) - 1075 }
}

/** a · b + c in float64 as hardware gives it, of finite numbers whose result is a normal number. */
export function fused(a, b, c) {
  const [x, y, z] = [a, b, c].map(exactly)
  const exponent = Math.min(x.exponent + y.exponent, z.exponent)
  const shifted = (mantissa, from) => mantissa << BigInt(from - exponent)
  const sum = shifted(x.mantissa * y.mantissa, x.exponent + y.exponent) + shifted(z.mantissa, z.exponent)
  if (sum === 0n) return a * b + c
  const size = sum < 0n ? -sum : sum
  const excess = size.toString(2).length - 53
  if (excess <= 0) return Number(sum) * 2 ** exponent
  const half = 1n << BigInt(excess - 1)
  const rest = size & ((half << 1n) - 1n)
  const whole = size >> BigInt(excess)
  const rounded = rest > half || (rest === half && (whole & 1n) === 1n) ? whole + 1n : whole
  return Number(sum < 0n ? -rounded : rounded) * 2 ** (exponent + excess)
}
