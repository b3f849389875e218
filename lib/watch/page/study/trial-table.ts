/** The trials of a study as a table: sorted by any column, best first, and a state alone. */
import { trialStates } from '../../server/study/study-wire.js'
import { element, setText } from '../dom.js'
import { duration, short, whole } from '../format.js'
import { firstOf } from './first-of.js'
import type { Shown } from './points.js'
import { parameterScale } from './scale.js'
import { trialAddress } from './study-source.js'
import { hasValue } from './trials.js'

/** Rows that are shown, and come with each click on what shows more. */
const atOnce = 100

/** A hundred rows at once would hold up the page for longer than a picture does. */
const rowsAFrame = 20

interface Column {
  id: string
  title: string
  isNumber: boolean
  /** What it is sorted by; NaN and '' come last. */
  value(row: number): number | string
  text(row: number): string
}

export class TrialTable {
  readonly element: HTMLElement
  readonly #title = element('h2')
  readonly #states = element('select', { 'aria-label': 'Show trials that are', onchange: () => this.#draw() })
  readonly #head = element('tr')
  readonly #body = element('tbody')
  readonly #more = element('button', { type: 'button', class: 'reset', hidden: true, onclick: () => this.#showMore() })
  #shown: Shown | null = null
  /** Rows that another picture has chosen; null: all. */
  #chosen: ReadonlySet<number> | null = null
  /** Id of a column, with a `-` for the largest first; empty: best first. */
  #sort = ''
  #most = atOnce
  #key = ''

  constructor() {
    this.#states.append(...['all states', ...trialStates].map((value) => element('option', { value }, value)))
    const table = element('table', { class: 'runs trials' }, element('thead', {}, this.#head), this.#body)
    const label = element('label', { class: 'control' }, 'show', this.#states)
    this.element = element(
      'section',
      { class: 'panel', 'aria-label': 'Trials' },
      element('div', { class: 'runs-head' }, this.#title, label),
      element(
        'div',
        { class: 'scroll trials-scroll', tabIndex: 0, role: 'group', 'aria-label': 'List of trials' },
        table,
      ),
      this.#more,
    )
  }

  update(shown: Shown): void {
    this.#shown = shown
    this.#draw()
  }

  choose(rows: readonly number[] | null): void {
    this.#chosen = rows && new Set(rows)
    if (this.#shown) this.#draw()
  }

  #showMore(): void {
    this.#most += atOnce
    this.#draw()
  }

  get #columns(): Column[] {
    const { trials, view } = this.#shown!
    const number = (
      id: string,
      title: string,
      value: (row: number) => number,
      text: (row: number) => string,
    ): Column => {
      return { id, title, isNumber: true, value, text }
    }
    const value = (row: number) => (hasValue(trials.state[row]!, trials.value[row]!) ? trials.value[row]! : Number.NaN)
    const parameters = view.parameters.map((parameter, i): Column => {
      const scale = parameterScale(parameter, [])
      const own = (row: number) => trials.params[i]?.[row] ?? Number.NaN
      const text = (row: number) => (Number.isNaN(own(row)) ? '' : scale.text(own(row)))
      return {
        id: `p.${parameter.path}`,
        title: parameter.path,
        isNumber: parameter.choices === null,
        value: own,
        text,
      }
    })
    const stage = number(
      'stage',
      'stage',
      (row) => trials.stage[row]!,
      (row) => whole(trials.stage[row]!),
    )
    const textOf = (row: number) => (Number.isNaN(value(row)) ? '' : short(value(row)))
    const seconds = (row: number) => trials.end[row]! - trials.begin[row]!
    return [
      {
        id: 'state',
        title: 'state',
        isNumber: false,
        value: (row) => trials.state[row]!,
        text: (row) => trials.state[row]!,
      },
      number('value', view.metric, value, textOf),
      number(
        'epoch',
        'epochs',
        (row) => trials.epoch[row]!,
        (row) => whole(trials.epoch[row]!),
      ),
      ...(view.stage ? [stage] : []),
      number('time', 'time', seconds, (row) => duration(seconds(row))),
      {
        id: 'worker',
        title: 'worker',
        isNumber: false,
        value: (row) => trials.worker[row]!,
        text: (row) => trials.worker[row]!,
      },
      ...parameters,
    ]
  }

  #draw(): void {
    const { trials } = this.#shown!
    const columns = this.#columns
    const state = this.#states.value
    const all = [...trials.number.keys()]
    const found = all.filter(
      (row) => (state === 'all states' || trials.state[row] === state) && (!this.#chosen || this.#chosen.has(row)),
    )
    setText(
      this.#title,
      `${found.length === all.length ? '' : `${whole(found.length)} of `}${whole(all.length)} trials`,
    )
    this.#drawHead(columns)
    const rows = this.#first(found, columns)
    this.#more.hidden = found.length <= this.#most
    setText(this.#more, `Show ${whole(Math.min(atOnce, found.length - this.#most))} more`)
    const cells = rows.map((row) => [String(trials.number[row]), ...columns.map(({ text }) => text(row))])
    const key = JSON.stringify(cells)
    if (key === this.#key) return
    this.#key = key
    const study = this.#shown!.view.name
    const made = (from: number, to: number) =>
      rows.slice(from, to).map((row, i) => rowOf(study, trials.number[row]!, columns, cells[from + i]!))
    // Rows that somebody sees are replaced in one go, so that nothing jumps.
    const isFirst = this.#body.childElementCount === 0
    const atFirst = isFirst ? rowsAFrame : rows.length
    this.#body.replaceChildren(...made(0, atFirst))
    if (atFirst < rows.length) requestAnimationFrame(() => this.#fill(key, made, rows.length))
  }

  /** Adds the rest, some rows a frame, unless other rows have come. */
  #fill(key: string, made: (from: number, to: number) => HTMLElement[], count: number): void {
    const from = this.#body.childElementCount
    if (this.#key !== key || from >= count) return
    this.#body.append(...made(from, from + rowsAFrame))
    requestAnimationFrame(() => this.#fill(key, made, count))
  }

  #drawHead(columns: readonly Column[]): void {
    const heads = [{ id: 'number', title: 'trial', isNumber: true }, ...columns].map(({ id, title, isNumber }) => {
      const [isUp, isDown] = [this.#sort === id, this.#sort === `-${id}`]
      const next = isDown ? id : isUp ? '' : `-${id}`
      const sort = () => {
        this.#sort = next
        this.#draw()
      }
      const order = isUp ? 'ascending' : isDown ? 'descending' : undefined
      const button = element('button', { type: 'button', onclick: sort }, title)
      return element('th', { scope: 'col', class: isNumber ? 'number' : undefined, 'aria-sort': order }, button)
    })
    const key = JSON.stringify([columns.map(({ id }) => id), this.#sort])
    if (this.#head.dataset.key === key) return
    this.#head.dataset.key = key
    this.#head.replaceChildren(...heads)
  }

  /** As many as are shown. Best first: then those without a value, the latest first. */
  #first(rows: readonly number[], columns: readonly Column[]): number[] {
    const { trials, isMaximized } = this.#shown!
    const id = this.#sort.replace(/^-/, '')
    const sign = id === '' ? (isMaximized ? -1 : 1) : this.#sort.startsWith('-') ? -1 : 1
    const column = columns.find((one) => one.id === (id || 'value'))
    const value = column?.value ?? ((row: number) => trials.number[row]!)
    const isNone = (one: number | string) => one === '' || Number.isNaN(one)
    // What it is sorted by is asked once of each.
    const keyed = rows.map((row) => ({ row, key: value(row) }))
    const first = firstOf(keyed, this.#most, ({ row: a, key: x }, { row: b, key: y }) => {
      const byNone = Number(isNone(x)) - Number(isNone(y))
      if (byNone !== 0) return byNone
      const order = typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), 'en')
      return (Number.isNaN(order) ? 0 : sign * order) || trials.number[b]! - trials.number[a]!
    })
    return first.map(({ row }) => row)
  }
}

function rowOf(study: string, number: number, columns: readonly Column[], cells: readonly string[]): HTMLElement {
  const address = trialAddress(study, number)
  const open = () => {
    location.hash = address
  }
  const link = element('a', { class: 'link', href: address }, cells[0]!)
  return element(
    'tr',
    { onclick: open },
    element('th', { scope: 'row', class: 'number' }, link),
    ...columns.map(({ id, isNumber }, i) => {
      const text = cells[i + 1]!
      const body = id === 'state' ? element('span', { class: `dot is-${text}` }) : null
      return element('td', { class: isNumber ? 'number' : undefined, title: text }, body, text)
    }),
  )
}
