/** A panel with a picture on a canvas: it draws itself anew when its size, its data or the colours change. */
import { element, panel, setText } from '../dom.js'
import { colour, onColourChange } from '../palette.js'
import { askToDraw, type Picture } from './drawings.js'

/** What stands under the pointer. */
export interface Hit {
  readonly text: string
  /** The trial that a click opens. */
  readonly trial?: number
}

export interface CanvasOptions {
  title: string
  /** In CSS pixels. */
  height: number
  note?: string
  controls?: HTMLElement[]
  draw(context: CanvasRenderingContext2D, width: number, height: number): void
  hit?(x: number, y: number): Hit | null
  open?(trial: number): void
}

export class CanvasPanel implements Picture {
  readonly element: HTMLElement
  readonly canvas = element('canvas', { role: 'img' })
  readonly #caption = element('p', { class: 'note tabular caption' })
  readonly #options: CanvasOptions
  #said = ''
  /** The width for which it was drawn last. */
  #drawn = 0

  constructor(options: CanvasOptions) {
    this.#options = options
    this.canvas.style.height = `${options.height}px`
    this.element = panel(options.title, [this.canvas, this.#caption], options.controls, options.note)
    this.element.classList.add('drawing')
    this.canvas.addEventListener('pointermove', (event) => this.#point(event))
    this.canvas.addEventListener('pointerleave', () => this.#tell(null))
    this.canvas.addEventListener('click', (event) => {
      const trial = this.#options.hit?.(event.offsetX, event.offsetY)?.trial
      if (trial !== undefined) this.#options.open?.(trial)
    })
    // It also tells of the size that the first drawing has seen already.
    new ResizeObserver(() => {
      if (this.canvas.clientWidth !== this.#drawn) this.draw()
    }).observe(this.canvas)
    onColourChange(() => this.draw())
  }

  /** What it says while nobody points at anything. */
  say(text: string, label: string): void {
    this.#said = text
    this.#tell(null)
    this.canvas.ariaLabel = label
  }

  /** In one of the next frames. */
  draw(): void {
    askToDraw(this)
  }

  drawAt(width: number): void {
    const { height, draw } = this.#options
    this.#drawn = width
    if (width === 0) return
    performance.mark('draw')
    const scale = devicePixelRatio
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)]
    if (this.canvas.width !== wide || this.canvas.height !== high)
      Object.assign(this.canvas, { width: wide, height: high })
    const context = this.canvas.getContext('2d')!
    context.setTransform(scale, 0, 0, scale, 0, 0)
    context.clearRect(0, 0, width, height)
    draw(context, width, height)
    performance.measure(`draw ${this.#options.title}`, 'draw')
  }

  #point({ offsetX, offsetY }: PointerEvent): void {
    this.#tell(this.#options.hit?.(offsetX, offsetY) ?? null)
  }

  #tell(hit: Hit | null): void {
    setText(this.#caption, hit?.text ?? this.#said)
    this.canvas.style.cursor = hit?.trial === undefined ? '' : 'pointer'
  }
}

/** What a picture of points needs around it. */
export const margin = { left: 58, right: 12, top: 8, bottom: 22 }

export const font = '11px system-ui, sans-serif'

type Ticks = readonly { at: number; text: string }[]

/** Grid and texts of both axes, in the part of the canvas that `margin` leaves. */
export function drawAxes(
  context: CanvasRenderingContext2D,
  { width, height, across, up }: { width: number; height: number; across: Ticks; up: Ticks },
): void {
  const [wide, high] = [width - margin.left - margin.right, height - margin.top - margin.bottom]
  context.font = font
  context.lineWidth = 1
  context.strokeStyle = colour('grid')
  context.fillStyle = colour('muted')
  context.beginPath()
  context.textAlign = 'right'
  context.textBaseline = 'middle'
  for (const { at, text } of up) {
    const y = Math.round(margin.top + (1 - at) * high) + 0.5
    context.moveTo(margin.left, y)
    context.lineTo(width - margin.right, y)
    context.fillText(fitted(context, text, margin.left - 8), margin.left - 6, y)
  }
  context.textBaseline = 'top'
  for (const { at, text } of across) {
    const x = Math.round(margin.left + at * wide) + 0.5
    context.moveTo(x, margin.top)
    context.lineTo(x, height - margin.bottom)
    const room = context.measureText(text).width / 2
    context.textAlign = x + room > width ? 'right' : 'center'
    context.fillText(text, x + room > width ? width - 1 : x, height - margin.bottom + 6)
  }
  context.stroke()
}

/** With an end that says that there is more. */
export function fitted(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text
  let length = text.length
  while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > room) length--
  return `${text.slice(0, length)}…`
}

/** Which of the points lies nearest, within some pixels; −1 for none. NaN is nowhere. */
export function nearest(xs: ArrayLike<number>, ys: ArrayLike<number>, x: number, y: number, within = 12): number {
  let [found, least] = [-1, within * within]
  for (let i = 0; i < xs.length; i++) {
    const distance = (xs[i]! - x) ** 2 + (ys[i]! - y) ** 2
    if (!(distance < least)) continue
    found = i
    least = distance
  }
  return found
}
