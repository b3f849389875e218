import type { Column } from '../../server/packed.js'
import type { RunView } from '../../server/wire.js'
import { Chart, type Line } from '../chart.js'
import { element, empty } from '../dom.js'
import { capital, words } from '../format.js'
import { combine, last } from '../series.js'
import type { Context, ShownRun, View } from '../view.js'

/** Columns of an epoch that are no scores. */
const notScores = ['epoch', 'step', 'learningRate', 'momentum', 'weightDecay', 'updateRatio', 'gradientNorm']
const notScoresEither = ['refusedSteps', 'seconds', 'samplesPerSecond', 'regularizationLoss']

interface Loaded {
  run: ShownRun
  view: RunView
}

/** Training against validation by epoch, and the gap between them: loss first, then each metric. */
export class EpochsView implements View {
  readonly element = element('div', { class: 'stack' })
  readonly #grid = element('div', { class: 'grid pairs' })
  readonly #missing = empty('No epoch has been finished yet.')
  readonly #hint = empty('No validation data: give fit a `validation` or a `validationSplit` to see what generalises.')
  readonly #charts = new Map<string, Chart>()

  constructor() {
    this.element.append(this.#missing, this.#hint, this.#grid)
  }

  async update({ source, shown }: Context): Promise<void> {
    const loaded = await Promise.all(shown.map(async (run) => ({ run, view: await source.run(run.name) })))
    const scores = [...new Set(loaded.flatMap(({ view }) => scoresOf(view)))]
    const withValidation = scores.filter((score) =>
      loaded.some(({ view }) => columnOf(view, validation(score)) !== null),
    )
    this.#missing.hidden = scores.length > 0
    this.#hint.hidden = scores.length === 0 || withValidation.length > 0
    const wanted = scores.flatMap((score) => (withValidation.includes(score) ? [score, `${score} gap`] : [score]))
    for (const key of wanted) this.#chart(key)
    for (const [key, chart] of this.#charts) {
      chart.element.hidden = !wanted.includes(key)
      const score = key.replace(/ gap$/, '')
      if (chart.element.hidden) continue
      chart.update(
        loaded.flatMap((one) => (key === score ? scoreLines(one, score, shown) : gapLines(one, score, shown))),
      )
    }
  }

  #chart(key: string): void {
    if (this.#charts.has(key)) return
    const score = key.replace(/ gap$/, '')
    const title = key === score ? capital(words(key)) : `Gap in ${words(score)}`
    const note = key === score ? undefined : 'Validation minus training'
    const chart = new Chart({ title, axis: 'epoch', note })
    this.#charts.set(key, chart)
    this.#grid.append(chart.element)
  }
}

const validation = (score: string): string => `val${capital(score)}`

function scoresOf({ epochs }: RunView): string[] {
  const names = Object.keys(epochs.at(-1) ?? {})
  return names.filter((name) => ![...notScores, ...notScoresEither].includes(name) && !/^val[A-Z]/.test(name))
}

function columnOf({ epochs }: RunView, name: string): Column | null {
  const column = epochs.map((entry) => (typeof entry[name] === 'number' ? entry[name] : null))
  return last(column) === null ? null : column
}

function scoreLines({ run, view }: Loaded, score: string, shown: readonly ShownRun[]): Line[] {
  const x = view.epochs.map(({ epoch }) => epoch)
  const prefix = shown.length > 1 ? `${run.title} ` : ''
  const [training, other] = [columnOf(view, score), columnOf(view, validation(score))]
  return [
    ...(training ? [{ label: `${prefix}training`, x, y: training, colour: run.colour }] : []),
    ...(other ? [{ label: `${prefix}validation`, x, y: other, colour: run.colour, dash: [5, 3] }] : []),
  ]
}

function gapLines({ run, view }: Loaded, score: string, shown: readonly ShownRun[]): Line[] {
  const [training, other] = [columnOf(view, score), columnOf(view, validation(score))]
  if (!training || !other) return []
  const y = combine(other, training, (a, b) => a - b)
  return [
    { label: shown.length > 1 ? run.title : 'gap', x: view.epochs.map(({ epoch }) => epoch), y, colour: run.colour },
  ]
}
