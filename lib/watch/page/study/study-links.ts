/** The studies of a folder, a row each that opens it. */
import type { StudyListing } from '../../server/study/study-wire.js'
import { element } from '../dom.js'
import { many, studyTitle } from './study-head.js'
import { studyAddress } from './study-source.js'

export class StudyLinks {
  readonly #section: HTMLElement
  #key = ''

  constructor(section: HTMLElement) {
    this.#section = section
  }

  update(studies: readonly StudyListing[]): void {
    const key = JSON.stringify(studies)
    if (key === this.#key) return
    this.#key = key
    this.#section.hidden = studies.length === 0
    const rows = studies.map(({ name, trials }) =>
      element(
        'tr',
        {},
        element(
          'th',
          { scope: 'row' },
          element('a', { class: 'run-name', href: studyAddress(name) }, studyTitle(name)),
        ),
        element('td', {}, 'study'),
        element('td', { class: 'number' }, many(trials, 'trial')),
      ),
    )
    const table = element('table', { class: 'runs' }, element('tbody', {}, ...rows))
    this.#section.replaceChildren(
      element('h2', {}, many(studies.length, 'study').replace('studys', 'studies')),
      element('div', { class: 'scroll' }, table),
    )
  }
}
