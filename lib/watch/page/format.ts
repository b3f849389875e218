/** Numbers, times and sizes as people read them. */

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

/** Four digits: `0.2134`, `1.2e-5`, `12,400`. */
export function short(value: number | null | undefined, digits = 4): string {
  if (!isNumber(value)) return '–'
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size < 1e-3 || size >= 1e7)
    return value
      .toExponential(Math.min(digits, 3) - 1)
      .replace('e+', 'e')
      .replaceAll('-', '−')
  if (Number.isInteger(value) || size >= 10 ** digits) return Math.round(value).toLocaleString('en')
  return trim(value, digits)
}

/** Ticks of axes: `0.002`, `1e-5`, `20k`; with as many digits as tell it from those `apart` from it. */
export function tick(value: number | null, apart = Number.NaN): string {
  if (!isNumber(value)) return ''
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 1e6) return `${trim(value / 1e6)}M`
  if (size >= 1e4) return `${trim(value / 1e3)}k`
  if (size >= 1e-3) return trim(value)
  if (Number.isNaN(apart)) return value.toExponential().replaceAll('-', '−')
  const [mantissa = '', power] = Number(apart.toPrecision(3)).toExponential().split('e')
  const decimals = Math.floor(Math.log10(size)) - Number(power) + Math.max(0, mantissa.length - 2)
  return value.toExponential(Math.min(Math.max(decimals, 0), 6)).replaceAll('-', '−')
}

/** With a minus sign, at which no line is broken. */
const trim = (value: number, digits = 6): string => Number(value.toPrecision(digits)).toString().replace('-', '−')

export const whole = (value: number | null | undefined): string =>
  isNumber(value) ? Math.round(value).toLocaleString('en') : '–'

export const percent = (value: number | null | undefined): string =>
  isNumber(value) ? `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %` : '–'

export function bytes(value: number | null | undefined): string {
  if (!isNumber(value)) return '–'
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)))
  return `${Number((value / 1024 ** power).toPrecision(3))} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}

/** `3 h 12 min`. */
export function duration(seconds: number | null | undefined): string {
  if (!isNumber(seconds)) return '–'
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export const date = (text: string | number): string =>
  new Date(text).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })

/** `topFiveAccuracy` → `top five accuracy`. */
export const words = (name: string): string => name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** The name of a run, where `.` is the folder itself. */
export const runTitle = (name: string, folder: string): string => (name === '.' ? folder : name)
