/** Parallel coordinates: a line a trial through its place on each axis. */
import { element } from '../dom.js'
import { whole } from '../format.js'
import { colour } from '../palette.js'
import { CanvasPanel, fitted, font } from './canvas-panel.js'
import { type Shown, stageColour } from './points.js'
import { parameterScale, type Scale } from './scale.js'
import { hasValue, mostBest, type Numbers, sample } from './trials.js'

/** More of them only make the picture grey. */
const mostLines = 800

interface Axis {
  name: string
  scale: Scale
  values: Numbers
}

/** From where to where, as shares of the axis. */
type Part = readonly [from: number, to: number]

const room = { top: 26, bottom: 12, side: 46 }

/** A part of an axis, drawn with the pointer, leaves the others pale. */
export class Parallel {
  readonly panel: CanvasPanel
  readonly #changed: (rows: readonly number[] | null) => void
  readonly #parts = new Map<string, Part>()
  readonly #reset = element(
    'button',
    { type: 'button', class: 'reset', hidden: true, onclick: () => this.#clear() },
    'All trials',
  )
  #shown: Shown | null = null
  #axes: readonly Axis[] = []
  #begun: { axis: string; at: number } | null = null

  /** `changed` is told of the rows that lie in all parts; null: there are no parts. */
  constructor(changed: (rows: readonly number[] | null) => void) {
    this.#changed = changed
    this.panel = new CanvasPanel({
      ...{ title: 'Parallel coordinates', height: 260, controls: [this.#reset] },
      note: 'draw along an axis to choose a range',
      draw: (context, width, height) => this.#draw(context, width, height),
    })
    const { canvas } = this.panel
    canvas.classList.add('is-brushed')
    canvas.addEventListener('pointerdown', (event) => this.#begin(event))
    canvas.addEventListener('pointermove', (event) => this.#move(event))
    canvas.addEventListener('pointerup', (event) => this.#end(event))
  }

  update(shown: Shown): void {
    this.#shown = shown
    const { view, trials, values } = shown
    const of = trials.value.map((value, row) => (hasValue(trials.state[row]!, value) ? value : Number.NaN))
    const parameters = view.parameters.map((parameter, i) => {
      const column = trials.params[i] ?? []
      return { name: parameter.path, scale: parameterScale(parameter, column), values: column }
    })
    this.#axes = [...parameters, { name: view.metric, scale: values, values: of }]
    this.#show()
  }

  /** Rows with a value that lie in all parts; what has no place on an axis lies in no part of it. */
  get #chosen(): number[] {
    const { trials } = this.#shown!
    const parts = this.#axes.flatMap((axis) => {
      const part = this.#parts.get(axis.name)
      return part ? [{ axis, part }] : []
    })
    const all = [...trials.number.keys()]
    if (parts.length === 0) return all
    return all.filter((row) =>
      parts.every(({ axis, part: [from, to] }) => {
        const place = axis.scale.place(axis.values[row]!)
        return place >= from && place <= to
      }),
    )
  }

  #show(): void {
    const { count } = this.#shown!.trials
    const chosen = this.#chosen
    this.#reset.hidden = this.#parts.size === 0
    const drawn = Math.min(mostLines, chosen.length)
    const some = drawn < chosen.length ? `, ${whole(drawn)} of them drawn` : ''
    const said =
      this.#parts.size === 0
        ? `${whole(count)} trials${some}`
        : `${whole(chosen.length)} of ${whole(count)} trials${some}`
    this.panel.say(said, `Parameters and ${this.#shown!.view.metric}: ${said}`)
    this.panel.draw()
  }

  #x(i: number, width: number): number {
    return room.side + (i / Math.max(1, this.#axes.length - 1)) * (width - 2 * room.side)
  }

  #draw(context: CanvasRenderingContext2D, width: number, height: number): void {
    if (!this.#shown) return
    const high = height - room.top - room.bottom
    const { trials, ranked } = this.#shown
    const chosen = this.#chosen
    const isAll = this.#parts.size === 0
    const isChosen = new Set(isAll ? [] : chosen)
    const best = (isAll ? ranked : ranked.filter((row) => isChosen.has(row))).slice(0, mostBest).reverse()
    if (!isAll) {
      const others = [...trials.number.keys()].filter((row) => !isChosen.has(row))
      this.#drawLines(context, sample(others, mostLines / 2), { width, high, stroke: () => colour('line'), alpha: 0.5 })
    }
    const stroke = (row: number) =>
      hasValue(trials.state[row]!, trials.value[row]!) ? stageColour(trials.stage[row]!) : colour('muted')
    this.#drawLines(context, sample(chosen, mostLines), {
      width,
      high,
      stroke,
      alpha: chosen.length > 100 ? 0.16 : 0.45,
    })
    this.#drawLines(context, best, { width, high, stroke, alpha: 1, isBest: true })
    this.#drawAxes(context, width, height)
  }

  /** All of one colour as one path. Where a trial has no such parameter its line goes straight on. */
  #drawLines(
    context: CanvasRenderingContext2D,
    rows: readonly number[],
    {
      width,
      high,
      stroke,
      alpha,
      isBest = false,
    }: { width: number; high: number; stroke: (row: number) => string; alpha: number; isBest?: boolean },
  ): void {
    context.globalAlpha = alpha
    context.lineWidth = isBest ? 2 : 1
    for (const row of rows) {
      context.strokeStyle = stroke(row)
      context.beginPath()
      for (const [i, { scale, values }] of this.#axes.entries()) {
        const place = scale.place(values[row]!)
        if (!Number.isNaN(place)) context.lineTo(this.#x(i, width), room.top + (1 - place) * high)
      }
      context.stroke()
    }
    context.globalAlpha = 1
  }

  #drawAxes(context: CanvasRenderingContext2D, width: number, height: number): void {
    const high = height - room.top - room.bottom
    const apart = (width - 2 * room.side) / Math.max(1, this.#axes.length - 1)
    context.font = font
    context.textAlign = 'center'
    for (const [i, { name, scale }] of this.#axes.entries()) {
      const x = Math.round(this.#x(i, width)) + 0.5
      context.strokeStyle = colour('muted')
      context.lineWidth = 1
      context.beginPath()
      context.moveTo(x, room.top)
      context.lineTo(x, room.top + high)
      context.stroke()
      context.fillStyle = colour('text')
      context.textBaseline = 'middle'
      const isLast = i === this.#axes.length - 1
      const title =
        apart < 60 && !isLast && i % 2 === 1
          ? ''
          : fitted(context, name.split('.').at(-1)!, Math.max(apart * (apart < 60 ? 1.9 : 0.95), 40))
      context.fillText(title, x, 9)
      this.#drawTexts(context, scale, x, high)
      this.#drawPart(context, this.#parts.get(name), x, high)
    }
  }

  /** With the surface behind them, so that they can be read over lines. */
  #drawTexts(context: CanvasRenderingContext2D, scale: Scale, x: number, high: number): void {
    context.strokeStyle = colour('surface')
    context.fillStyle = colour('muted')
    context.lineWidth = 3
    context.textAlign = 'left'
    for (const { at, text } of scale.ticks(high / 44)) {
      const y = room.top + (1 - at) * high
      const shown = fitted(context, text, room.side - 6)
      context.strokeText(shown, x + 3, y)
      context.fillText(shown, x + 3, y)
    }
    context.textAlign = 'center'
  }

  #drawPart(context: CanvasRenderingContext2D, part: Part | undefined, x: number, high: number): void {
    if (!part) return
    const [top, bottom] = [room.top + (1 - part[1]) * high, room.top + (1 - part[0]) * high]
    context.fillStyle = colour('accent')
    context.globalAlpha = 0.35
    context.fillRect(x - 6, top, 12, Math.max(2, bottom - top))
    context.globalAlpha = 1
  }

  #axisAt(x: number): Axis | undefined {
    const { clientWidth: width } = this.panel.canvas
    const i = [...this.#axes.keys()].find((i) => Math.abs(this.#x(i, width) - x) < 16)
    return i === undefined ? undefined : this.#axes[i]
  }

  #shareAt(y: number): number {
    const high = this.panel.canvas.clientHeight - room.top - room.bottom
    return Math.min(1, Math.max(0, 1 - (y - room.top) / high))
  }

  #begin(event: PointerEvent): void {
    const axis = this.#axisAt(event.offsetX)
    if (!axis) return
    this.panel.canvas.setPointerCapture(event.pointerId)
    this.#begun = { axis: axis.name, at: this.#shareAt(event.offsetY) }
  }

  #move(event: PointerEvent): void {
    this.panel.canvas.style.cursor = this.#begun || this.#axisAt(event.offsetX) ? 'ns-resize' : ''
    if (!this.#begun) return
    const [a, b] = [this.#begun.at, this.#shareAt(event.offsetY)]
    if (Math.abs(a - b) < 0.01) return
    this.#parts.set(this.#begun.axis, [Math.min(a, b), Math.max(a, b)])
    this.#show()
  }

  /** A click on an axis takes its part away. */
  #end(event: PointerEvent): void {
    if (!this.#begun) return
    if (Math.abs(this.#begun.at - this.#shareAt(event.offsetY)) < 0.01) this.#parts.delete(this.#begun.axis)
    this.#begun = null
    this.#told()
  }

  #clear(): void {
    this.#parts.clear()
    this.#told()
  }

  #told(): void {
    this.#show()
    this.#changed(this.#parts.size === 0 ? null : this.#chosen)
  }
}
