/** What a diagnosis says. */
import type { Finding } from '../../train/extensions.js'

export type { Finding }
export type Severity = Finding['severity']
/** From when on something holds. */
export type Since = Finding['since']

/** What a rule finds; its name and page are the rule's. */
export type Observation = Omit<Finding, 'rule' | 'page'>
