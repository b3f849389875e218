/** What a diagnosis says. */
import type { Finding } from '../../train/watching.js'
import type { Picture } from './picture.js'

export type { Finding }
export type Severity = Finding['severity']
/** From when on something holds. */
export type Since = Finding['since']

/** What a rule finds; its name and page are the rule's. */
export type Observation = Omit<Finding, 'rule' | 'page'>

export interface Rule {
  readonly name: string
  /** Rules whose findings only follow from this one's: they are left out beside it. */
  readonly explains: readonly string[]
  /** Null where the run does not look like that. */
  find(picture: Picture): Observation | null
}
