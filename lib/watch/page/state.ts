/** What the page shows, as it stands in the address: a reload and a link bring it back. */
import type { AxisKind } from './axes.js'
import type { Range } from './chart.js'
import { fragment } from './token.js'

export interface State {
  /** Whose runs are shown: those of a trial, or null for the folder's. */
  of: TrialPlace | null
  view: string
  /** The run in focus; empty for the one that began last. */
  run: string
  /** Those compared with it. */
  compared: Set<string>
  axis: AxisKind
  range: Range | null
  /** As chosen; null for what the curves suggest. */
  isLog: boolean | null
  /** Weight of what went before in a running mean, 0 for none; null for what the curves suggest. */
  smoothing: number | null
  /** Column of the list of runs, with a `-` before it when the largest come first. */
  sort: string
  filter: string
}

/** A trial of a study. */
export interface TrialPlace {
  study: string
  trial: number
}

const axes: readonly AxisKind[] = ['step', 'epoch', 'time']

export function readState(): State {
  const of = fragment()
  const smoothing = Number(of.get('smoothing') ?? Number.NaN)
  const log = of.get('log')
  return {
    of: readPlace(),
    view: of.get('view') ?? '',
    run: of.get('run') ?? '',
    compared: new Set(of.getAll('with')),
    axis: axes.find((axis) => axis === of.get('axis')) ?? 'step',
    range: readRange(of.get('from'), of.get('to')),
    isLog: log === null ? null : log === '1',
    smoothing: smoothing >= 0 && smoothing < 1 ? smoothing : null,
    sort: of.get('sort') ?? '',
    filter: of.get('filter') ?? '',
  }
}

/** As it stands in the address; null where there is none. */
export function readPlace(): TrialPlace | null {
  const [study, trial] = [fragment().get('study'), fragment().get('trial') ?? '']
  return study !== null && /^\d{1,10}$/.test(trial) ? { study, trial: Number(trial) } : null
}

function readRange(from: string | null, to: string | null): Range | null {
  const range = { from: Number(from ?? Number.NaN), to: Number(to ?? Number.NaN) }
  return range.from >= 0 && range.to > range.from && Number.isFinite(range.to) ? range : null
}

/** What is as it is without saying stays out of the address. */
export function writeState(state: State): void {
  const entries: [string, string][] = [
    ['study', state.of?.study ?? ''],
    ['trial', state.of ? String(state.of.trial) : ''],
    ['view', state.view],
    ['run', state.run],
    ...[...state.compared].map((run): [string, string] => ['with', run]),
    ['axis', state.axis === 'step' ? '' : state.axis],
    ['from', state.range ? String(round(state.range.from)) : ''],
    ['to', state.range ? String(round(state.range.to)) : ''],
    ['log', state.isLog === null ? '' : state.isLog ? '1' : '0'],
    ['smoothing', state.smoothing === null ? '' : String(state.smoothing)],
    ['sort', state.sort],
    ['filter', state.filter],
  ]
  history.replaceState(null, '', `#${new URLSearchParams(entries.filter(([, value]) => value !== ''))}`)
}

const round = (value: number): number => Number(value.toPrecision(7))
