import type { RunView, StepsView } from '../../server/wire.js'
import { axisKinds } from '../axes.js'
import { Chart, type ChartScale, type Line } from '../chart.js'
import type { Clock } from '../clock.js'
import { element, empty, setText } from '../dom.js'
import { percent, short } from '../format.js'
import { areExploded, limitOf } from '../scaling.js'
import { isConstant, last, smooth } from '../series.js'
import { type Context, marksOf, type ShownRun, type View } from '../view.js'

interface Loaded {
  run: ShownRun
  steps: StepsView
  view: RunView
  clock: Clock
}

interface Other {
  title: string
  chart: Chart
  column: keyof StepsView
  /** A column of zeros says that the run does without. */
  isOptional?: boolean
  /** Told in a line of text where it does not change. */
  isSetting?: boolean
  isLog?: boolean
}

/** Everything that has one value a step for the whole net. */
export class LossView implements View {
  readonly element = element('div', { class: 'stack' })
  readonly isLive = true
  #context: Context | null = null
  readonly #reset = element('button', {
    type: 'button',
    class: 'reset',
    hidden: true,
    onclick: () => this.#context?.zoom(null),
  })
  readonly #log = element('input', {
    type: 'checkbox',
    onchange: () => this.#context?.change((state) => (state.isLog = this.#log.checked)),
  })
  readonly #slider = slider((value) => this.#context?.change((state) => (state.smoothing = value)))
  readonly #cut = element('p', { class: 'note cut', hidden: true })
  readonly #loss: Chart
  readonly #others: readonly Other[]
  readonly #constant = element('p', { class: 'note constants', hidden: true })
  readonly #missing = empty('No steps yet. They come from monitor(), which records every step unless told otherwise.')

  constructor() {
    const onZoom: Context['zoom'] = (range) => this.#context?.zoom(range)
    const log = element('label', { class: 'control' }, this.#log, 'log')
    const controls = [this.#reset, this.#slider.element, log]
    this.#loss = new Chart({ title: 'Loss', height: 320, controls, onZoom })
    this.#loss.element.append(this.#cut)
    const small = (title: string, column: keyof StepsView, { note, format, least, ...more }: Small = {}): Other => {
      const chart = new Chart({ title, height: 150, onZoom, note, format, least })
      return { title, chart, column, ...more }
    }
    this.#others = [
      small('Gradient norm', 'gradientNorm', { note: 'before clipping', isLog: true }),
      small('Learning rate', 'learningRate', { isSetting: true }),
      small('Momentum', 'momentum', { isOptional: true, isSetting: true }),
      small('Regularization loss', 'regularizationLoss', { isOptional: true, isSetting: true }),
      small('Refused steps', 'refused', { format: percent, least: [0, 1], isOptional: true }),
    ]
    const grid = element('div', { class: 'grid' }, ...this.#others.map(({ chart }) => chart.element))
    this.element.append(this.#missing, this.#loss.element, this.#constant, grid)
  }

  async update(context: Context): Promise<void> {
    this.#context = context
    const { source, shown, state } = context
    const loaded = await Promise.all(
      shown.map(async (run): Promise<Loaded> => {
        const [clock, view] = await Promise.all([context.clock(run.name), source.run(run.name)])
        return { run, clock, view, steps: await source.steps(run.name, clock.steps(state.range)) }
      }),
    )
    const { axis, range } = state
    this.#reset.hidden = range === null
    const { title, format } = axisKinds[axis]
    setText(this.#reset, range ? `${title} ${format(range.from)} to ${format(range.to)} · show all` : '')
    this.#missing.hidden = loaded.some(({ steps }) => steps.count > 0)
    const scale = { axis, range, marks: marksOf(loaded) }
    this.#updateLoss(loaded, scale)
    this.#updateOthers(loaded, scale)
  }

  #updateLoss(loaded: readonly Loaded[], scale: ChartScale): void {
    const { isLog: wanted, smoothing: chosen } = this.#context!.state
    // Noise of several curves hides which is lower.
    const smoothing = chosen ?? (loaded.length > 1 ? 0.9 : 0)
    const curves = loaded.map(({ steps }) => steps.loss)
    const isLog = wanted ?? areExploded(curves)
    const limit = isLog ? undefined : limitOf(curves)
    this.#log.checked = isLog
    this.#slider.set(smoothing)
    this.#cut.hidden = limit === undefined
    if (limit !== undefined) setText(this.#cut, `Cut at ${short(limit, 3)}: ${peaks(loaded, limit)}. “log” shows all.`)
    this.#loss.update(
      loaded.flatMap((one) => lossLines(one, loaded.length > 1, smoothing)),
      { ...scale, isLog, limit },
    )
  }

  #updateOthers(loaded: readonly Loaded[], scale: ChartScale): void {
    const constants: string[] = []
    for (const { title, chart, column, isOptional, isSetting, isLog } of this.#others) {
      const lines = loaded.map((one) => plainLine(one, column, loaded.length > 1))
      const isFlat = lines.every(({ y }) => isConstant(y))
      const isNothing = isFlat && lines.every(({ y }) => !last(y))
      chart.element.hidden = (isOptional === true && isNothing) || (isSetting === true && isFlat)
      if (!chart.element.hidden) chart.update(lines, { ...scale, isLog })
      else if (!isNothing) constants.push(`${title.toLowerCase()} ${constantOf(lines)}`)
    }
    this.#constant.hidden = constants.length === 0
    setText(this.#constant, `Constant: ${constants.join(' · ')}`)
  }
}

type Small = Partial<Omit<Other, 'title' | 'chart' | 'column'>> & {
  note?: string
  format?: (value: number | null) => string
  least?: [number, number]
}

/** One run: its mean within the least and the most. Smoothed, or several: the means, behind them what was smoothed. */
function lossLines({ run, steps, view, clock }: Loaded, isOneOfMany: boolean, keep: number): Line[] {
  const { loss, lossLeast: least, lossMost: most } = steps
  const { colour, dash } = run
  const prefix = isOneOfMany ? `${run.title} ` : ''
  const line = { label: `${prefix}training`, x: clock.places(steps.step), colour, dash }
  const training: Line[] =
    keep > 0
      ? [
          { ...line, y: loss, isPale: true },
          { ...line, y: smooth(loss, keep) },
        ]
      : [{ ...line, y: loss, band: isOneOfMany ? undefined : { least, most } }]
  const byEpoch = (column: string, label: string, dash: number[]): Line[] => {
    const having = view.epochs.filter((epoch) => typeof epoch[column] === 'number')
    if (having.length === 0) return []
    const x = clock.places(having.map(({ step }) => step))
    const y = having.map((epoch) => epoch[column] as number)
    return [{ label: `${prefix}${label}`, x, y, colour, dash, hasPoints: having.length <= 100 }]
  }
  const average = byEpoch('averageValLoss', 'average on validation', [1, 3])
  return [...training, ...byEpoch('valLoss', 'validation', [5, 3]), ...average]
}

function plainLine({ run, steps, clock }: Loaded, column: keyof StepsView, isOneOfMany: boolean): Line {
  const { colour, dash } = run
  const label = isOneOfMany ? run.title : 'mean'
  return { label, x: clock.places(steps.step), y: steps[column] as Line['y'], colour, dash }
}

/** The one value of all, or each one's. */
function constantOf(lines: readonly Line[]): string {
  const values = lines.map(({ y }) => short(last(y)))
  if (new Set(values).size === 1) return values[0]!
  return lines.map(({ label }, i) => `${values[i]} (${label})`).join(', ')
}

function peaks(loaded: readonly Loaded[], limit: number): string {
  const above = loaded.flatMap(({ run, steps }) => {
    const most = steps.loss.reduce<number>((peak, value) => Math.max(peak, value ?? peak), 0)
    return most > limit ? [`${loaded.length > 1 ? run.title : 'the loss'} goes up to ${short(most, 3)}`] : []
  })
  return above.join(', ')
}

function slider(change: (value: number) => void) {
  const value = element('output', { class: 'tabular' }, '0')
  const input = element('input', { type: 'range', min: '0', max: '0.99', step: '0.01', value: '0' })
  input.addEventListener('input', () => change(Number(input.value)))
  return {
    element: element('label', { class: 'control' }, 'smoothing', input, value),
    set(smoothing: number): void {
      if (document.activeElement !== input) input.value = String(smoothing)
      setText(value, String(smoothing))
    },
  }
}
