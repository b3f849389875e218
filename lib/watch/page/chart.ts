/** Curves over a shared axis: uPlot draws; title, legend, zoom and keys are ours. */
import uPlot from 'uplot'
import type { Column } from '../server/packed.js'
import {
  type AxisKind,
  axisKinds,
  describeAxes,
  drawMarks,
  drawZone,
  type Mark,
  verticalScale,
  type Zone,
} from './axes.js'
import { exportButtons } from './chart-file.js'
import { element, panel } from './dom.js'
import { short } from './format.js'
import { Legend } from './legend.js'
import { onColourChange } from './palette.js'
import { last, positive } from './series.js'

export interface Line {
  label: string
  x: Column
  y: Column
  colour: string
  dash?: number[]
  /** A pale line behind another of the same name; it has no place in the legend. */
  isPale?: boolean
  /** Shaded from the least to the most. */
  band?: { least: Column; most: Column }
  /** A mark at each value, where there are few. */
  hasPoints?: boolean
}

export interface ChartOptions {
  title: string
  /** In CSS pixels; default 190. */
  height?: number
  isLog?: boolean
  /** Values that are good, shaded, with a line within. */
  zone?: Zone
  /** The least height of the vertical axis: shares go from 0 to 1. */
  least?: [number, number]
  format?: (value: number | null) => string
  controls?: HTMLElement[]
  note?: string
  /** Asked to show a part only, or all again. */
  onZoom?: (range: Range | null) => void
}

/** A part of the horizontal axis. */
export interface Range {
  from: number
  to: number
}

export interface ChartScale {
  /** Of the horizontal axis; default `step`. */
  axis?: AxisKind
  isLog?: boolean
  range?: Range | null
  /** What is above it is cut. */
  limit?: number
  /** Where runs have gone on. */
  marks?: readonly Mark[]
}

const charts = new Set<Chart>()
onColourChange(() => {
  for (const chart of charts) chart.rebuild()
})

export class Chart {
  readonly element: HTMLElement
  readonly #options: ChartOptions
  readonly #box: HTMLElement
  readonly #legend: Legend
  #lines: readonly Line[] = []
  #isLog: boolean
  #range: Range | null = null
  #axis: AxisKind = 'step'
  #limit: number | undefined
  #marks: readonly Mark[] = []
  #plot: uPlot | null = null
  #shape = ''

  constructor(options: ChartOptions) {
    this.#options = options
    this.#isLog = options.isLog ?? false
    this.#legend = new Legend(options.format ?? short, (label, isShown) => this.#show(label, isShown))
    this.#box = element('div', {
      class: 'plot',
      tabIndex: 0,
      role: 'img',
      onkeydown: (event: Event) => this.#onKey(event),
    })
    this.#box.style.height = `${options.height ?? 190}px`
    const files = exportButtons(options.title, () => ({
      lines: this.#lines,
      axis: this.#axis,
      canvas: this.#plot?.ctx.canvas,
    }))
    const controls = [...(options.controls ?? []), files]
    this.element = panel(options.title, [this.#box, this.#legend.element], controls, options.note)
    new ResizeObserver(() => this.#resize()).observe(this.#box)
    charts.add(this)
  }

  update(
    lines: readonly Line[],
    { axis = 'step', isLog = this.#options.isLog ?? false, range = null, limit, marks = [] }: ChartScale = {},
  ): void {
    this.#lines = lines
    this.#isLog = isLog
    this.#range = range
    this.#axis = axis
    this.#limit = limit
    this.#marks = marks
    const shape = JSON.stringify([
      [isLog, axis, limit !== undefined],
      lines.map(({ label, colour, dash, isPale, band }) => [label, colour, dash, isPale, !!band]),
    ])
    const isEmpty = lines.every(({ y }) => last(y) === null)
    this.#box.classList.toggle('is-empty', isEmpty)
    if (this.#box.clientWidth === 0) {
      // Drawn as soon as there is room.
      this.#shape = ''
    } else if (shape !== this.#shape || !this.#plot) {
      this.#shape = shape
      this.rebuild()
    } else {
      this.#plot.setData(this.#data())
    }
    const shown = lines.filter(({ isPale }) => !isPale)
    this.#legend.update(shown)
    this.#legend.values(shown.map(({ y }) => last(y)))
    this.#box.ariaLabel = `${this.#options.title}. ${shown.map(({ label, y }) => `${label} ${short(last(y))}`).join(', ')}`
  }

  /** Colours are fixed when a plot is made. */
  rebuild(): void {
    if (this.#box.clientWidth === 0) return
    this.#plot?.destroy()
    this.#plot = new uPlot(this.#describe(), this.#data(), this.#box)
  }

  /** Lines of several runs have steps of their own: they are joined, and a line goes on over the others' steps. */
  #data(): uPlot.AlignedData {
    const tables = this.#lines.map(({ x, y, band }) => {
      const columns = band ? [y, band.least, band.most] : [y]
      return [x, ...columns.map((column) => (this.#isLog ? positive(column) : column))] as unknown as uPlot.AlignedData
    })
    return tables.length > 0 ? uPlot.join(tables) : [[]]
  }

  #describe(): uPlot.Options {
    const series: uPlot.Series[] = [{}]
    const bands: uPlot.Band[] = []
    for (const { label, colour: stroke, dash, isPale, band, hasPoints } of this.#lines) {
      const show = !this.#legend.isHidden(label)
      const look = isPale ? { stroke: fade(stroke, 0.3), width: 1 } : { stroke, width: 1.5 }
      series.push({
        ...look,
        dash,
        show,
        points: { show: hasPoints ? true : isFew, size: hasPoints ? 5 : 4, fill: stroke },
      })
      if (!band) continue
      const first = series.length
      const edge: uPlot.Series = { width: 0, show, points: { show: false } }
      series.push(edge, { ...edge })
      bands.push({ series: [first + 1, first], fill: fade(stroke, 0.16) })
    }
    const canZoom = this.#options.onZoom !== undefined
    return {
      width: this.#box.clientWidth,
      padding: [10, 14, 0, 0],
      height: this.#box.clientHeight,
      legend: { show: false },
      series,
      bands,
      scales: { x: { time: false, range: (_, least, most) => this.#span(least, most) }, y: this.#vertical() },
      axes: describeAxes(this.#axis, this.#isLog),
      cursor: { y: false, points: { size: 6 }, drag: { x: canZoom, y: false, setScale: false } },
      hooks: {
        setCursor: [(plot) => this.#onCursor(plot)],
        setSelect: [(plot) => this.#onSelect(plot)],
        drawClear: [(plot) => this.#options.zone && drawZone(plot, this.#options.zone)],
        drawAxes: [(plot) => drawMarks(plot, this.#marks)],
      },
    }
  }

  #span(least: number, most: number): uPlot.Range.MinMax {
    if (this.#range) return [this.#range.from, this.#range.to]
    return least === null || least === most ? [(least ?? 0) - 1, (most ?? 0) + 1] : [least, most]
  }

  #vertical(): uPlot.Scale {
    const { least, zone } = this.#options
    const scale = verticalScale(this.#isLog)
    // The limit moves with the data, while the plot stays.
    const range: uPlot.Range.Function = (...about) =>
      (verticalScale(this.#isLog, least, zone, this.#limit).range as uPlot.Range.Function)(...about)
    return { ...scale, range }
  }

  /** A line takes its pale one and its band along. */
  #show(name: string, isShown: boolean): void {
    let place = 1
    for (const { label, band } of this.#lines) {
      const end = place + (band ? 3 : 1)
      for (; place < end; place++) if (label === name) this.#plot?.setSeries(place, { show: isShown })
    }
  }

  #onCursor(plot: uPlot): void {
    const { idx } = plot.cursor
    const shown = this.#lines.filter(({ isPale }) => !isPale)
    if (idx === null || idx === undefined) {
      this.#legend.values(shown.map(({ y }) => last(y)))
      return
    }
    const at = plot.data[0][idx]!
    const values = shown.map((line) => valueAt(line, at))
    const { title, format } = axisKinds[this.#axis]
    this.#legend.values(values, `${title} ${format(at)}`)
  }

  #onSelect(plot: uPlot): void {
    const { left, width } = plot.select
    if (width < 4) return
    const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
    this.#zoom(from, to)
  }

  #zoom(from: number, to: number): void {
    const isWhole = this.#axis === 'step'
    const range = isWhole ? { from: Math.floor(from), to: Math.ceil(to) } : { from, to }
    range.from = Math.max(0, range.from)
    if (range.to - range.from >= (isWhole ? 2 : 1e-3)) this.#options.onZoom?.(range)
  }

  /** Arrows move the cursor, + and − zoom around it, Escape shows all. */
  #onKey(event: Event): void {
    const plot = this.#plot
    const { key } = event as KeyboardEvent
    if (!plot || !['ArrowLeft', 'ArrowRight', '+', '-', 'Escape'].includes(key)) return
    event.preventDefault()
    const steps = plot.data[0]
    const index = plot.cursor.idx ?? steps.length - 1
    const { min = 0, max = 1 } = plot.scales.x as { min: number; max: number }
    if (key === 'Escape') this.#options.onZoom?.(null)
    else if (key === '+' || key === '-') {
      const half = ((max - min) / 2) * (key === '+' ? 0.5 : 2)
      const middle = steps[index] ?? (min + max) / 2
      this.#zoom(middle - half, middle + half)
    } else {
      const stride = Math.max(1, Math.round(steps.length / 200))
      const next = Math.min(Math.max(index + (key === 'ArrowLeft' ? -stride : stride), 0), steps.length - 1)
      plot.setCursor({ left: plot.valToPos(steps[next]!, 'x'), top: 10 })
    }
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#box
    if (width === 0) return
    if (!this.#plot || this.#shape === '') this.rebuild()
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height })
  }
}

const isFew = (plot: uPlot): boolean => plot.data[0].length < 40

function fade(of: string, alpha: number): string {
  return `color-mix(in srgb, ${of} ${100 * alpha}%, transparent)`
}

/** The value of the last step that is not behind `at`. */
function valueAt({ x, y }: Line, at: number): number | null {
  let [low, high] = [0, x.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (x[middle]! <= at) low = middle + 1
    else high = middle
  }
  return y[low - 1] ?? null
}
