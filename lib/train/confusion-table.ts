/** A confusion matrix is an array of rows, which print themselves as a table with the names of the classes. */
import { inspect } from 'node:util'

/** Nothing but `inspect` and `console.log` sees a difference. */
export function printAsTable(rows: number[][], classes?: readonly string[]): void {
  // Within records and histories the depth is used up, and a line is enough.
  const value = (depth: number) => (depth > 0 && rows.length <= mostRows ? table(rows, classes) : line(rows))
  Object.defineProperty(rows, inspect.custom, { value })
}

const mostRows = 20
const longestHeading = 8

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

function line(rows: readonly number[][]): string {
  const right = sum(rows.map((counts, own) => counts[own]!))
  return `ConfusionMatrix(${rows.length} classes, ${percent(right / sum(rows.map(sum)))} on the diagonal)`
}

/** With the recall of each class: the share of its examples that were taken for it. */
function table(rows: readonly number[][], classes?: readonly string[]): string {
  const names = rows.map((_, own) => classes?.[own] ?? String(own))
  const headings = [...names.map(shortened), 'NaN'].slice(0, rows[0]!.length)
  const cells = [
    ['', ...headings, 'recall'],
    ...rows.map((counts, own) => [
      names[own]!,
      ...counts.map((count) => (count === 0 ? '·' : String(Number(count.toFixed(2))))),
      sum(counts) > 0 ? percent(counts[own]! / sum(counts)) : '',
    ]),
  ]
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padStart(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  return ['Rows: the right class; columns: the class that was predicted', ...lines].join('\n')
}

const shortened = (name: string) => (name.length > longestHeading ? `${name.slice(0, longestHeading - 1)}…` : name)
