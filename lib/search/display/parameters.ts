/** The parameters of trials as columns. */
import { isRecord, type Json } from '../../call.js'
import { valueText } from './numbers.js'
import type { Column } from './table.js'

interface Given {
  readonly params: { readonly [name: string]: Json }
}

/** A column a parameter, in the order in which the trials have them; of branches their names. */
export function parameterColumns<Row extends Given>(rows: readonly Row[]): Column<Row>[] {
  const names = new Set(rows.flatMap(({ params }) => Object.keys(params)))
  return [...names].map((name) => ({
    title: name,
    isNumber: rows.every(({ params }) => typeof (params[name] ?? 0) === 'number'),
    text: ({ params }) => valueText(Object.hasOwn(params, name) ? params[name] : undefined),
  }))
}

/** Each value by its path, those of branches with it: `optimizer`, `optimizer.adam.beta1`. */
export function flatParams({ params }: Given, prefix = ''): Map<string, Json> {
  const found = new Map<string, Json>()
  for (const [name, value] of Object.entries(params)) {
    const path = `${prefix}${name}`
    if (!isRecord(value) || typeof value.name !== 'string') found.set(path, value)
    else {
      const { name: branch, ...inner } = value as { readonly [name: string]: Json } & { readonly name: string }
      found.set(path, branch)
      for (const entry of flatParams({ params: inner }, `${path}.${branch}.`)) found.set(...entry)
    }
  }
  return found
}
