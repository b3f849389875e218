import type { LayersView as Looks } from '../../server/wire.js'
import { Chart } from '../chart.js'
import { element, empty } from '../dom.js'
import { percent } from '../format.js'
import { depthColour, seriesColour } from '../palette.js'
import { combine, last } from '../series.js'
import type { Context, View } from '../view.js'

const saturating = ['tanh', 'sigmoid']

/** How the values of each layer are spread, and which units do no work. */
export class LayersView implements View {
  readonly element = element('div', { class: 'stack' })
  readonly #missing = empty('No looks at the layers yet. monitor({ histograms }) says how often they are taken.')
  readonly #dead = share('Dead units', 'relu units that did not fire in the last looks')
  readonly #saturated = share('Saturated values', 'tanh and sigmoid within 0.01 of an end')
  readonly #nonfinite = share('Values that are not finite', 'NaN or infinite')
  readonly #grid = element('div', { class: 'grid small' })
  readonly #charts = new Map<string, Chart>()

  constructor() {
    const shares = [this.#dead, this.#saturated, this.#nonfinite].map((chart) => chart.element)
    const heading = element('h2', { class: 'heading' }, 'Mean ± deviation by layer')
    this.element.append(this.#missing, element('div', { class: 'grid' }, ...shares), heading, this.#grid)
  }

  async update({ source, focus }: Context): Promise<void> {
    const looks = await source.layers(focus.name)
    this.#missing.hidden = looks.step.length > 0
    updateShare(this.#dead, looks, 'dead', (op) => op === 'relu')
    updateShare(this.#saturated, looks, 'saturated', (op) => saturating.includes(op))
    updateShare(this.#nonfinite, looks, 'nonfinite', (_, column) => (last(column) ?? 0) > 0)
    const names = looks.layers.map(({ name }) => name)
    for (const [name, chart] of this.#charts) chart.element.hidden = !names.includes(name)
    for (const layer of looks.layers) {
      const { mean, deviation } = layer
      const least = combine(mean, deviation, (a, b) => a - b)
      const most = combine(mean, deviation, (a, b) => a + b)
      const line = { label: 'mean', x: looks.step, y: mean, colour: seriesColour(0), band: { least, most } }
      // The band shows it already; here its value is told.
      const spread = { label: 'deviation', x: looks.step, y: deviation, colour: 'transparent' }
      this.#chart(layer.name, layer.op).update([line, spread])
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

function updateShare(
  chart: Chart,
  { step, layers }: Looks,
  column: 'dead' | 'saturated' | 'nonfinite',
  isMeant: (op: string, column: Looks['layers'][number]['dead']) => boolean,
): void {
  const lines = layers.flatMap((layer, i) => {
    if (!isMeant(layer.op, layer[column])) return []
    return [{ label: layer.name, x: step, y: layer[column], colour: depthColour(i, layers.length) }]
  })
  chart.element.hidden = lines.length === 0
  if (lines.length > 0) chart.update(lines)
}
