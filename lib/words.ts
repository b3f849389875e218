/** Numbers as people write them. */

/** Four digits. */
export const short = (value: number): string => {
  const size = Math.abs(value)
  if (value === 0 || !Number.isFinite(value)) return String(value)
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2).replace('e+', 'e')
}

export const percent = (share: number): string => `${short(100 * share)} %`

/** 3,725 GiB, 1.5 MiB, 12,168 bytes. */
export function bytesInWords(bytes: number): string {
  const [unit, name] = bytes < 2 ** 20 ? [1, 'bytes'] : bytes < 2 ** 30 ? [2 ** 20, 'MiB'] : [2 ** 30, 'GiB']
  return `${(bytes / unit).toLocaleString('en', { maximumFractionDigits: bytes < 10 * unit ? 1 : 0 })} ${name}`
}
