/** What finds something in a run. */
import type { Observation } from './finding.js'
import type { Picture } from './picture.js'

export interface Rule {
  readonly name: string
  /** Rules whose findings only follow from this one's: they are left out beside it. */
  readonly explains: readonly string[]
  /** Null where the run does not look like that. */
  find(picture: Picture): Observation | null
}
