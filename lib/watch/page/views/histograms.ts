import { element, empty, panel, select } from '../dom.js'
import { Heatmap } from '../heatmap.js'
import type { Context, View } from '../view.js'

const kinds = ['activations', 'gradients', 'weights'] as const

/** All three distributions of one layer, each over time. */
export class HistogramsView implements View {
  readonly element = element('div', { class: 'stack' })
  #context: Context | null = null
  readonly #missing = empty('')
  readonly #panels: readonly {
    kind: (typeof kinds)[number]
    panel: HTMLElement
    list: ReturnType<typeof select>
    map: Heatmap
  }[]

  constructor() {
    this.#panels = kinds.map((kind) => {
      const list = select(kind === 'activations' ? 'layer' : 'tensor', () => this.#context?.refresh())
      const map = new Heatmap()
      return { kind, list, map, panel: panel(titles[kind], [map.element], [list.element]) }
    })
    this.element.append(this.#missing, ...this.#panels.map((one) => one.panel))
  }

  async update(context: Context): Promise<void> {
    this.#context = context
    const { source, focus } = context
    const { info } = await source.run(focus.name)
    let isEmpty = true
    for (const { kind, list, map, panel: box } of this.#panels) {
      const chosen = list.offer((kind === 'activations' ? info.layers : info.tensors).map(({ name }) => name))
      const isOn = info.monitor.histograms !== null && chosen !== ''
      const histograms = isOn ? await source.histograms(focus.name, kind, chosen) : null
      box.hidden = !histograms || histograms.step.length === 0
      if (box.hidden) continue
      isEmpty = false
      map.update(histograms!, `${titles[kind]} of ${chosen} by step`)
    }
    this.#missing.hidden = !isEmpty
    const isOff = info.monitor.histograms === null
    this.#missing.textContent = isOff
      ? 'This run keeps no histograms: monitor({ histograms }) switches them on.'
      : 'No histograms yet.'
  }
}

const titles = { activations: 'Activations', gradients: 'Gradients', weights: 'Weights' }
