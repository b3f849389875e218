/** Where values lie along an axis, from 0 to 1, and what is written at it. */
import type { ParameterView } from '../../server/study/study-wire.js'
import { short } from '../format.js'
import { logTexts, logTicks, ticks } from '../ticks.js'
import type { Numbers } from './trials.js'

export interface Scale {
  readonly low: number
  readonly high: number
  /** 0 … 1; what lies outside is put at the end, what is no number gives NaN. */
  place(value: number): number
  /** At most about as many as there is room for. */
  ticks(room: number): { at: number; text: string }[]
  text(value: number): string
}

const clamp = (share: number): number => (share < 0 ? 0 : share > 1 ? 1 : share)

function linear(low: number, high: number): Scale {
  const length = high - low
  const place = (value: number) => clamp((value - low) / length)
  return {
    ...{ low, high, place, text: short },
    ticks(room) {
      const apart = step(length / Math.max(1, room))
      const values: number[] = []
      for (let k = Math.ceil(low / apart - 1e-9); k * apart <= high + 1e-9 * apart; k++)
        values.push(Number((k * apart).toPrecision(12)))
      const texts = values.length > 1 ? ticks(values) : values.map((value) => short(value))
      return values.map((value, i) => ({ at: place(value), text: texts[i]! }))
    },
  }
}

/** The next of 1, 2, 5, 10 … */
function step(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 2, 5, 10].map((digit) => digit * power).find((apart) => apart >= least * (1 - 1e-9)) ?? 10 * power
}

function logarithmic(low: number, high: number): Scale {
  const [from, to] = [Math.log(low), Math.log(high)]
  const place = (value: number) => clamp((Math.log(value) - from) / (to - from))
  return {
    ...{ low, high, place, text: short },
    ticks(room) {
      const values = logTicks(low, high, room * 24)
      const texts = logTexts(values)
      return values.map((value, i) => ({ at: place(value), text: texts[i]! }))
    },
  }
}

function categories(choices: readonly string[]): Scale {
  const place = (value: number) => (value + 0.5) / choices.length
  return {
    ...{ low: 0, high: choices.length - 1, place },
    text: (value) => choices[value] ?? '',
    ticks(room) {
      const stride = Math.ceil(choices.length / Math.max(1, room))
      return [...choices.keys()].filter((i) => i % stride === 0).map((i) => ({ at: place(i), text: choices[i]! }))
    },
  }
}

/** Of a parameter, on its own scale; wide enough for trials of a wider space too. */
export function parameterScale({ low, high, isLog, choices }: ParameterView, values: Numbers): Scale {
  if (choices) return categories(choices)
  let [from, to] = [low, high]
  for (const value of values) {
    if (value < from) from = value
    if (value > to) to = value
  }
  return isLog && from > 0 ? logarithmic(from, to) : linear(from, to)
}

/** Above this multiple values are told apart by their logarithm. */
const manyDecades = 1000

/** Of what trials are judged by: a few that are far off lie at the end, so that the rest can be seen. */
export function valueScale(values: Numbers): Scale {
  const sorted = new Float64Array(values).filter(Number.isFinite).sort()
  const [least, most] = [sorted[0] ?? 0, sorted.at(-1) ?? 1]
  if (least > 0 && most / least > manyDecades) return logarithmic(least / 1.1, most * 1.1)
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0
  const [low, high] = [at(0.25), at(0.75)]
  const fence = 2.5 * (high - low)
  const [from, to] = fence > 0 ? [Math.max(least, low - fence), Math.min(most, high + fence)] : [least, most]
  const margin = 0.05 * (to - from || Math.abs(to) || 1)
  return linear(from - margin, to + margin)
}

/** Of counts, from 0, with ticks at whole numbers. */
export function countScale(most: number): Scale {
  const scale = linear(0, Math.max(most, 1e-3))
  return { ...scale, ticks: (room) => scale.ticks(Math.min(room, Math.max(1, Math.floor(most)))) }
}
