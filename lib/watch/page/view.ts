import type { RunView } from '../server/wire.js'
import type { Mark } from './axes.js'
import type { Range } from './chart.js'
import type { Clock } from './clock.js'
import { colour } from './palette.js'
import type { Source } from './source.js'
import type { State } from './state.js'

/** A run that is drawn: the one in focus, and those that are compared with it. */
export interface ShownRun {
  name: string
  title: string
  /** Stays with the run, whoever is shown beside it. */
  colour: string
  /** Where another one that is shown has the same colour. */
  dash: number[]
}

/** What views know of the page. */
export interface Context {
  readonly source: Source
  /** The run whose details are shown. */
  readonly focus: ShownRun
  /** It and the others. */
  readonly shown: readonly ShownRun[]
  /** What is chosen: the axis, and the part of it that is looked at. */
  readonly state: Readonly<State>
  /** Where the steps of a run lie on the chosen axis. */
  clock(run: string): Promise<Clock>
  /** Part of the axis, or all again. */
  zoom(range: Range | null): void
  /** Changes what is chosen, and shows it. */
  change(change: (state: State) => void): void
  /** After a change of something that `update` looks at. */
  refresh(): void
  /** Tells that the list of runs is to be asked for anew. */
  reload(): void
}

/** Where runs have gone on in another process; those of one alone are told from its curves by their colour. */
export function marksOf(runs: readonly { run: ShownRun; view: RunView; clock: Clock }[]): Mark[] {
  return runs.flatMap(({ run, view, clock }) =>
    clock.places(view.begins.slice(1).map(({ step }) => step)).flatMap((at) => {
      return at === null ? [] : [{ at, colour: runs.length > 1 ? run.colour : colour('muted') }]
    }),
  )
}

export interface View {
  readonly element: HTMLElement
  /** Whether it draws what comes with each event. */
  readonly isLive?: boolean
  /** Brings it up to date. */
  update(context: Context): Promise<void>
}
