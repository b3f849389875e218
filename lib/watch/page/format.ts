/** Numbers, times and sizes as people read them. */

export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

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

/** `9e26`, with as many digits as it has, at most six. */
export const exponential = (value: number): string =>
  Number(value.toPrecision(6)).toExponential().replace('e+', 'e').replaceAll('-', '−')

/** Four digits, zeros at the end too: for numbers below each other. */
export function aligned(value: number | null | undefined): string {
  const isPlain = isNumber(value) && Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4
  return isPlain && !Number.isInteger(value) ? value.toPrecision(4).replace('-', '−') : short(value)
}

/** With a minus sign, at which no line is broken. */
export const trim = (value: number, digits = 6): string =>
  Number(value.toPrecision(digits)).toString().replace('-', '−')

export const whole = (value: number | null | undefined): string =>
  isNumber(value) ? Math.round(value).toLocaleString('en') : '–'

export const percent = (value: number | null | undefined): string =>
  isNumber(value) ? `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %` : '–'

export function bytes(value: number | null | undefined): string {
  if (!isNumber(value)) return '–'
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)))
  return `${Number((value / 1024 ** power).toPrecision(3))} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}

/** `8.5 s`, `3 min 20 s`, `3 h 12 min`, `2 d 5 h`. */
export function duration(seconds: number | null | undefined): string {
  if (!isNumber(seconds)) return '–'
  if (seconds < 9.95) return `${trim(Math.max(0, seconds), 2)} s`
  // Rounded before it is taken apart: 119.7 s are two minutes, not one and sixty seconds.
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return parts(Math.floor(whole / 60), 'min', whole % 60, 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 1440) return parts(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(seconds / 3600)
  return parts(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

const parts = (large: number, unit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`

export const date = (text: string | number): string =>
  new Date(text).toLocaleString('en-GB', {
    ...({ day: 'numeric', month: 'short', year: 'numeric' } as const),
    ...({ hour: '2-digit', minute: '2-digit', timeZoneName: 'short' } as const),
  })

/** `topFiveAccuracy` and `top_five_accuracy` → `top five accuracy`. */
export const words = (name: string): string =>
  name
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()

/** `valAccuracy` → `validation accuracy`. */
export const scoreName = (column: string): string => words(column).replace(/^val /, 'validation ')

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** The name of a run, where `.` is the folder itself. */
export const runTitle = (name: string, folder: string): string => (name === '.' ? folder : name)
