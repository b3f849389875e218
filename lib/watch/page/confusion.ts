import { element } from './dom.js'
import { whole } from './format.js'

/** With more classes the cells have no numbers, but tell them when pointed at. */
const mostNumbered = 16

/** Right answers and mistakes have colours of their own: those by their share of the row, these beside the worst. */
export function confusionTable(counts: readonly (readonly number[])[]): HTMLElement {
  const isNumbered = counts.length <= mostNumbered
  const classes = counts.map((_, i) => i)
  const head = element('tr', {}, element('td'), ...classes.map((name) => element('th', { scope: 'col' }, String(name))))
  const shares = counts.map((row) => row.map((count) => count / (row.reduce((sum, other) => sum + other, 0) || 1)))
  const worst = Math.max(...shares.flatMap((row, actual) => row.filter((_, predicted) => predicted !== actual)))
  const rows = counts.map((row, actual) => {
    const cells = row.map((count, predicted) => {
      const share = shares[actual]![predicted]! / (predicted === actual ? 1 : worst)
      return cell(count, share, actual, predicted, isNumbered)
    })
    return element('tr', {}, element('th', { scope: 'row' }, String(actual)), ...cells)
  })
  const table = element('table', { class: isNumbered ? 'confusion' : 'confusion is-fine' }, head, ...rows)
  return element('div', { class: 'scroll', tabIndex: 0, role: 'group', 'aria-label': 'Confusion matrix' }, table)
}

function cell(count: number, share: number, actual: number, predicted: number, isNumbered: boolean): HTMLElement {
  const title = `${actual} read as ${predicted}: ${whole(count)}`
  const kind = actual === predicted ? 'right' : 'wrong'
  const made = element(
    'td',
    { class: count > 0 ? kind : 'none', title },
    isNumbered ? (count > 0 ? whole(count) : '·') : '',
  )
  made.style.setProperty('--share', String(Math.round(100 * share)))
  return made
}
