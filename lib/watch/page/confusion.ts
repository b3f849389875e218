import { element } from './dom.js'
import { percent, whole } from './format.js'

/** With more classes the cells have no numbers, but tell them when pointed at. */
const mostNumbered = 16

/** Of a class, by its number. */
export type NameOf = (label: number) => string

/** Right answers and mistakes have colours of their own: those by their share of the row, these beside the worst. */
export function confusionTable(counts: readonly (readonly number[])[], nameOf: NameOf): HTMLElement {
  const isNumbered = counts.length <= mostNumbered
  const names = counts.map((_, label) => nameOf(label))
  const head = element(
    'tr',
    {},
    element('td'),
    ...names.map((name) => element('th', { scope: 'col', title: name }, name)),
  )
  const shares = counts.map((row) => row.map((count) => count / (row.reduce((sum, other) => sum + other, 0) || 1)))
  const worst = Math.max(...shares.flatMap((row, actual) => row.filter((_, predicted) => predicted !== actual)))
  const rows = counts.map((row, actual) => {
    const cells = row.map((count, predicted) => {
      const share = shares[actual]![predicted]!
      const shade = share / (predicted === actual ? 1 : worst)
      const title = `true ${names[actual]}, predicted ${names[predicted]}: ${whole(count)} (${percent(share)} of the class)`
      return cell(count, shade, { title, isRight: actual === predicted, isNumbered })
    })
    return element('tr', {}, element('th', { scope: 'row' }, names[actual]), ...cells)
  })
  const table = element('table', { class: isNumbered ? 'confusion' : 'confusion is-fine' }, head, ...rows)
  return element('div', { class: 'scroll', tabIndex: 0, role: 'group', 'aria-label': 'Confusion matrix' }, table)
}

interface CellOptions {
  title: string
  isRight: boolean
  isNumbered: boolean
}

function cell(count: number, shade: number, { title, isRight, isNumbered }: CellOptions): HTMLElement {
  const kind = isRight ? 'right' : 'wrong'
  const made = element(
    'td',
    { class: count > 0 ? kind : 'none', title },
    isNumbered ? (count > 0 ? whole(count) : '·') : '',
  )
  made.style.setProperty('--share', String(Math.round(100 * shade)))
  return made
}
