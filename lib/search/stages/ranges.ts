/** Ranges of numbers on their own scales: narrowed to where good values are, widened where the best lies at the border. */
import { decimalGrid } from '../space/decimals.js'
import { type BranchesParameter, type ChoiceParameter, limitsOf, type Parameter } from '../space/parameter.js'

export type NumberParameter = Exclude<Parameter, ChoiceParameter | BranchesParameter>

/** A value this near to an end, in parts of the range, lies at the border. */
const outer = 0.1
/** The part of its length by which a range goes on there. */
const beyond = 0.25
/** What is taken on either side of the values that are to lie within, in parts of their stretch. */
const margin = 0.1
/** Likewise of the old range, where they are all the same. */
const marginOfOne = 0.05

const isLogarithmic = (parameter: NumberParameter): boolean =>
  parameter.kind === 'logUniform' || (parameter.kind === 'integer' && parameter.log === true)

interface Scale {
  readonly up: (value: number) => number
  readonly down: (position: number) => number
}
const linear: Scale = { up: (value) => value, down: (position) => position }
const logarithmic: Scale = { up: Math.log10, down: (position) => 10 ** position }
const scaleOf = (parameter: NumberParameter): Scale => (isLogarithmic(parameter) ? logarithmic : linear)

/** An end at which the best value lies, and where the range goes on to. */
export interface Border {
  readonly end: 'low' | 'high'
  readonly to: number
}

/** Null where the value lies well within, or the range may not go on. */
export function borderOf(parameter: NumberParameter, value: number): Border | null {
  const { up, down } = scaleOf(parameter)
  const [low, high, at] = [up(parameter.low), up(parameter.high), up(value)]
  const length = high - low
  const { least, most } = limitsOf(parameter)
  const isLow = at < low + outer * length
  if (!isLow && at <= high - outer * length) return null
  const wanted = down(isLow ? low - beyond * length : high + beyond * length)
  const to = isLow
    ? Math.max(least, rounded(parameter, wanted, 'low'))
    : Math.min(most, rounded(parameter, wanted, 'high'))
  const goesOn = isLow ? to < parameter.low : to > parameter.high
  return goesOn && Number.isFinite(to) ? { end: isLow ? 'low' : 'high', to } : null
}

/**
 * The smallest range that holds the values, with a margin, within the old one; at the end where the best lies it goes on as
 * its border says.
 */
export function narrowedRange<Given extends NumberParameter>(
  parameter: Given,
  values: readonly number[],
  border: Border | null,
): Given {
  const { up, down } = scaleOf(parameter)
  const positions = values.map(up)
  const [first, last] = [Math.min(...positions), Math.max(...positions)]
  const length = up(parameter.high) - up(parameter.low)
  const space = first === last ? marginOfOne * length : margin * (last - first)
  const within = (value: number) => Math.min(parameter.high, Math.max(parameter.low, value))
  let low = within(rounded(parameter, down(first - space), 'low'))
  let high = within(rounded(parameter, down(last + space), 'high'))
  if (border?.end === 'low') low = border.to
  if (border?.end === 'high') high = border.to
  if (low === high) [low, high] = neighbours(parameter, low)
  return { ...parameter, low, high }
}

/** A range has two values at least. */
function neighbours(parameter: NumberParameter, value: number): [number, number] {
  const step = ('step' in parameter && parameter.step) || 1
  if (value + step <= parameter.high) return [value, onGrid(parameter, value + step)]
  return [onGrid(parameter, value - step), value]
}

/** Outwards: to a value of the range's grid, or to three digits. */
function rounded(parameter: NumberParameter, value: number, end: 'low' | 'high'): number {
  // What misses a value by a rounding is that value.
  const slack = 1e-9
  const outwards = (place: number) =>
    end === 'low' ? Math.floor(place + slack * Math.abs(place)) : Math.ceil(place - slack * Math.abs(place))
  const { low, kind } = parameter
  if ('step' in parameter && parameter.step !== undefined) {
    const steps = outwards((value - low) / parameter.step)
    return onGrid(parameter, low + steps * parameter.step)
  }
  if (kind === 'integer') return outwards(value)
  if (value === 0 || !Number.isFinite(value)) return value
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2)
  return Number((outwards(value / unit) * unit).toPrecision(3))
}

/** A value some steps from the low end, as a person would write it. */
function onGrid(parameter: NumberParameter, value: number): number {
  const { low } = parameter
  const step = ('step' in parameter && parameter.step) || 1
  const steps = Math.round((value - low) / step)
  if (steps >= 0) return decimalGrid(low, low + Math.max(1, steps) * step, step).value(steps)
  return Number((low + steps * step).toPrecision(12))
}
