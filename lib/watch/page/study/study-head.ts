/** The line at the top of a study's page, and what lies below it: how many trials of each state, stages, who runs what. */
import { type StudyView, trialStates, type WorkerView } from '../../server/study/study-wire.js'
import { element, panel, setText } from '../dom.js'
import { duration, scoreName, short, whole } from '../format.js'
import { actionButton } from './actions.js'
import { trialAddress } from './study-source.js'

/** What the list of runs calls a study that is the watched folder itself. */
export const studyTitle = (name: string): string => (name === '.' ? 'study' : name)

export class StudyHead {
  readonly #title = element('h1')
  readonly #connection = element('span', { class: 'connection', role: 'status' })
  readonly #facts = element('span', { class: 'study-facts tabular' })
  readonly #best = element('strong', { class: 'tabular' })
  readonly #bestName = element('span')
  readonly #hero = element('p', { class: 'hero', hidden: true }, this.#best, this.#bestName)
  readonly #params = element('p', { class: 'best-params tabular' })

  constructor(header: HTMLElement) {
    const up = element('a', { href: '#', class: 'wordmark' }, 'gradus')
    const name = element('div', { class: 'bar-name' }, up, this.#title, this.#facts, this.#connection)
    header.append(name, this.#hero, this.#params)
  }

  /** `71 of 100 trials · 2 workers · 4 min 12 s`. */
  tell(view: StudyView): void {
    const { name, counts, planned, stage, workers, seconds, best, metric } = view
    setText(this.#title, studyTitle(name))
    document.title = `${studyTitle(name)} · Gradus`
    const count = Object.values(counts).reduce((a, b) => a + b, 0)
    const facts = [
      stage && `stage ${stage.number} of ${stage.of}${stage.epochs ? `, ${many(stage.epochs, 'epoch')}` : ''}`,
      planned === null ? many(count, 'trial') : `${whole(count)} of ${many(planned, 'trial')}`,
      many(new Set(workers.map(({ worker }) => worker)).size, 'worker'),
      seconds === null ? null : duration(seconds),
    ]
    setText(this.#facts, view.progress ? '' : facts.filter(Boolean).join(' · '))
    this.#hero.hidden = best === null
    this.#params.hidden = best === null
    if (!best) return
    setText(this.#best, short(best.value))
    const link = element('a', { class: 'link', href: trialAddress(name, best.trial) }, `trial ${best.trial}`)
    const title = `best ${scoreName(metric)}, `
    if (this.#bestName.textContent !== `${title}trial ${best.trial}`) this.#bestName.replaceChildren(title, link)
    const params = best.params.map(([path, text]) => `${path.split('.').at(-1)} ${text}`)
    setText(this.#params, `trial ${best.trial}: ${params.join(', ')}`)
  }

  connection(isLost: boolean): void {
    setText(this.#connection, isLost ? 'connection lost' : '')
    this.#connection.className = `connection${isLost ? ' is-lost' : ''}`
  }
}

export const many = (count: number, what: string): string => `${whole(count)} ${what}${count === 1 ? '' : 's'}`

/** A bar of all trials by state, with the counts; and of what is to come, where that is known. */
export class StateBar {
  readonly element = element('section', { class: 'panel states', 'aria-label': 'Trials by state' })
  #key = ''

  update({ counts, planned }: StudyView): void {
    const key = JSON.stringify([counts, planned])
    if (key === this.#key) return
    this.#key = key
    const there = trialStates.filter((state) => counts[state])
    const count = there.reduce((sum, state) => sum + counts[state]!, 0)
    const all = Math.max(count, planned ?? 0)
    const parts = there.map((state) => {
      const part = element('span', { class: `state is-${state}` })
      part.style.width = `${(100 * counts[state]!) / all}%`
      return part
    })
    const legend = there.map((state) =>
      element(
        'span',
        { class: 'state-count' },
        element('span', { class: `dot is-${state}` }),
        `${state} `,
        element('strong', {}, whole(counts[state])),
      ),
    )
    const left = all > count ? element('span', { class: 'state-count' }, `to come ${whole(all - count)}`) : null
    this.element.replaceChildren(
      element('div', { class: 'state-bar' }, ...parts),
      element('p', { class: 'state-counts' }, ...legend, left),
    )
  }
}

/** What stages look at and why, warnings of borders, and what cannot be read: a line each. */
export class StudyLines {
  readonly element = element('section', {
    class: 'study-lines',
    'aria-label': 'Stages and warnings',
    'aria-live': 'polite',
  })
  #key = ''

  update({ stages, problem, damaged }: StudyView): void {
    const key = JSON.stringify([stages, problem, damaged])
    if (key === this.#key) return
    this.#key = key
    const ofStages = stages.toReversed().flatMap(({ number, why }) =>
      why.map((text) => ({
        text: /^(stage|border)/i.test(text) ? text : `stage ${number}: ${text}`,
        isWarning: /^border/i.test(text),
      })),
    )
    const ofProblem = problem === null ? [] : [{ text: problem, isWarning: true }]
    const ofDamaged =
      damaged.count > 0
        ? [{ text: `${many(damaged.count, 'trial')} with damaged files: ${damaged.first.join('; ')}`, isWarning: true }]
        : []
    const lines = [...ofProblem, ...ofDamaged, ...ofStages]
    this.element.hidden = lines.length === 0
    this.element.replaceChildren(
      ...lines.map(({ text, isWarning }) =>
        element('p', { class: isWarning ? 'study-line is-warning' : 'study-line' }, text),
      ),
    )
  }
}

/** Who runs what. */
export class Workers {
  readonly element = element('div')
  readonly #changed: () => void
  #key = ''

  constructor(changed: () => void) {
    this.#changed = changed
  }

  update({ name, workers, metric, canControl }: StudyView): void {
    const key = JSON.stringify([name, workers, metric, canControl])
    if (key === this.#key) return
    this.#key = key
    this.element.hidden = workers.length === 0
    const head = ['worker', 'trial', 'epoch', metric, ...(canControl ? [''] : [])].map((text, i) =>
      element('th', { scope: 'col', class: i > 0 && i < 4 ? 'number' : undefined }, text),
    )
    const rows = workers.map((one) => this.#row(name, one, canControl))
    const table = element(
      'table',
      { class: 'runs' },
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...rows),
    )
    this.element.replaceChildren(panel('Running', [element('div', { class: 'scroll' }, table)]))
  }

  #row(study: string, { worker, trial, epoch, budget, value, isSilent }: WorkerView, canControl: boolean): HTMLElement {
    const silent =
      isSilent &&
      element('span', { class: 'status is-failed', title: 'Its process is gone, or silent for a minute' }, 'silent')
    const stop = canControl && element('td', {}, actionButton('stop', study, trial, this.#changed))
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, `${worker} `, silent),
      element(
        'td',
        { class: 'number' },
        element('a', { class: 'link', href: trialAddress(study, trial) }, String(trial)),
      ),
      element('td', { class: 'number' }, budget === null ? whole(epoch) : `${whole(epoch)} / ${whole(budget)}`),
      element('td', { class: 'number' }, short(value)),
      stop,
    )
  }
}
