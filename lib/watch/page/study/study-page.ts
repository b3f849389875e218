/** The page of a study: what its trials have come to, and how it goes on. */
import type { StudyView } from '../../server/study/study-wire.js'
import { byId, element, empty, nextTurn } from '../dom.js'
import { askForToken, tokenHeader } from '../token.js'
import { Curves } from './curves.js'
import { allDrawn } from './drawings.js'
import { ImportanceBars } from './importance-bars.js'
import { Parallel } from './parallel.js'
import { BestPicture, Scatters, shownOf } from './points.js'
import { StateBar, StudyHead, StudyLines, Workers } from './study-head.js'
import { follow, trialAddress } from './study-source.js'
import { TrialTable } from './trial-table.js'
import { ranked, Trials } from './trials.js'

export class StudyPage {
  readonly #trials = new Trials()
  readonly #head = new StudyHead(byId('bar'))
  readonly #states = new StateBar()
  readonly #lines = new StudyLines()
  readonly #workers = new Workers(() => undefined)
  readonly #importance = new ImportanceBars()
  readonly #best: BestPicture
  readonly #curves: Curves
  readonly #table = new TrialTable()
  readonly #parallel = new Parallel((rows) => this.#table.choose(rows))
  readonly #scatterGrid = element('div', { class: 'grid small' })
  readonly #scatters: Scatters
  readonly #progress = element('progress', { max: 1, value: 0, 'aria-label': 'Reading the study' })
  readonly #reading = element('div', { class: 'empty' }, element('p', {}, 'Reading the trials …'), this.#progress)
  readonly #stack: HTMLElement
  #parameters = ''

  constructor(name: string) {
    const open = (trial: number) => {
      location.hash = trialAddress(name, trial)
    }
    this.#best = new BestPicture(open)
    this.#curves = new Curves(open)
    this.#scatters = new Scatters(this.#scatterGrid, open)
    const pair = (...children: HTMLElement[]) => element('div', { class: 'grid pairs' }, ...children)
    this.#stack = element(
      'div',
      { class: 'stack' },
      ...[this.#states.element, this.#lines.element, this.#workers.element],
      pair(this.#best.element, this.#curves.panel.element),
      pair(this.#parallel.panel.element, this.#importance.element),
      ...[this.#scatterGrid, this.#table.element],
    )
    for (const id of ['runs', 'findings', 'views']) byId(id).hidden = true
    const panel = byId('panel')
    panel.removeAttribute('role')
    if (!('Authorization' in tokenHeader())) {
      panel.replaceChildren(askForToken())
      return
    }
    panel.replaceChildren(this.#reading)
    void follow(name, this.#trials, {
      told: (view, hasTrials) => this.#tell(view, hasTrials),
      weighed: (importance, view) => this.#importance.update(importance, view),
      lost: () => this.#head.connection(true),
      refused: () => panel.replaceChildren(askForToken()),
    })
  }

  async #tell(view: StudyView, hasTrials: boolean): Promise<void> {
    this.#head.connection(false)
    this.#head.tell(view)
    const panel = byId('panel')
    if (view.progress !== null) {
      const { done, all } = view.progress
      this.#progress.value = all > 0 ? done / all : 0
      return
    }
    if (view.version === 0) {
      panel.replaceChildren(empty(view.problem ?? 'No trial here yet: gradus search or gradus worker begins them.'))
      return
    }
    this.#states.update(view)
    this.#lines.update(view)
    this.#workers.update(view)
    const parameters = JSON.stringify(view.parameters)
    const isOther = parameters !== this.#parameters
    this.#parameters = parameters
    if (this.#stack.parentElement !== panel) panel.replaceChildren(this.#stack)
    if (!hasTrials && !isOther) return
    const shown = shownOf(view, this.#trials, ranked(this.#trials, view.direction === 'maximize'))
    for (const part of [this.#best, this.#curves, this.#parallel, this.#scatters]) {
      part.update(shown)
      await nextTurn()
    }
    await allDrawn()
    this.#table.update(shown)
  }
}
