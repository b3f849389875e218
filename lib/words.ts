/** Numbers as people write them. */

/** Four digits. */
export const short = (value: number): string => {
  const size = Math.abs(value)
  if (value === 0 || !Number.isFinite(value)) return String(value)
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2).replace('e+', 'e')
}

export const percent = (share: number): string => `${short(100 * share)} %`
