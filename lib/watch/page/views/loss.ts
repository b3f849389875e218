import type { StepsView } from '../../server/wire.js'
import { Chart, type Line, type Range } from '../chart.js'
import { element, empty, toggle } from '../dom.js'
import { percent, whole } from '../format.js'
import { seriesColour } from '../palette.js'
import { isConstant, last, smooth } from '../series.js'
import type { Context, ShownRun, View } from '../view.js'

interface Loaded {
  run: ShownRun
  steps: StepsView
}

/** Everything that has one value a step for the whole net. */
export class LossView implements View {
  readonly element = element('div', { class: 'stack' })
  readonly isLive = true
  #context: Context | null = null
  #isLog = false
  #keep = 0
  readonly #reset = element('button', { type: 'button', class: 'reset', hidden: true, onclick: () => this.#zoom(null) })
  readonly #loss: Chart
  readonly #others: readonly { chart: Chart; column: keyof StepsView; isOptional?: boolean; isLog?: boolean }[]
  readonly #missing = empty('No steps yet. They come from monitor(), which records every step unless told otherwise.')

  constructor() {
    const onZoom = (range: Range | null) => this.#zoom(range)
    const controls = [
      this.#reset,
      this.#slider(),
      toggle('log', false, (isOn) => this.#set(() => (this.#isLog = isOn))),
    ]
    this.#loss = new Chart({ title: 'Loss', height: 320, controls, onZoom })
    const small = (title: string, more = {}) => new Chart({ title, height: 150, onZoom, ...more })
    this.#others = [
      { chart: small('Gradient norm', { note: 'Before clipping' }), column: 'gradientNorm', isLog: true },
      { chart: small('Learning rate'), column: 'learningRate' },
      { chart: small('Momentum'), column: 'momentum', isOptional: true },
      { chart: small('Regularization loss'), column: 'regularizationLoss', isOptional: true },
      { chart: small('Refused steps', { format: percent, least: [0, 1] }), column: 'refused', isOptional: true },
    ]
    const grid = element('div', { class: 'grid' }, ...this.#others.map(({ chart }) => chart.element))
    this.element.append(this.#missing, this.#loss.element, grid)
  }

  async update(context: Context): Promise<void> {
    this.#context = context
    const { source, shown, range } = context
    const loaded = await Promise.all(shown.map(async (run) => ({ run, steps: await source.steps(run.name, range) })))
    this.#reset.hidden = range === null
    this.#reset.textContent = range ? `steps ${whole(range.from)} to ${whole(range.to)} · show all` : ''
    this.#missing.hidden = loaded.some(({ steps }) => steps.count > 0)
    this.#loss.update(this.#lossLines(loaded), { isLog: this.#isLog, range })
    for (const { chart, column, isOptional, isLog } of this.#others) {
      const lines = loaded.map(({ run, steps }) => plainLine(run, steps, column, shown.length > 1))
      // A column of zeros says that the run does without.
      chart.element.hidden = isOptional === true && lines.every(({ y }) => isConstant(y) && !last(y))
      if (!chart.element.hidden) chart.update(lines, { isLog, range })
    }
  }

  /** One run: its mean within the least and the most. Smoothed, or several: the means, behind them what was smoothed. */
  #lossLines(loaded: readonly Loaded[]): Line[] {
    return loaded.flatMap(({ run, steps }) => {
      const { step: x, loss, lossLeast: least, lossMost: most } = steps
      const line = { label: loaded.length > 1 ? run.title : 'loss', x, colour: run.colour }
      if (this.#keep > 0)
        return [
          { ...line, y: loss, isPale: true },
          { ...line, y: smooth(loss, this.#keep) },
        ]
      return [{ ...line, y: loss, band: loaded.length === 1 ? { least, most } : undefined }]
    })
  }

  #slider(): HTMLElement {
    const value = element('output', { class: 'tabular' }, '0')
    const slider = element('input', { type: 'range', min: '0', max: '0.99', step: '0.01', value: '0' })
    slider.addEventListener('input', () => {
      value.textContent = slider.value
      this.#set(() => (this.#keep = Number(slider.value)))
    })
    return element('label', { class: 'control' }, 'smoothing', slider, value)
  }

  #set(change: () => void): void {
    change()
    this.#context?.refresh()
  }

  #zoom(range: Range | null): void {
    this.#context?.zoom(range)
  }
}

function plainLine(run: ShownRun, steps: StepsView, column: keyof StepsView, isOneOfMany: boolean): Line {
  const colour = isOneOfMany ? run.colour : seriesColour(0)
  const label = isOneOfMany ? run.title : 'mean'
  return { label, x: steps.step, y: steps[column] as Line['y'], colour }
}
