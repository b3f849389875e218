/** Histograms over time: a column a look, a row a bin, darker where more values lie. */

import { element, setText } from './dom.js'
import { percent, short, whole } from './format.js'
import { colour, heatColours, onColourChange } from './palette.js'
import type { HistogramsView } from './source.js'
import { tick } from './ticks.js'

const shades = 64
/** Of the values nearest to zero. */
const zeroBin = 64
const margin = { left: 58, bottom: 22, top: 6 }
const height = 300

export class Heatmap {
  readonly element: HTMLElement
  readonly #canvas = element('canvas', { role: 'img' })
  readonly #caption = element('p', { class: 'note tabular' })
  #data: HistogramsView | null = null
  #rows: [first: number, last: number] = [0, 128]

  constructor() {
    this.#canvas.style.height = `${height}px`
    this.element = element('div', { class: 'heatmap' }, this.#canvas, this.#caption)
    this.#canvas.addEventListener('pointermove', (event) => this.#point(event))
    this.#canvas.addEventListener('pointerleave', () => this.#tell(null, null))
    new ResizeObserver(() => this.#draw()).observe(this.element)
    onColourChange(() => this.#draw())
  }

  update(data: HistogramsView, label: string): void {
    this.#data = data
    this.#rows = usedBins(data.counts)
    this.#canvas.ariaLabel = label
    this.#draw()
    this.#tell(null, null)
  }

  #draw(): void {
    const width = this.element.clientWidth
    if (!this.#data || width === 0) return
    const scale = devicePixelRatio
    this.#canvas.width = Math.round(width * scale)
    this.#canvas.height = Math.round(height * scale)
    const context = this.#canvas.getContext('2d')!
    context.scale(scale, scale)
    context.imageSmoothingEnabled = false
    context.drawImage(this.#cells(), margin.left, margin.top, width - margin.left, height - margin.top - margin.bottom)
    this.#drawAxes(context, width)
  }

  /**
   * A pixel a count; the root of its share of the look's largest lets the thin ends be seen. The bin of zeros has no say
   * in what is largest: after a relu it holds half of all values, and the rest would be pale.
   */
  #cells(): HTMLCanvasElement {
    const { counts } = this.#data!
    const [first, last] = this.#rows
    const image = new ImageData(Math.max(counts.length, 1), last - first + 1)
    const colours = heatColours(shades)
    for (const [column, row] of counts.entries()) {
      const most = row.reduce((peak, count, bin) => (bin === zeroBin ? peak : Math.max(peak, count)), 1)
      for (let bin = first; bin <= last; bin++) {
        const shade = Math.sqrt(Math.min(1, row[bin]! / most))
        const to = 4 * ((last - bin) * image.width + column)
        image.data.set([...colours[Math.round(shade * (shades - 1))]!, 255], to)
      }
    }
    const canvas = element('canvas', { width: image.width, height: image.height })
    canvas.getContext('2d')!.putImageData(image, 0, 0)
    return canvas
  }

  #drawAxes(context: CanvasRenderingContext2D, width: number): void {
    const { edges, step } = this.#data!
    const [first, last] = this.#rows
    const inner = height - margin.top - margin.bottom
    context.font = '11px system-ui, sans-serif'
    context.fillStyle = colour('muted')
    context.textAlign = 'right'
    context.textBaseline = 'middle'
    for (const { at, text } of ticksOf(edges)) {
      if (at < first || at > last + 1) continue
      context.fillText(text, margin.left - 6, margin.top + ((last + 1 - at) / (last - first + 1)) * inner)
    }
    context.textBaseline = 'top'
    const places = width > 500 ? 5 : 3
    for (let i = 0; i < places && step.length > 0; i++) {
      const share = i / (places - 1)
      context.textAlign = i === 0 ? 'left' : i === places - 1 ? 'right' : 'center'
      const index = Math.round(share * (step.length - 1))
      const text = whole(step[index]!)
      context.fillText(
        i === 0 ? `step ${text}` : text,
        margin.left + share * (width - margin.left),
        height - margin.bottom + 6,
      )
    }
  }

  #point(event: PointerEvent): void {
    const { counts } = this.#data ?? { counts: [] }
    const [first, last] = this.#rows
    const x = (event.offsetX - margin.left) / (this.element.clientWidth - margin.left)
    const y = (event.offsetY - margin.top) / (height - margin.top - margin.bottom)
    const isInside = x >= 0 && x < 1 && y >= 0 && y < 1
    if (!isInside) this.#tell(null, null)
    else this.#tell(Math.floor(x * counts.length), last - Math.floor(y * (last - first + 1)))
  }

  #tell(look: number | null, bin: number | null): void {
    if (!this.#data || look === null || bin === null || !this.#data.counts[look]) {
      setText(
        this.#caption,
        'Point at the picture to read a bin. The stronger the colour, the more values, relative to the fullest bin of the same step (zero apart).',
      )
      return
    }
    const { counts, edges, step } = this.#data
    const sum = counts[look]!.reduce((total, count) => total + count, 0)
    const share = percent(counts[look]![bin]! / (sum || 1))
    setText(this.#caption, `Step ${whole(step[look])}: ${share} of values ${rangeOf(bin, edges)}`)
  }
}

/** Bins that ever held anything, with one more at each side. */
function usedBins(counts: readonly (readonly number[])[]): [number, number] {
  let [first, last] = [128, 0]
  for (const row of counts) {
    for (let bin = 0; bin < row.length; bin++) {
      if (row[bin] === 0) continue
      if (bin < first) first = bin
      if (bin > last) last = bin
    }
  }
  return first > last ? [0, 128] : [Math.max(0, first - 1), Math.min(128, last + 1)]
}

/** Where powers of ten lie, in bins from the bottom: 64.5 is zero. */
function ticksOf(edges: readonly number[]): { at: number; text: string }[] {
  const ticks = [{ at: 64.5, text: '0' }]
  for (let power = -6; power <= 9; power += 2) {
    const place = (Math.log2(10 ** power) + 24) * 2
    if (place < 2 || place > edges.length) continue
    const text = tick(10 ** power)
    ticks.push({ at: 65 + place, text }, { at: 64 - place, text: `−${text}` })
  }
  return ticks
}

function rangeOf(bin: number, edges: readonly number[]): string {
  if (bin === zeroBin) return `within ±${short(edges[0], 2)}`
  const k = bin > 64 ? bin - 65 : 63 - bin
  const [low, high] = [short(edges[k], 3), edges[k + 1] === undefined ? '∞' : short(edges[k + 1], 3)]
  return bin > 64 ? `from ${low} to ${high}` : `from −${high} to −${low}`
}
