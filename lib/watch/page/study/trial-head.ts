/** What stands above the runs of a trial: its parameters, what happened to it, and what can be done with it. */
import type { TrialView } from '../../server/study/study-wire.js'
import { Chart } from '../chart.js'
import { byId, element, panel } from '../dom.js'
import { date, short } from '../format.js'
import { seriesColour } from '../palette.js'
import { actionButton } from './actions.js'
import { studyTitle } from './study-head.js'
import { askForTrial, studyAddress } from './study-source.js'

/** Milliseconds between looks. */
const pace = 2000

export class TrialHead {
  readonly #study: string
  readonly #trial: number
  readonly #section = byId('trial')
  readonly #facts = element('div', { class: 'grid facts' })
  readonly #chart = new Chart({ title: 'Reported', height: 150 })
  #key = ''

  constructor(study: string, trial: number) {
    this.#study = study
    this.#trial = trial
    const back = element('a', { class: 'link', href: studyAddress(study) }, `← ${studyTitle(study)}`)
    this.#section.hidden = false
    this.#section.append(
      element('p', { class: 'back' }, back),
      element('div', { class: 'stack' }, this.#facts, this.#chart.element),
    )
    void this.#follow()
  }

  async #follow(): Promise<void> {
    for (;;) {
      if (!document.hidden) await this.update()
      await new Promise((resolve) => setTimeout(resolve, pace))
    }
  }

  async update(): Promise<void> {
    const view = await askForTrial(this.#study, this.#trial).catch(() => null)
    if (view === null) return
    const key = JSON.stringify(view)
    if (key === this.#key) return
    this.#key = key
    this.#facts.replaceChildren(this.#stateOf(view), paramsOf(view), historyOf(view))
    this.#chart.element.hidden = view.curveEpochs.length === 0
    const line = {
      label: view.metric,
      x: view.curveEpochs,
      y: view.curveValues,
      colour: seriesColour(0),
      hasPoints: view.curveEpochs.length < 40,
    }
    this.#chart.update([line], { axis: 'epoch' })
  }

  #stateOf({
    number,
    state,
    value,
    metric,
    stage,
    reason,
    problem,
    suggestedBy,
    canStop,
    canRetry,
  }: TrialView): HTMLElement {
    const again = () => void this.update()
    const buttons = [
      canStop && actionButton('stop', this.#study, this.#trial, again),
      canRetry && actionButton('retry', this.#study, this.#trial, again),
    ].filter((button) => button !== false)
    const rows = [
      ['state', state],
      [metric, value === null ? null : short(value)],
      ['stage', stage === null ? null : String(stage)],
      ['why', reason],
      ['damaged', problem],
      ['suggested by', suggestedBy],
    ] as const
    return panel(`Trial ${number}`, [
      list(rows),
      buttons.length > 0 && element('div', { class: 'actions' }, ...buttons),
    ])
  }
}

const paramsOf = ({ params }: TrialView): HTMLElement => panel('Parameters', [list(params)])

const historyOf = ({ history }: TrialView): HTMLElement =>
  panel('What happened', [
    list(history.map(({ time, text }) => [Number.isNaN(Date.parse(time)) ? time : date(time), text] as const)),
  ])

function list(rows: readonly (readonly [name: string, value: string | null])[]): HTMLElement {
  const known = rows.filter(([, value]) => value !== null)
  return element(
    'dl',
    { class: 'facts-list' },
    ...known.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value!)]),
  )
}
