/** Which checkpoints of finished trials stay: the best of each of the ten best, linked in `best`. */
import { rm } from 'node:fs/promises'
import { type BestTrial, bestOf, type HeldTrial, hasEnded, linkBest, type Trial } from '../../study/index.js'
import { initialPath } from '../../study/layout.js'
import { bestFileOf, bestTrialOf, checkpointsOf, resultOf } from './best-file.js'
import type { Search } from './search.js'

/** After a trial has ended. Several workers may do so at once: each comes to the same. */
export async function keepCheckpoints(search: Search, held: HeldTrial): Promise<void> {
  const { keep, direction, metric, sampler } = search.definition
  await search.refresh(held.number)
  const ended = search.reader.trial(held.number)
  // Whoever is retried goes on from them.
  if (ended === null || ended.state === 'failed' || ended.state === 'stopped') return
  if ((await checkpointsOf(ended)).length === 0) return
  const ranked = bestOf(
    search.trials.flatMap((trial) => bestTrialOf(trial) ?? []),
    direction,
  )
  const isBest = ranked.some(({ trial }) => trial === held.number)
  const files: BestTrial[] = []
  if (isBest) {
    for (const { trial } of ranked) {
      const file = await bestFileOf(search.reader.trial(trial)!, metric)
      if (file) files.push(file)
    }
    if (files.length > 0) await linkBest(search.path, files)
  }
  if (keep === 'all') return
  const reach = sampler.inherit?.reach ?? 0
  const needed = search.nextNumber - reach
  const dropped = isBest ? outOf(search, ranked) : [ended]
  for (const trial of dropped) if (reach === 0 || trial.number < needed) await removeCheckpoints(trial, null)
  if (reach > 0) await removeInherited(search, ranked, { from: needed - reach, to: needed })
  const own = files.find(({ trial }) => trial === held.number)
  if (own) await removeCheckpoints(ended, own.path)
}

/** Complete trials that are no longer among the best: the last ones to drop out. */
function outOf({ trials, definition }: Search, ranked: readonly BestTrial[]): Trial[] {
  const best = new Set(ranked.map(({ trial }) => trial))
  const sign = definition.direction === 'maximize' ? -1 : 1
  const others = trials.filter(({ number, state }) => state === 'complete' && !best.has(number))
  return others.sort((a, b) => sign * (resultOf(a) - resultOf(b))).slice(0, 2)
}

/** What no new trial goes on from any more, and what those that have ended went on from. */
async function removeInherited(
  { trials }: Search,
  ranked: readonly BestTrial[],
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  const best = new Set(ranked.map(({ trial }) => trial))
  for (const trial of trials) {
    // Whoever is retried goes on from them.
    const hasGone = hasEnded(trial) && trial.state !== 'failed' && trial.state !== 'stopped'
    if (trial.number < from || trial.number >= to || !hasGone) continue
    if (!best.has(trial.number)) await removeCheckpoints(trial, null)
    await rm(initialPath(trial.path), { force: true }).catch(() => undefined)
  }
}

async function removeCheckpoints(trial: Trial, but: string | null): Promise<void> {
  for (const { path } of await checkpointsOf(trial)) {
    if (path !== but) await rm(path, { force: true }).catch(() => undefined)
  }
}
