/** Curves over a shared axis: uPlot draws; title, legend, zoom and keys are ours. */
import uPlot from 'uplot'
import type { Column } from '../server/packed.js'
import { element, panel } from './dom.js'
import { short, tick, whole } from './format.js'
import { Legend } from './legend.js'
import { colour, onColourChange } from './palette.js'
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
}

export interface ChartOptions {
  title: string
  /** Of the horizontal axis; default `step`. */
  axis?: string
  /** In CSS pixels; default 190. */
  height?: number
  isLog?: boolean
  /** Values that are good, shaded, with a line within. */
  zone?: { from: number; to: number; at: number }
  /** The least height of the vertical axis: shares go from 0 to 1. */
  least?: [number, number]
  format?: (value: number | null) => string
  controls?: HTMLElement[]
  note?: string
  /** Asked to show a part only, or all again. */
  onZoom?: (range: Range | null) => void
}

export interface Range {
  from: number
  to: number
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
    this.element = panel(options.title, [this.#box, this.#legend.element], options.controls, options.note)
    new ResizeObserver(() => this.#resize()).observe(this.#box)
    charts.add(this)
  }

  update(lines: readonly Line[], { isLog = this.#isLog, range = null as Range | null } = {}): void {
    this.#lines = lines
    this.#isLog = isLog
    this.#range = range
    const shape = JSON.stringify([
      isLog,
      lines.map(({ label, colour, isPale, band }) => [label, colour, isPale, !!band]),
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
    for (const { label, colour: stroke, dash, isPale, band } of this.#lines) {
      const show = !this.#legend.isHidden(label)
      const look = isPale ? { stroke: fade(stroke, 0.3), width: 1 } : { stroke, width: 1.5 }
      series.push({ ...look, dash, show, points: { show: isFew, size: 4, fill: stroke } })
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
      scales: { x: { time: false, range: (_, least, most) => this.#span(least, most) }, y: this.#scale() },
      axes: this.#axes(),
      cursor: { y: false, points: { size: 6 }, drag: { x: canZoom, y: false, setScale: false } },
      hooks: {
        setCursor: [(plot) => this.#onCursor(plot)],
        setSelect: [(plot) => this.#onSelect(plot)],
        drawClear: [(plot) => this.#drawZone(plot)],
      },
    }
  }

  #span(least: number, most: number): uPlot.Range.MinMax {
    if (this.#range) return [this.#range.from, this.#range.to]
    return least === null || least === most ? [(least ?? 0) - 1, (most ?? 0) + 1] : [least, most]
  }

  #scale(): uPlot.Scale {
    if (this.#isLog) return { distr: 3, range: (_, least, most) => logRange(least, most, this.#options.zone) }
    const [low, high] = this.#options.least ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    return {
      range: (_, least, most) => {
        if (least === null) return Number.isFinite(low) ? [low, high] : [0, 1]
        const [from, to] = [Math.min(low, least), Math.max(high, most)]
        const margin = (to - from || Math.abs(to) || 1) * 0.06
        return [from === low ? from : from - margin, to === high ? to : to + margin]
      },
    }
  }

  #axes(): uPlot.Axis[] {
    const common: uPlot.Axis = {
      stroke: colour('muted'),
      font: '11px system-ui, sans-serif',
      grid: { stroke: colour('grid'), width: 1 },
      ticks: { show: false },
    }
    const labels = (_: uPlot, values: number[]) => values.map((value) => tick(value, values[1]! - values[0]!))
    const logLabels = (_: uPlot, values: (number | null)[]) => sparse(values).map((value) => tick(value))
    return [
      { ...common, size: 26, gap: 4, space: 64, values: labels, incrs: wholeSteps },
      { ...common, size: (_, texts) => widthFor(texts), gap: 6, space: 22, values: this.#isLog ? logLabels : labels },
    ]
  }

  #drawZone({ ctx, bbox, valToPos }: uPlot): void {
    const { zone } = this.#options
    if (!zone) return
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
    this.#legend.values(values, `${this.#options.axis ?? 'step'} ${whole(at)}`)
  }

  #onSelect(plot: uPlot): void {
    const { left, width } = plot.select
    if (width < 4) return
    const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
    this.#zoom(from, to)
  }

  #zoom(from: number, to: number): void {
    const range = { from: Math.max(0, Math.floor(from)), to: Math.ceil(to) }
    if (range.to - range.from >= 2) this.#options.onZoom?.(range)
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

/** Between ticks of steps, which are whole. */
const wholeSteps = Array.from({ length: 36 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** Math.floor(i / 3))

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

function logRange(least: number | null, most: number | null, zone?: { from: number; to: number }): uPlot.Range.MinMax {
  const from = Math.min(least ?? Number.POSITIVE_INFINITY, zone ? zone.from / 3 : Number.POSITIVE_INFINITY)
  const to = Math.max(most ?? 0, zone ? zone.to * 3 : 0)
  if (!(to > 0) || !Number.isFinite(from)) return [0.1, 1]
  return from === to ? [from / 2, to * 2] : [from / 1.15, to * 1.15]
}

/** Of the lines of a logarithmic grid: powers of ten; where there are less than two, halves and fifths of them too. */
function sparse(values: readonly (number | null)[]): (number | null)[] {
  const leading = (value: number) => Number((value / 10 ** Math.floor(Math.log10(value) + 1e-9)).toPrecision(6))
  const isPower = (value: number | null) => value !== null && leading(value) === 1
  const wanted = values.filter(isPower).length >= 2 ? [1] : [1, 2, 5]
  return values.map((value) => (value !== null && wanted.includes(leading(value)) ? value : null))
}

/** Of an axis with these labels: as a rule the same, so that charts below each other are aligned. */
function widthFor(labels: readonly (string | null)[] | null): number {
  const longest = Math.max(0, ...(labels ?? []).map((label) => label?.length ?? 0))
  return Math.max(58, 14 + 7 * longest)
}
