/** Columns of the list of runs. */
import type { RunListing } from '../server/wire.js'
import { aligned, duration, scoreName, short, whole, words } from './format.js'

export interface RunColumn {
  /** In the address, when it is sorted by. */
  id: string
  title: string
  isNumber: boolean
  text(run: RunListing): string
  /** What it is sorted by; null comes last. */
  value(run: RunListing): string | number | null
}

const number = (
  id: string,
  title: string,
  value: (run: RunListing) => number | null | undefined,
  format: (value: number | null | undefined) => string = short,
): RunColumn => ({
  id,
  title,
  isNumber: true,
  value: (run) => value(run) ?? null,
  text: (run) => (value(run) === null || value(run) === undefined ? '' : format(value(run))),
})

const setting = (name: string, title = words(name)): RunColumn => {
  const value = (run: RunListing) => run.settings[name]
  return {
    id: name,
    title,
    isNumber: true,
    value: (run) => value(run) ?? null,
    text: (run) => {
      const known = value(run)
      // A seed is a name, not an amount.
      return typeof known === 'number' ? (name === 'seed' ? String(known) : short(known)) : (known ?? '')
    },
  }
}

/** Of every list; the first one, the name, is the table's own. */
const always: readonly RunColumn[] = [
  number('loss', 'loss', ({ loss }) => loss, aligned),
  setting('learningRate'),
  setting('batchSize'),
  { ...setting('optimizer'), isNumber: false },
  {
    ...number('epoch', 'epochs', ({ epoch }) => epoch),
    text: ({ epoch, epochs }) => (epochs === undefined ? '' : `${whole(epoch)} / ${whole(epochs)}`),
  },
  number('time', 'time', ({ seconds }) => seconds, duration),
]

/** What runs of one folder tell of their best: all the same column, as a rule. */
function best(runs: readonly RunListing[]): RunColumn {
  const columns = new Set(runs.flatMap((run) => run.best?.column ?? []))
  const [only] = columns
  return {
    ...number('best', columns.size === 1 ? `best ${scoreName(only!)}` : 'best', (run) => run.best?.value),
    text: ({ best: own }) => (own ? aligned(own.value) + (columns.size > 1 ? ` ${scoreName(own.column)}` : '') : ''),
  }
}

/** Settings in which the chosen runs differ, beyond those that are always told. */
export function differences(chosen: readonly RunListing[]): RunColumn[] {
  const names = [...new Set(chosen.flatMap(({ settings }) => Object.keys(settings)))]
  const isTold = (name: string) => always.some(({ id }) => id === name)
  const differs = (name: string) => new Set(chosen.map(({ settings }) => settings[name])).size > 1
  // The length of a run stands among the epochs.
  return names
    .filter((name) => !isTold(name) && name !== 'epochs' && differs(name))
    .map((name) => ({
      ...setting(name),
      isNumber: chosen.every(({ settings }) => typeof (settings[name] ?? 0) === 'number'),
    }))
}

export const columnsOf = (runs: readonly RunListing[], chosen: readonly RunListing[]): RunColumn[] => [
  best(runs),
  ...always,
  ...(chosen.length > 1 ? differences(chosen) : []),
]

/** `sort`: the id of a column, with a `-` for the largest first. Without: what began last comes first. */
export function sortRuns(runs: readonly RunListing[], columns: readonly RunColumn[], sort: string): RunListing[] {
  const isDown = sort.startsWith('-')
  const id = sort.replace(/^-/, '')
  const name = (run: RunListing) => run.name
  const value = id === 'name' ? name : columns.find((column) => column.id === id)?.value
  if (!value)
    return runs.toSorted((a, b) => (b.started ?? '').localeCompare(a.started ?? '') || compare(a.name, b.name))
  return runs.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)]
    if (x === null || y === null) return Number(x === null) - Number(y === null)
    return compare(x, y) * (isDown ? -1 : 1) || compare(a.name, b.name)
  })
}

const compare = (a: string | number, b: string | number): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true })

/** Whether all that the filter names, between commas, stands in what is known of a run: `adam, batch size 32, #baseline`. */
export function matches(run: RunListing, title: string, filter: string): boolean {
  const { status, verdict, notes, settings } = run
  const text = [
    ...[title, status, verdict?.rule ?? '', verdict?.severity ?? '', notes.text],
    ...notes.tags.map((tag) => `#${tag}`),
    ...Object.entries(settings).map(([name, value]) => `${words(name)} ${value}`),
  ]
  const all = text.join('\n').toLowerCase()
  return filter
    .toLowerCase()
    .split(',')
    .every((part) => all.includes(part.trim()))
}
