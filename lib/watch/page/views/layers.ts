import type { Column } from '../../server/packed.js'
import type { LayersView as Looks } from '../../server/wire.js'
import { Chart, type ChartScale } from '../chart.js'
import { element, empty, setText } from '../dom.js'
import { percent } from '../format.js'
import { depthColour, seriesColour } from '../palette.js'
import { combine } from '../series.js'
import { type Context, marksOf, type View } from '../view.js'

/** Kinds whose saturation the engine counts. */
const saturating = ['tanh', 'sigmoid']

/** How the values of each layer are spread, and which units do no work. */
export class LayersView implements View {
  readonly element = element('div', { class: 'stack' })
  readonly #missing = empty('No looks at the layers yet. monitor({ histograms }) says how often they are taken.')
  readonly #dead = share('Dead units', 'relu units that did not fire in the last looks')
  readonly #saturated = share('Saturated values', 'tanh and sigmoid within 0.01 of an end')
  readonly #nonfinite = share('Values that are not finite', 'NaN or infinite')
  readonly #none = element('p', { class: 'note', hidden: true })
  readonly #shares: HTMLElement
  readonly #heading = element('h2', { class: 'heading' }, 'Mean ± standard deviation by layer')
  readonly #grid = element('div', { class: 'grid small' })
  readonly #charts = new Map<string, Chart>()

  constructor() {
    const shares = [this.#dead, this.#saturated, this.#nonfinite].map((chart) => chart.element)
    this.#shares = element('div', { class: 'grid' }, ...shares)
    this.element.append(this.#missing, this.#none, this.#shares, this.#heading, this.#grid)
  }

  async update({ source, focus, state: { axis }, clock }: Context): Promise<void> {
    const [looks, own, view] = await Promise.all([source.layers(focus.name), clock(focus.name), source.run(focus.name)])
    const scale = { axis, marks: marksOf([{ run: focus, view, clock: own }]) }
    const x = own.places(looks.step)
    this.#missing.hidden = looks.step.length > 0
    this.#heading.hidden = looks.step.length === 0
    const absent = [
      updateShare(this.#dead, looks, 'dead', { x, scale }, ({ op }) => op === 'relu') && 'dead units',
      updateShare(this.#saturated, looks, 'saturated', { x, scale }, ({ op }) => saturating.includes(op)) &&
        'saturated values',
      updateShare(this.#nonfinite, looks, 'nonfinite', { x, scale }, () => true) && 'values that are not finite',
    ].filter((name) => name !== false)
    this.#shares.hidden = absent.length === 3
    this.#none.hidden = absent.length === 0 || looks.step.length === 0
    setText(this.#none, `None so far: ${absent.join(', ')}.`)
    const names = looks.layers.map(({ name }) => name)
    for (const [name, chart] of this.#charts) chart.element.hidden = !names.includes(name)
    for (const layer of looks.layers) {
      const { mean, deviation } = layer
      const least = combine(mean, deviation, (a, b) => a - b)
      const most = combine(mean, deviation, (a, b) => a + b)
      const line = { label: 'mean', x, y: mean, colour: seriesColour(0), band: { least, most } }
      // The band shows it already; here its value is told.
      const spread = { label: 'deviation', x, y: deviation, colour: 'transparent' }
      this.#chart(layer.name, layer.op).update([line, spread], scale)
    }
  }

  #chart(name: string, op: string): Chart {
    let chart = this.#charts.get(name)
    if (!chart) {
      chart = new Chart({ title: name, height: 120, note: name.startsWith(op) ? undefined : op })
      this.#charts.set(name, chart)
      this.#grid.append(chart.element)
    }
    return chart
  }
}

const share = (title: string, note: string): Chart =>
  new Chart({ title, note, format: percent, least: [0, 1], height: 170 })

/** Whether there is nothing to be seen: then the chart is not shown. */
function updateShare(
  chart: Chart,
  { layers }: Looks,
  column: 'dead' | 'saturated' | 'nonfinite',
  { x, scale }: { x: Column; scale: ChartScale },
  isMeant: (layer: Looks['layers'][number]) => boolean,
): boolean {
  const lines = layers.flatMap((layer, i) => {
    if (!isMeant(layer)) return []
    return [{ label: layer.name, x, y: layer[column], colour: depthColour(i, layers.length) }]
  })
  const isNothing = lines.every(({ y }) => y.every((value) => !value))
  chart.element.hidden = isNothing
  if (!isNothing) chart.update(lines, scale)
  return isNothing && lines.length > 0
}
