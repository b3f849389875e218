import { stat } from 'node:fs/promises'
import { GradusError } from '../errors.js'
import { printable } from '../printable.js'
import { findRuns } from '../watch/recording/find-runs.js'

/** @throws `GRADUS_BAD_FILE` when there is no such folder */
export async function checkFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory()) return
  const problem = found ? 'is a file, not a folder' : 'does not exist'
  throw new GradusError('GRADUS_BAD_FILE', `${path} ${problem}`)
}

/** @throws with the runs below where the folder is none itself. */
export async function checkRun(directory: string): Promise<void> {
  await checkFolder(directory)
  const runs = await findRuns(directory)
  if (runs.includes('.') || runs.length === 0) return
  const shown = runs.slice(0, 5).join(', ') + (runs.length > 5 ? ', …' : '')
  const message = `${printable(directory)}: no run itself; name one of those in it: ${printable(shown)}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}
