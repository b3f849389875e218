/** What `fit({ sanityCheck: true })` runs first. The checks lie above training and say here that they are there. */
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { Settings } from './options.js'
import type { TrainTarget } from './target.js'

type Preflight = (target: TrainTarget, data: Data, settings: Settings) => Promise<void>

let preflight: Preflight = async () => {
  throw new GradusError('GRADUS_INTERNAL', 'sanityCheck: the checks are not loaded')
}

export function setPreflight(check: Preflight): void {
  preflight = check
}

/** @throws `GRADUS_SANITY_CHECK` with the list of the checks when one of them fails. */
export async function runPreflight(target: TrainTarget, data: Data, settings: Settings): Promise<void> {
  if (settings.sanityCheck) await preflight(target, data, settings)
}
