/** Numbers and times as people write them. */
import { isRecord, type Json } from '../../call.js'

const exponents = { below: 1e-3, from: 1e6 }

/**
 * `0.0021`, `3.1e-5`, `1,024`: so many digits of a number that was drawn; one that somebody wrote, of four digits or less,
 * stands as it is.
 */
export function numberText(value: number, digits = 2): string {
  const size = Math.abs(value)
  if (!Number.isFinite(value) || value === 0) return String(value)
  if (Number.isInteger(value) && size < exponents.from) return value.toLocaleString('en')
  if (size < exponents.below || size >= exponents.from) return value.toExponential(digits - 1).replace('e+', 'e')
  const written = String(value)
  const isShort = written.replace(/^-?0?\.?0*/, '').replace('.', '').length <= 4
  return isShort ? written : fixed(value, Math.max(0, digits - wholeDigits(value)))
}

/** Digits before the point; none of 0.5, −1 of 0.05. */
const wholeDigits = (value: number): number => (value === 0 ? 1 : Math.floor(Math.log10(Math.abs(value))) + 1)

/** By their decimals: making one takes a hundred times as long as using it. */
const formats: Intl.NumberFormat[] = []

function fixed(value: number, decimals: number): string {
  formats[decimals] ??= new Intl.NumberFormat('en', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  })
  return formats[decimals].format(value)
}

/** A metric: four decimals of what is below 1, so that a column of them is aligned. */
export function metricText(value: number | null): string {
  if (value === null) return ''
  const size = Math.abs(value)
  if (!Number.isFinite(value)) return String(value)
  if (size > 0 && (size < exponents.below || size >= exponents.from)) return value.toExponential(3).replace('e+', 'e')
  return fixed(value, Math.max(0, 4 - Math.max(0, wholeDigits(value))))
}

/** A value of a parameter; of a branch its name alone. */
export function valueText(value: Json | undefined): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'string') return value
  if (isRecord(value) && typeof value.name === 'string') return value.name
  const text = JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}

/** `learningRate 0.0021, hidden 412, adam beta1 0.91`: branches by their names, with what they have. */
export function paramsText(params: { readonly [name: string]: Json }): string {
  return Object.entries(params)
    .map(([name, value]) => (isBranch(value) ? branchText(value) : `${name} ${valueText(value)}`))
    .join(', ')
}

interface Branch {
  readonly [name: string]: Json
  readonly name: string
}

const isBranch = (value: Json): value is Branch & Json => isRecord(value) && typeof value.name === 'string'

function branchText({ name, ...inner }: Branch): string {
  return Object.keys(inner).length === 0 ? name : `${name} ${paramsText(inner)}`
}

/** `42 s`, `4 min 12 s`, `3 h 5 min`, `2 d 4 h`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return '0 s'
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0)
  return shown.map(([count, unit]) => `${count} ${unit}`).join(' ')
}

/** `about 2 min`: no more exactly than it is known. */
export function roughly(seconds: number): string {
  if (seconds < 60) return seconds < 10 ? 'some seconds' : `${Math.round(seconds / 10) * 10} s`
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`
  if (seconds < 36 * 3600) return durationText(Math.round(seconds / 600) * 600)
  return durationText(Math.round(seconds / 3600) * 3600)
}
