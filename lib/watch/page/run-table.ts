/** The runs of a folder as a table: a click shows one, its box compares it with the one that is shown. */
import type { RunList, RunListing } from '../server/wire.js'
import { element, setText } from './dom.js'
import { runTitle } from './format.js'
import { columnsOf, matches, type RunColumn, sortRuns } from './run-columns.js'
import type { State } from './state.js'

interface Listener {
  focus(run: string): void
  compare(run: string, isOn: boolean): void
  sort(by: string): void
  filter(text: string): void
}

export interface Marked extends Pick<State, 'sort' | 'filter'> {
  focus: string
  /** Of those that are drawn. */
  colours: ReadonlyMap<string, string>
}

interface Row {
  key: string
  element: HTMLTableRowElement
}

export class RunTable {
  readonly #section: HTMLElement
  readonly #listener: Listener
  readonly #title = element('h2')
  readonly #none = element('p', { class: 'note', hidden: true }, 'No run matches the filter.')
  readonly #search: HTMLInputElement
  readonly #head = element('tr')
  readonly #body = element('tbody')
  readonly #rows = new Map<string, Row>()
  #shape = ''
  #inView = ''

  constructor(section: HTMLElement, listener: Listener) {
    this.#section = section
    this.#listener = listener
    this.#search = element('input', {
      type: 'search',
      placeholder: 'filter: name, #tag, adam, batch size 32 …',
      'aria-label': 'Filter the runs',
      oninput: () => listener.filter(this.#search.value.trim()),
    })
    const table = element('table', { class: 'runs' }, element('thead', {}, this.#head), this.#body)
    section.append(
      element('div', { class: 'runs-head' }, this.#title, this.#search),
      element('div', { class: 'scroll runs-scroll', tabIndex: 0, role: 'group', 'aria-label': 'List of runs' }, table),
      this.#none,
    )
  }

  update({ folder, runs }: RunList, marked: Marked): void {
    this.#section.hidden = runs.length < 2
    if (runs.length < 2) return
    if (this.#search.value.trim() !== marked.filter) this.#search.value = marked.filter
    const chosen = runs.filter(({ name }) => marked.colours.has(name))
    const columns = columnsOf(runs, chosen)
    const found = runs.filter((run) => matches(run, runTitle(run.name, folder), marked.filter))
    setText(this.#title, `${found.length === runs.length ? '' : `${found.length} of `}${runs.length} runs in ${folder}`)
    this.#none.hidden = found.length > 0
    this.#updateHead(columns, marked.sort)
    this.#updateBody(sortRuns(found, columns, marked.sort), columns, folder, marked)
  }

  #updateHead(columns: readonly RunColumn[], sort: string): void {
    const shape = JSON.stringify([columns.map(({ id, title }) => [id, title]), sort])
    if (shape === this.#shape) return
    this.#shape = shape
    const heads = [{ id: 'name', title: 'run', isNumber: false }, ...columns].map(({ id, title, isNumber }) => {
      const isUp = sort === id
      const isDown = sort === `-${id}`
      const next = isDown ? id : isUp ? '' : `-${id}`
      const button = element('button', { type: 'button', onclick: () => this.#listener.sort(next) }, title)
      const order = isUp ? 'ascending' : isDown ? 'descending' : undefined
      return element('th', { scope: 'col', class: isNumber ? 'number' : undefined, 'aria-sort': order }, button)
    })
    this.#head.replaceChildren(element('th', { scope: 'col', class: 'choice', title: 'compare' }), ...heads)
  }

  /** Only rows that have changed are made anew: a folder may hold hundreds. */
  #updateBody(runs: readonly RunListing[], columns: readonly RunColumn[], folder: string, marked: Marked): void {
    const focused = this.#body.contains(document.activeElement) ? document.activeElement?.id : undefined
    const rows = runs.map((run) => {
      const title = runTitle(run.name, folder)
      const cells = columns.map(({ id, isNumber, text }) => ({ id, isNumber, text: text(run) }))
      const { status, reason, verdict, notes } = run
      const look = { colour: marked.colours.get(run.name), isFocus: run.name === marked.focus }
      const key = JSON.stringify([title, status, reason, verdict, notes, look, cells])
      let row = this.#rows.get(run.name)
      if (row?.key !== key) row = { key, element: this.#row(run, title, cells, look) }
      this.#rows.set(run.name, row)
      return row.element
    })
    const isSame = rows.length === this.#body.children.length && rows.every((row, i) => row === this.#body.children[i])
    if (isSame) return
    this.#body.replaceChildren(...rows)
    if (focused) document.getElementById(focused)?.focus()
    if (marked.focus !== this.#inView) this.#bringIntoView(marked.focus)
  }

  /** The run that is shown, when it becomes so; the page itself stays where it is. */
  #bringIntoView(name: string): void {
    this.#inView = name
    const row = this.#rows.get(name)?.element
    const box = row?.closest<HTMLElement>('.runs-scroll')
    if (!row || !box) return
    const [top, bottom] = [row.offsetTop - row.offsetHeight, row.offsetTop + row.offsetHeight]
    if (top < box.scrollTop) box.scrollTop = top
    else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight
  }

  #row(
    run: RunListing,
    title: string,
    cells: readonly { isNumber: boolean; text: string }[],
    { colour, isFocus }: { colour: string | undefined; isFocus: boolean },
  ): HTMLTableRowElement {
    const { name, status, reason } = run
    const isLost = status === 'unreadable'
    const box = element('input', {
      type: 'checkbox',
      id: `compare:${name}`,
      checked: colour !== undefined,
      disabled: isLost || isFocus,
      title: isFocus ? 'The run that is shown' : 'Compare with the run that is shown',
      'aria-label': `Compare ${title}`,
      onchange: () => this.#listener.compare(name, box.checked),
    })
    if (colour) box.style.setProperty('--swatch', colour)
    const button = element(
      'button',
      {
        type: 'button',
        id: `run:${name}`,
        class: 'run-name',
        disabled: isLost,
        'aria-current': isFocus ? 'true' : undefined,
        title: reason && status !== 'finished' ? `${status}: ${reason}` : status,
        onclick: () => this.#listener.focus(name),
      },
      title,
    )
    const state = status === 'finished' ? null : element('span', { class: `status is-${status}` }, status)
    const tags = run.notes.tags.map((tag) => element('span', { class: 'tag' }, tag))
    const notes =
      run.notes.text && element('span', { class: 'remark', title: run.notes.text }, firstLine(run.notes.text))
    const label = element('div', { class: 'run-label' }, verdictDot(run), button, state, ...tags, notes)
    return element(
      'tr',
      { class: isFocus ? 'is-focus' : undefined },
      element('td', { class: 'choice' }, box),
      element('th', { scope: 'row' }, label),
      ...cells.map(({ isNumber, text }) =>
        element('td', { class: isNumber ? 'number' : undefined, title: text }, text),
      ),
    )
  }
}

const firstLine = (text: string): string => text.split('\n', 1)[0]!

/** How grave the gravest finding is. */
function verdictDot({ verdict }: RunListing): HTMLElement {
  const kind =
    verdict === undefined || verdict.rule === 'tooShort' ? 'none' : isWell(verdict.rule) ? 'good' : verdict.severity
  const title = verdict?.message ?? 'Nothing is known of it yet'
  return element('span', {
    class: `verdict is-${kind}`,
    role: 'img',
    'aria-label': kind === 'good' ? 'healthy' : kind,
    title,
  })
}

const isWell = (rule: string): boolean => rule === 'healthy'
