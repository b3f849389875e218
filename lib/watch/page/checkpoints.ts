/** What a run has kept of itself: a table of files, the newest and the best marked. */
import type { CheckpointView } from '../server/wire.js'
import { element, panel } from './dom.js'
import { aligned, bytes, scoreName, whole } from './format.js'

const columns = ['file', 'epoch', 'step', 'score', 'size'] as const

export class CheckpointsPanel {
  readonly #rows = element('tbody')
  readonly element: HTMLElement
  #shown = ''

  constructor() {
    const head = element('tr', {}, ...columns.map((name) => element('th', { scope: 'col' }, name)))
    const table = element('table', { class: 'checkpoints' }, element('thead', {}, head), this.#rows)
    const note = 'the newest is what the run goes on from'
    this.element = panel('Checkpoints', [element('div', { class: 'scroll' }, table)], [], note)
    this.element.hidden = true
  }

  /** The newest come first. */
  update(files: readonly CheckpointView[]): void {
    this.element.hidden = files.length === 0
    const key = JSON.stringify(files)
    if (key === this.#shown) return
    this.#shown = key
    this.#rows.replaceChildren(...files.toReversed().map(row))
  }
}

function row({ name, epoch, step, column, score, size, problem, isNewest, isBest }: CheckpointView): HTMLElement {
  const marks = [...(isNewest ? ['newest'] : []), ...(isBest ? ['best'] : [])]
  const label = element('td', {}, name, ...marks.map((mark) => element('span', { class: 'tag' }, mark)))
  if (problem !== null) {
    const told = element('td', { colSpan: 3, class: 'problem' }, problem)
    return element('tr', {}, label, told, element('td', {}, bytes(size)))
  }
  const scored = column === null ? '–' : `${scoreName(column)} ${aligned(score)}`
  const cells = [whole(epoch), whole(step), scored, bytes(size)]
  return element('tr', {}, label, ...cells.map((text) => element('td', {}, text)))
}
