import type { TensorsView } from '../../server/wire.js'
import { Chart } from '../chart.js'
import { element, empty } from '../dom.js'
import { depthColour } from '../palette.js'
import type { Context, View } from '../view.js'

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

  async update({ source, focus }: Context): Promise<void> {
    const view = await source.tensors(focus.name)
    this.#missing.hidden = view.step.length > 0
    this.#ratio.update(lines(view, 'ratio'))
    this.#gradients.update(lines(view, 'gradientNorm'))
    this.#weights.update(lines(view, 'weightNorm'))
  }
}

/** In the colours of their depth; vectors, such as biases, are dashed. */
function lines({ step, tensors }: TensorsView, column: 'ratio' | 'weightNorm' | 'gradientNorm') {
  return tensors.map((tensor, i) => ({
    label: tensor.name,
    x: step,
    y: tensor[column],
    colour: depthColour(i, tensors.length),
    dash: tensor.shape.length < 2 ? [4, 3] : undefined,
  }))
}
