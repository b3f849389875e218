/** Axes of charts: what stands along them, how far they go, where their ticks are. */
import type uPlot from 'uplot'
import { duration, short, whole } from './format.js'
import { colour } from './palette.js'
import { logTexts, logTicks, ticks } from './ticks.js'

/** What a horizontal axis counts. */
export type AxisKind = 'step' | 'epoch' | 'time'

export interface Zone {
  from: number
  to: number
  at: number
}

const decimals = (power: number): number[] => [1, 2, 5].map((digit) => digit * 10 ** power)
const wholeNumbers = Array.from({ length: 12 }, (_, power) => decimals(power)).flat()
const fractions = [-3, -2, -1].flatMap(decimals)
const minute = 60
const hour = 60 * minute
const times = [1, 5, 15, 30, 60].flatMap((unit) => [unit, 2 * unit])

export const axisKinds: Readonly<
  Record<AxisKind, { title: string; format: (value: number) => string; increments: number[] }>
> = {
  step: { title: 'step', format: whole, increments: wholeNumbers },
  epoch: { title: 'epoch', format: (value) => short(value), increments: [...fractions, ...wholeNumbers] },
  time: {
    title: 'after',
    format: duration,
    increments: [
      ...fractions,
      ...[...new Set([...times, ...times.map((time) => time * minute)])].sort((a, b) => a - b),
      ...[4, 6, 12, 24].map((count) => count * hour),
      ...wholeNumbers.map((count) => 24 * hour * count),
    ].filter((value, i, all) => i === 0 || value > all[i - 1]!),
  },
}

export function describeAxes(kind: AxisKind, isLog: boolean): uPlot.Axis[] {
  const common: uPlot.Axis = {
    stroke: colour('muted'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
  }
  const labels = (_: uPlot, values: number[]) => ticks(values)
  const times = (_: uPlot, values: number[]) => values.map((value) => (value < 0 ? '' : duration(value)))
  const vertical: uPlot.Axis = { ...common, size: (_, texts) => widthFor(texts), gap: 6, space: 22, values: labels }
  const { increments: incrs } = axisKinds[kind]
  const horizontal = { ...common, size: 26, gap: 4, space: 64, values: kind === 'time' ? times : labels, incrs }
  if (!isLog) return [horizontal, vertical]
  const splits: uPlot.Axis.Splits = (plot, _, least, most) => logTicks(least, most, plot.bbox.height / devicePixelRatio)
  const logLabels = (_: uPlot, values: number[]) => logTexts(values)
  return [horizontal, { ...vertical, splits, filter: (_, values) => values, values: logLabels }]
}

/** `limit`: what lies above it is cut. */
export function verticalScale(isLog: boolean, least?: [number, number], zone?: Zone, limit?: number): uPlot.Scale {
  if (isLog) return { distr: 3, range: (_, from, to) => logRange(from, to, zone) }
  const [low, high] = least ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  return {
    range: (_, from, to) => {
      if (from === null) return Number.isFinite(low) ? [low, high] : [0, 1]
      const [bottom, top] = [Math.min(low, from), Math.max(high, Math.min(to, limit ?? to))]
      const margin = (top - bottom || Math.abs(top) || 1) * 0.06
      return [bottom === low ? bottom : bottom - margin, top === high ? top : top + margin]
    },
  }
}

function logRange(least: number | null, most: number | null, zone?: Zone): uPlot.Range.MinMax {
  const from = Math.min(least ?? Number.POSITIVE_INFINITY, zone ? zone.from / 3 : Number.POSITIVE_INFINITY)
  const to = Math.max(most ?? 0, zone ? zone.to * 3 : 0)
  if (!(to > 0) || !Number.isFinite(from)) return [0.1, 1]
  return from === to ? [from / 2, to * 2] : [from / 1.15, to * 1.15]
}

/** Of an axis with these labels: as a rule the same, so that charts below each other are aligned. */
function widthFor(labels: readonly (string | null)[] | null): number {
  const longest = Math.max(0, ...(labels ?? []).map((label) => label?.length ?? 0))
  return Math.max(58, 14 + 7 * longest)
}

/** A place on the horizontal axis. */
export interface Mark {
  at: number
  colour: string
}

/** Thin lines from top to bottom, over the grid and behind the curves. */
export function drawMarks({ ctx, bbox, scales, valToPos }: uPlot, marks: readonly Mark[]): void {
  const { min, max } = scales.x!
  if (typeof min !== 'number' || typeof max !== 'number') return
  ctx.save()
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio])
  for (const { at, colour } of marks) {
    if (at < min || at > max) continue
    // Between two pixels a line would be twice as thick and pale.
    const x = Math.round(valToPos(at, 'x', true)) + (devicePixelRatio % 2) / 2
    ctx.strokeStyle = colour
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
  }
  ctx.restore()
}

export function drawZone({ ctx, bbox, valToPos }: uPlot, zone: Zone): void {
  const clamp = (value: number) => Math.min(Math.max(valToPos(value, 'y', true), bbox.top), bbox.top + bbox.height)
  const [top, bottom, at] = [clamp(zone.to), clamp(zone.from), clamp(zone.at)]
  ctx.save()
  ctx.fillStyle = colour('zone')
  ctx.fillRect(bbox.left, top, bbox.width, bottom - top)
  ctx.strokeStyle = colour('zone-line')
  ctx.setLineDash([4, 4])
  ctx.beginPath()
  ctx.moveTo(bbox.left, at)
  ctx.lineTo(bbox.left + bbox.width, at)
  ctx.stroke()
  ctx.restore()
}
