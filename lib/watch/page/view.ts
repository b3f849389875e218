import type { Range } from './chart.js'
import type { Source } from './source.js'

/** A run that is drawn: the one in focus, and those that are laid over it. */
export interface ShownRun {
  name: string
  title: string
  colour: string
}

/** What views know of the page. */
export interface Context {
  readonly source: Source
  /** The run whose details are shown. */
  readonly focus: ShownRun
  /** It and the others. */
  readonly shown: readonly ShownRun[]
  /** Steps that are looked at; null for all. */
  readonly range: Range | null
  zoom(range: Range | null): void
  /** After a change of something that `update` looks at. */
  refresh(): void
}

export interface View {
  readonly element: HTMLElement
  /** Whether it draws what comes with each event. */
  readonly isLive?: boolean
  /** Brings it up to date. */
  update(context: Context): Promise<void>
}
