/** Grids of numbers as a person writes them: the third of 0, 0.1, 0.2, 0.3 is 0.3, and not 0.30000000000000004. */

/** `digits · 10^-places`, exactly the number as it is printed. */
interface Decimal {
  readonly digits: bigint
  readonly places: number
}

function decimalOf(value: number): Decimal {
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string]
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?]
  return { digits: BigInt(whole + fraction), places: fraction.length - Number(exponent) }
}

const scaled = ({ digits, places }: Decimal, to: number): bigint => digits * 10n ** BigInt(to - places)

export interface DecimalGrid {
  /** Steps from low to high, or the number of whole ones where high does not lie on the grid. */
  readonly steps: number
  /** Whether high is one of the values. */
  readonly fits: boolean
  /** low + index · step in decimals, rounded once, to the nearest number. */
  value(index: number): number
}

/** Of finite numbers, low < high, step > 0. */
export function decimalGrid(low: number, high: number, step: number): DecimalGrid {
  const decimals = [low, high, step].map(decimalOf)
  const places = Math.max(...decimals.map((decimal) => decimal.places))
  const [from, to, by] = decimals.map((decimal) => scaled(decimal, places)) as [bigint, bigint, bigint]
  return {
    steps: Number((to - from) / by),
    fits: (to - from) % by === 0n,
    value: (index) => Number(`${from + by * BigInt(index)}e${-places}`),
  }
}
