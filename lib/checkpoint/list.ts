import { join } from 'node:path'
import { checkPath } from '../files.js'
import { CheckpointFolder, epochOf, folderName, scoreOf } from './folder.js'
import { problemOf } from './head.js'

/** A file among the checkpoints of a run. */
export interface CheckpointInfo {
  readonly path: string
  /** The finished epoch, or within one the epoch under way; from 1. Null where the file is damaged. */
  readonly epoch: number | null
  /** Updates that the model had seen. */
  readonly step: number | null
  /** What it is compared by: the `monitor` of {@link checkpoint}, without one valLoss or loss; null within an epoch. */
  readonly column: string | null
  /** Its value there. */
  readonly score: number | null
  /** The numbers of the epoch's record, by column; null within an epoch. */
  readonly record: Readonly<Record<string, number>> | null
  /** Bytes. */
  readonly size: number
  /** Whether every byte is as it was written. */
  readonly sound: boolean
  /** What is wrong with it; null of a sound one. */
  readonly problem: string | null
}

/**
 * The checkpoints of a run, oldest first; each is read to its end to see that it is sound.
 *
 * @param dir - the run's directory
 * @throws GRADUS_BAD_FILE when the directory cannot be read; one without checkpoints has none
 * @example for (const { path, epoch, sound } of await checkpoints('runs/mnist')) console.log(path, epoch, sound)
 */
export async function checkpoints(dir: string | URL): Promise<CheckpointInfo[]> {
  const found = await new CheckpointFolder(join(checkPath('dir', dir), folderName)).list()
  const looked: CheckpointInfo[] = []
  for (const { path, size, head, problem: known } of found) {
    const problem = known ?? (await problemOf(path))
    const by = head && scoreOf(head)
    looked.push({
      ...{
        path,
        epoch: head && epochOf(head),
        step: head?.step ?? null,
        column: by?.column ?? null,
        score: by?.score ?? null,
      },
      ...{ record: head?.record ?? null, size },
      ...{ sound: problem === null, problem },
    })
  }
  return looked
}
