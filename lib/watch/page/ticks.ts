/** Where the ticks of axes lie, and what is written at them. */
import { exponential, isNumber, trim } from './format.js'

/** One tick: `0.002`, `1e-5`, `20k`, `9e26`. */
export function tick(value: number | null): string {
  if (!isNumber(value)) return ''
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 1e9 || size < 1e-3) return exponential(value)
  if (size >= 1e6) return `${trim(value / 1e6)}M`
  return size >= 1e4 ? `${trim(value / 1e3)}k` : trim(value)
}

/** Ticks of an axis at equal distances, all written alike: `1k` beside `10k`, `5.0e-4` beside `1.0e-3`. */
export function ticks(values: readonly number[]): string[] {
  const most = values.reduce((size, value) => Math.max(size, Math.abs(value)), 0)
  const apart = Math.abs(values[1]! - values[0]!)
  if (most >= 1e9 || most < 2e-3) return values.map((value) => alike(value, apart))
  const [unit, name] = most >= 1e6 ? [1e6, 'M'] : most >= 1e4 ? [1e3, 'k'] : [1, '']
  return values.map((value) => (value === 0 ? '0' : trim(value / unit) + name))
}

/** Ticks of a logarithmic axis, all written alike where they go over many decades. */
export function logTexts(values: readonly number[]): string[] {
  const isWide = values.some((value) => value >= 1e9 || (value > 0 && value < 1e-6))
  return values.map((value) => (isWide && value !== 1 ? exponential(value) : tick(value)))
}

/** With as many digits as tell it from those `apart` from it. */
function alike(value: number, apart: number): string {
  if (value === 0) return '0'
  const [mantissa = '', power] = Number(apart.toPrecision(3)).toExponential().split('e')
  const decimals = Math.floor(Math.log10(Math.abs(value))) - Number(power) + Math.max(0, mantissa.length - 2)
  return value
    .toExponential(Math.min(Math.max(decimals, 0), 6))
    .replace('e+', 'e')
    .replaceAll('-', '−')
}

/** The least pixels between ticks of a logarithmic axis. */
const room = 24

/** Powers of ten, as many as there is room for; where there are less than two, halves and fifths of them too. */
export function logTicks(least: number, most: number, pixels: number): number[] {
  const [low, high] = [Math.ceil(Math.log10(least) - 1e-9), Math.floor(Math.log10(most) + 1e-9)]
  const count = high - low + 1
  if (count < 2) {
    const all = [low - 1, low, high].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power))
    const found = [...new Set(all)].filter((value) => value >= least && value <= most).sort((a, b) => a - b)
    return found.length >= 2 ? found : [least, most]
  }
  const stride = Math.ceil(count / Math.max(2, Math.floor(pixels / room)))
  const first = Math.ceil(low / stride) * stride
  return Array.from({ length: Math.floor((high - first) / stride) + 1 }, (_, i) => 10 ** (first + i * stride))
}
