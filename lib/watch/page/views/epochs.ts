import type { Column } from '../../server/packed.js'
import { averageOf, scoresOf, validationOf } from '../../server/scores.js'
import type { RunView } from '../../server/wire.js'
import { Chart, type Line } from '../chart.js'
import { Clock } from '../clock.js'
import { element, empty } from '../dom.js'
import { capital, words } from '../format.js'
import { combine, last } from '../series.js'
import { type Context, marksOf, type ShownRun, type View } from '../view.js'

interface Loaded {
  run: ShownRun
  view: RunView
  clock: Clock
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

  async update({ source, shown, state, clock }: Context): Promise<void> {
    const loaded = await Promise.all(
      shown.map(async (run) => ({ run, view: await source.run(run.name), clock: await clock(run.name) })),
    )
    const scores = [...new Set(loaded.flatMap(({ view }) => scoresOf(view.epochs)))]
    const withValidation = scores.filter((score) =>
      loaded.some(({ view }) => columnOf(view, validationOf(score)) !== null),
    )
    this.#missing.hidden = scores.length > 0
    this.#hint.hidden = scores.length === 0 || withValidation.length > 0
    const wanted = scores.flatMap((score) => (withValidation.includes(score) ? [score, `${score} gap`] : [score]))
    for (const key of wanted) this.#chart(key)
    for (const [key, chart] of this.#charts) {
      chart.element.hidden = !wanted.includes(key)
      const score = key.replace(/ gap$/, '')
      if (chart.element.hidden) continue
      // What there is one of an epoch stands over epochs, unless the time is asked for.
      const places = (one: Loaded) =>
        state.axis === 'time' ? one.clock.places(stepsOf(one)) : one.view.epochs.map(({ epoch }) => epoch)
      const marks = marksOf(state.axis === 'time' ? loaded : loaded.map(overEpochs))
      const lines = key === score ? scoreLines : gapLines
      chart.update(
        loaded.flatMap((one) => lines(one, score, shown, places(one))),
        { axis: state.axis === 'time' ? 'time' : 'epoch', marks },
      )
    }
  }

  #chart(key: string): void {
    if (this.#charts.has(key)) return
    const score = key.replace(/ gap$/, '')
    const title = key === score ? capital(words(key)) : `Gap in ${words(score)}`
    const note = key === score ? 'by epoch' : 'validation minus training, by epoch'
    const chart = new Chart({ title, note })
    this.#charts.set(key, chart)
    this.#grid.append(chart.element)
  }
}

const overEpochs = (one: Loaded): Loaded => ({ ...one, clock: new Clock('epoch', one.view, null) })

const stepsOf = ({ view }: Loaded): Column => view.epochs.map(({ step }) => step)

function columnOf({ epochs }: RunView, name: string): Column | null {
  const column = epochs.map((entry) => (typeof entry[name] === 'number' ? entry[name] : null))
  return last(column) === null ? null : column
}

function scoreLines({ run, view }: Loaded, score: string, shown: readonly ShownRun[], x: Column): Line[] {
  const { colour, dash } = run
  const prefix = shown.length > 1 ? `${run.title} ` : ''
  const [training, validation, average] = [score, validationOf(score), averageOf(score)].map((name) =>
    columnOf(view, name),
  )
  return [
    ...(training ? [{ label: `${prefix}training`, x, y: training, colour, dash }] : []),
    ...(validation ? [{ label: `${prefix}validation`, x, y: validation, colour, dash: [5, 3] }] : []),
    ...(average ? [{ label: `${prefix}average on validation`, x, y: average, colour, dash: [1, 3] }] : []),
  ]
}

function gapLines({ run, view }: Loaded, score: string, shown: readonly ShownRun[], x: Column): Line[] {
  const { colour, dash } = run
  const [training, validation] = [columnOf(view, score), columnOf(view, validationOf(score))]
  if (!training || !validation) return []
  const y = combine(validation, training, (a, b) => a - b)
  return [{ label: shown.length > 1 ? run.title : 'gap', x, y, colour, dash }]
}
