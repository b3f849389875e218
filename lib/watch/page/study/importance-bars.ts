/** How much each parameter matters, as bars; or why that is not known. */
import type { ImportanceView, StudyView } from '../../server/study/study-wire.js'
import { element, panel } from '../dom.js'
import { percent, whole } from '../format.js'

/** The rest are told as one. */
const most = 12

export class ImportanceBars {
  readonly element = element('div')
  #key = ''

  update(importance: ImportanceView, { parameters, direction }: StudyView): void {
    const key = JSON.stringify([importance, parameters, direction])
    if (key === this.#key) return
    this.#key = key
    if (importance.shares === null) {
      this.element.replaceChildren(panel('Importance', [element('p', { class: 'note' }, importance.why)]))
      return
    }
    const { shares, trials, stage } = importance
    const sorted = parameters.map(({ path }, i) => ({ path, share: shares[i] ?? 0 })).sort((a, b) => b.share - a.share)
    const rest = sorted.slice(most)
    if (rest.length > 0) {
      const share = rest.reduce((sum, one) => sum + one.share, 0)
      sorted.splice(most, rest.length, { path: `${rest.length} others`, share })
    }
    const rows = sorted.flatMap(({ path, share }) => {
      const bar = element('span', { class: 'importance-bar' })
      bar.style.width = `${100 * share}%`
      return [
        element('dt', { title: path }, path),
        element(
          'dd',
          {},
          element('span', { class: 'importance-track' }, bar),
          element('span', { class: 'importance-share' }, percent(share)),
        ),
      ]
    })
    const of = `of being among the best tenth of ${whole(trials)} finished trials${stage === null ? '' : ` of stage ${stage}`}`
    const note = element('p', { class: 'note' }, `PED-ANOVA: what each parameter has to do with the chance ${of}.`)
    this.element.replaceChildren(panel('Importance', [element('dl', { class: 'importance' }, ...rows), note]))
  }
}
