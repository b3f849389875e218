import { failed, passed, type SanityCheck } from '../check.js'
import { type Context, forEachNumber } from '../context.js'

/** Neither inputs nor targets have a NaN or an infinity: one of them spoils every weight it touches. */
export const finiteData: SanityCheck = {
  name: 'finiteData',
  needs: 'data',
  async run(context) {
    const bad = await badRows(context)
    const [first] = bad
    if (!first) return passed('finite numbers', 'finite numbers', 'all numbers are finite')
    const rows = new Set(bad.map(({ row }) => row)).size
    const message = `${first.argument} has ${first.value} in row ${first.row}${rows > 1 ? `, and ${rows - 1} more rows are not finite` : ''}`
    return failed(
      'finite numbers',
      `${rows} rows with NaN or infinity`,
      message,
      'leave those rows out or fill the gaps',
    )
  },
}

/** The rows with a number that is not finite, at most a thousand of them. */
export async function badRows(context: Context): Promise<{ argument: string; row: number; value: number }[]> {
  const bad: { argument: string; row: number; value: number }[] = []
  const target = context.targetColumn()
  for (const column of [...context.inputColumns(), ...(target ? [target] : [])]) {
    await forEachNumber(column, (value, row) => {
      if (!Number.isFinite(value) && bad.length < 1000) bad.push({ argument: column.argument, row, value })
    })
  }
  return bad
}
