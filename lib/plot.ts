/** Small plots for terminals: a line of Braille dots, two by four to a character. */
import { checkPositiveInteger } from './checks.js'
import { optionsOf } from './options.js'

export interface PlotSize {
  /** Of the plot without its labels, in characters; default 60. */
  width?: number | undefined
  /** In lines; default 10. */
  height?: number | undefined
}

interface Line {
  /** f(x) for x from 0 to 1. */
  at: (x: number) => number
  /** What stands under the left and the right end. */
  ends: readonly [string, string]
  /** A place on the axis. */
  mark?: { x: number; label: string } | undefined
}

/** A smooth plot takes as many points. */
export const dotsAcross = (width: number): number => 2 * width

/** Of {@link PlotSize}, for lists of options. */
export const plotRules = { width: [checkPositiveInteger, 60], height: [checkPositiveInteger, 10] } as const
export const readPlotSize = optionsOf<PlotSize>()('plot', plotRules)

/** The lines of the plot, its axes labelled. Values that are not finite leave a gap. */
export function plotLine({ at, ends, mark }: Line, { width, height }: Required<PlotSize>): string {
  const columns = dotsAcross(width)
  const values = Array.from({ length: columns }, (_, i) => at(i / (columns - 1)))
  const finite = values.filter(Number.isFinite)
  const [least, most] = [Math.min(...finite), Math.max(...finite)]
  const rows = drawDots(
    values.map((value) => (most > least ? (value - least) / (most - least) : 0 * value)),
    width,
    height,
  )
  const labels = rows.map((_, row) =>
    row === height - 1 ? short(least) : row === 0 && most > least ? short(most) : '',
  )
  const margin = Math.max(...labels.map((label) => label.length))
  const axis = `${' '.repeat(margin)} └${'─'.repeat(width)}`
  const under = `${' '.repeat(margin + 2)}${ends[0]}${ends[1].padStart(Math.max(width - ends[0].length, ends[1].length + 1))}`
  const marked = mark && `${' '.repeat(margin + 2 + Math.round(mark.x * (width - 1)))}▲ ${mark.label}`
  const lines = rows.map((row, i) => `${labels[i]!.padStart(margin)} ${labels[i] ? '┤' : '│'}${row}`.trimEnd())
  return [...lines, axis, ...(marked ? [marked] : []), under].join('\n')
}

/** Bits of the dots of a Braille character, by column and by row from the top (Unicode 15, block U+2800). */
const bits = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const

/** Heights from 0 to 1, one a column of dots, joined by upright strokes. */
function drawDots(heights: readonly number[], width: number, height: number): string[] {
  const characters = Array.from({ length: height }, () => new Uint8Array(width))
  const rowOf = (value: number) => Math.round((1 - value) * (4 * height - 1))
  heights.forEach((value, column) => {
    if (!Number.isFinite(value)) return
    const before = heights[column - 1]
    const [row, from] = [rowOf(value), rowOf(Number.isFinite(before) ? before! : value)]
    for (let y = row; ; y += Math.sign(from - row)) {
      characters[y >> 2]![column >> 1]! |= bits[(column & 1) as 0 | 1][(y & 3) as 0 | 1 | 2 | 3]
      if (Math.abs(y - from) <= 1) break
    }
  })
  return characters.map((line) => String.fromCharCode(...Array.from(line, (dots) => (dots ? 0x2800 + dots : 0x20))))
}

/** Three digits. */
export function short(value: number): string {
  const size = Math.abs(value)
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(3)))
}
