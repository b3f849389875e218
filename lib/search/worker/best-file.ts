/** The checkpoint of a trial's best epoch. */
import { join } from 'node:path'
import { CheckpointFolder, type Found, folderName } from '../../checkpoint/folder.js'
import type { BestTrial, Trial } from '../../study/index.js'
import { runPath } from '../../study/layout.js'
import { isThere } from '../../study/trial.js'

export const resultOf = ({ last }: Trial): number =>
  last?.record.type === 'result' ? (last.record.value ?? Number.NaN) : Number.NaN

/** Its value and epoch; null of one that is not complete. */
export function bestTrialOf(trial: Trial): BestTrial | null {
  if (trial.state !== 'complete') return null
  return { trial: trial.number, value: resultOf(trial), epoch: bestEpochOf(trial), path: '' }
}

function bestEpochOf({ last }: Trial): number {
  const record = last?.record
  if (record?.type !== 'result') return 0
  const epoch = record.details?.bestEpoch
  return Number.isSafeInteger(epoch) ? (epoch as number) : record.epoch
}

/** The checkpoints of a trial's newest run, as they can be read. */
export async function checkpointsOf({ path, claim }: Trial): Promise<Found[]> {
  const folder = join(runPath(path, claim?.record.run ?? 1), folderName)
  // Most trials of own objectives have none.
  if (!isThere(folder)) return []
  return await new CheckpointFolder(folder, { follow: false }).list().catch(() => [])
}

/** Null where there is none: the trial kept none, or it has gone. */
export async function bestFileOf(trial: Trial, metric: string): Promise<BestTrial | null> {
  const epoch = bestEpochOf(trial)
  const sound = (await checkpointsOf(trial)).filter(({ head }) => head?.kind === 'epoch')
  const best =
    sound.find(({ head }) => head!.epochs === epoch) ??
    sound.findLast(({ head }) => head!.record?.[metric] !== undefined)
  return best ? { trial: trial.number, value: resultOf(trial), epoch: best.head!.epochs, path: best.path } : null
}
