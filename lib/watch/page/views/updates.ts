import type { Column } from '../../server/packed.js'
import type { TensorsView } from '../../server/wire.js'
import { Chart, type Line } from '../chart.js'
import { element, empty } from '../dom.js'
import { depthColour } from '../palette.js'
import { type Context, marksOf, type View } from '../view.js'

/** What the optimizer does to each tensor. */
export class UpdatesView implements View {
  readonly element = element('div', { class: 'stack' })
  readonly #missing = empty('No steps yet. Ratios and norms come from monitor().')
  readonly #ratio = new Chart({
    title: 'Update : weight ratio',
    height: 320,
    isLog: true,
    zone: { from: 3e-4, to: 3e-3, at: 1e-3 },
    note: '‖Δw‖ ÷ ‖w‖ of each tensor. Around 1e-3 is healthy (shaded); far above, the learning rate is too high; far below, too low.',
  })
  readonly #gradients = new Chart({ title: 'Gradient norm by tensor', isLog: true, height: 240 })
  readonly #weights = new Chart({ title: 'Weight norm by tensor', isLog: true, height: 240 })

  constructor() {
    const grid = element('div', { class: 'grid pairs' }, this.#gradients.element, this.#weights.element)
    this.element.append(this.#missing, this.#ratio.element, grid)
  }

  async update({ source, focus, state: { axis }, clock }: Context): Promise<void> {
    const [view, own, of] = await Promise.all([source.tensors(focus.name), clock(focus.name), source.run(focus.name)])
    const marks = marksOf([{ run: focus, view: of, clock: own }])
    this.#missing.hidden = view.step.length > 0
    const x = own.places(view.step)
    const charts = { ratio: this.#ratio, gradientNorm: this.#gradients, weightNorm: this.#weights } as const
    for (const [column, chart] of Object.entries(charts)) {
      chart.update(lines(view, column as keyof typeof charts, x), { axis, marks })
    }
  }
}

/** In the colours of their depth; vectors, such as biases, are dashed. */
function lines({ tensors }: TensorsView, column: 'ratio' | 'weightNorm' | 'gradientNorm', x: Column): Line[] {
  return tensors.map((tensor, i) => ({
    label: tensor.name,
    x,
    y: tensor[column],
    colour: depthColour(i, tensors.length),
    dash: tensor.shape.length < 2 ? [4, 3] : undefined,
  }))
}
