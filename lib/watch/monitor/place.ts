/** Where a run is recorded: the folder that it has for itself, and what `run.json` there says. */
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { GradusError } from '../../errors.js'
import { isMissing, replaceFile } from '../../files.js'
import type { RunFolder } from '../../train/run-folder.js'
import { files } from '../recording/files.js'
import type { RunInfo } from '../recording/recording.js'
import { readInfo } from '../recording/run-reader.js'

export interface Place {
  readonly folder: RunFolder
  /** As the first process of the run has written it. */
  readonly info: RunInfo
  /** Whether something was recorded here before. */
  readonly isKnown: boolean
}

/**
 * `run.json` of a new run is written, that of a run that goes on read.
 * @throws `GRADUS_INVALID_ARGUMENT` when the run there is not one that this one continues
 */
export async function openPlace(folder: RunFolder, info: RunInfo, goesOn: boolean): Promise<Place> {
  const { path } = folder
  const known = goesOn ? readIfThere(path) : null
  if (known) checkSameModel(path, known, info)
  else await writeInfo(path, info)
  return { folder, info: known ?? info, isKnown: known !== null }
}

function readIfThere(path: string): RunInfo | null {
  try {
    return readInfo(realpathSync.native(path))
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/**
 * Whole, by the only one who has the folder. What lies there is of a run that went no further than to its first checkpoint, and
 * begins anew.
 */
async function writeInfo(path: string, info: RunInfo): Promise<void> {
  await replaceFile(join(path, files.info), async (handle) => {
    await handle.writeFile(`${JSON.stringify(info, null, 1)}\n`)
    // It says what `gradus resume` runs. Some disks know no modes.
    await handle.chmod((await handle.stat()).mode & 0o755).catch(() => undefined)
  })
}

function checkSameModel(path: string, known: RunInfo, info: RunInfo): void {
  const columns = ({ tensors, layers, monitor }: RunInfo) => JSON.stringify([tensors, layers, monitor])
  if (columns(known) === columns(info)) return
  const message = `dir: expected the run in ${path} to be of this model and to be monitored alike, received another model or other options of monitor()`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}
