/** The standard normal distribution, to about 15 digits, also far out in its tails. */

/** √(2π) and its logarithm. */
export const rootOfTwoPi = 2.5066282746310002
export const logRootOfTwoPi = 0.9189385332046727
const rootOfHalf = Math.SQRT1_2

// Rational approximations of erf and erfc on three ranges: W. J. Cody, "Rational Chebyshev approximations for the error
// function", Mathematics of Computation 23 (1969). Numerators have one coefficient more, the highest, at their end.
const nearNumerator = [
  3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694, 0.18577770618460315,
]
const nearDenominator = [23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171]
const middleNumerator = [
  0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769, 1712.0476126340707,
  2051.0783778260716, 1230.3393547979972, 2.1531153547440383e-8,
]
const middleDenominator = [
  15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597, 4362.619090143247,
  3439.3676741437216, 1230.3393548037495,
]
const farNumerator = [
  0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275, 6.587491615298378e-4,
  0.016315387137302097,
]
const farDenominator = [
  2.568520192289822, 1.8729528499234604, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
]

function ratio(numerator: readonly number[], denominator: readonly number[], x: number): number {
  const last = denominator.length - 1
  let above = numerator[last + 1]! * x
  let below = x
  for (let i = 0; i < last; i++) {
    above = (above + numerator[i]!) * x
    below = (below + denominator[i]!) * x
  }
  return (above + numerator[last]!) / (below + denominator[last]!)
}

/** exp(x²) · erfc(x) for x ≥ 0: it falls as 1 / (x √π) where erfc itself has long become 0. */
export function scaledErfc(x: number): number {
  if (x <= 0.46875) return Math.exp(x * x) * (1 - x * ratio(nearNumerator, nearDenominator, x * x))
  if (x <= 4) return ratio(middleNumerator, middleDenominator, x)
  const inverse = 1 / (x * x)
  return (0.5641895835477563 - inverse * ratio(farNumerator, farDenominator, inverse)) / x
}

export const density = (z: number): number => Math.exp(-0.5 * z * z) / rootOfTwoPi

/** The share below z. */
export function cumulative(z: number): number {
  const x = Math.abs(z) * rootOfHalf
  if (x <= 0.46875) return 0.5 + 0.5 * z * rootOfHalf * ratio(nearNumerator, nearDenominator, x * x)
  const tail = 0.5 * Math.exp(-x * x) * scaledErfc(x)
  return z < 0 ? tail : 1 - tail
}

/** The logarithm of the share below z. */
export function logCumulative(z: number): number {
  if (z > 0) return Math.log1p(-cumulative(-z))
  return -0.5 * z * z + Math.log(0.5 * scaledErfc(-z * rootOfHalf))
}

/** The logarithm of the share between a and b, a < b. */
export function logMassBetween(a: number, b: number): number {
  if (a > 0) return logMassBetween(-b, -a) // the left tail has all digits
  if (b > 0) return Math.log1p(-cumulative(a) - cumulative(-b))
  const upper = logCumulative(b)
  return upper + Math.log1p(-Math.exp(logCumulative(a) - upper))
}

// M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988).
const centreAbove = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
  33430.57558358813, 2509.0809287301227,
]
const centreBelow = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943,
  5226.495278852855,
]
const sideAbove = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 7.745450142783414e-4,
]
const sideBelow = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  5.475938084995345e-4, 1.0507500716444169e-9,
]
const tailAbove = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
]
const tailBelow = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 7.868691311456133e-4, 1.8463183175100548e-5,
  1.421511758316446e-7, 2.0442631033899397e-15,
]

function polynomials(above: readonly number[], below: readonly number[], x: number): number {
  let [numerator, denominator] = [above[7]!, below[7]!]
  for (let i = 6; i >= 0; i--) {
    numerator = numerator * x + above[i]!
    denominator = denominator * x + below[i]!
  }
  return numerator / denominator
}

/** The z below which a share p lies. */
export function quantile(p: number): number {
  const fromMiddle = p - 0.5
  if (Math.abs(fromMiddle) <= 0.425) {
    return fromMiddle * polynomials(centreAbove, centreBelow, 0.180625 - fromMiddle * fromMiddle)
  }
  const r = Math.sqrt(-Math.log(Math.min(p, 1 - p)))
  const z = r <= 5 ? polynomials(sideAbove, sideBelow, r - 1.6) : polynomials(tailAbove, tailBelow, r - 5)
  return fromMiddle < 0 ? -z : z
}
