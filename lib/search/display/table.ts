/** Columns of text, as wide as what stands in them. */

export interface Column<Row> {
  readonly title: string
  readonly text: (row: Row) => string
  /** Numbers stand at the right. */
  readonly isNumber?: boolean | undefined
}

/** The lines of a table, its titles first. Columns that a width leaves no room for are left out, the last ones first. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width = Number.POSITIVE_INFINITY,
): { readonly lines: string[]; readonly leftOut: number } {
  const texts = columns.map(({ title, text }) => [title, ...rows.map(text)])
  const widths = texts.map((column) => column.reduce((most, { length }) => Math.max(most, length), 0))
  let [shown, used] = [0, -2]
  while (shown < columns.length && (shown === 0 || used + 2 + widths[shown]! <= width)) used += 2 + widths[shown++]!
  const line = (row: number) =>
    columns
      .slice(0, shown)
      .map(({ isNumber }, i) => (isNumber ? texts[i]![row]!.padStart(widths[i]!) : texts[i]![row]!.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  return { lines: [-1, ...rows.keys()].map((row) => line(row + 1)), leftOut: columns.length - shown }
}
