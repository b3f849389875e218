/** Which checkpoints of finished trials stay: the best of each of the ten best, linked in `best`. */
import { rm } from 'node:fs/promises'
import { type BestTrial, bestOf, type HeldTrial, linkBest, type Trial } from '../../study/index.js'
import { bestFileOf, bestTrialOf, checkpointsOf, resultOf } from './best-file.js'
import type { Search } from './search.js'

/** After a trial has ended. Several workers may do so at once: each comes to the same. */
export async function keepCheckpoints(search: Search, held: HeldTrial): Promise<void> {
  const { keep, direction, metric } = search.definition
  await search.refresh()
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
  for (const trial of isBest ? outOf(search, ranked) : [ended]) await removeCheckpoints(trial, null)
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

async function removeCheckpoints(trial: Trial, but: string | null): Promise<void> {
  for (const { path } of await checkpointsOf(trial)) {
    if (path !== but) await rm(path, { force: true }).catch(() => undefined)
  }
}
