/** Weights that a model keeps as they are. */
import { checkPatterns, type NamePatterns, namesMatching } from '../optimizers/patterns.js'
import type { Lowered, Network } from './lower.js'

/** The network with other names among the frozen: `change` is called with each that the patterns name. */
export function withFrozen(
  network: Network,
  { descriptor: { parameters } }: Lowered,
  patterns: NamePatterns,
  change: (frozen: Set<string>, name: string) => void,
): Network {
  const all = parameters.map(({ name }) => name)
  const frozen = new Set(network.frozen)
  for (const name of namesMatching('names', checkPatterns('names', patterns), all)) change(frozen, name)
  return { ...network, frozen }
}
