import { stat } from 'node:fs/promises'
import { GradusError } from '../errors.js'

/** @throws `GRADUS_BAD_FILE` when there is no such folder */
export async function checkFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory()) return
  const problem = found ? 'is a file, not a folder' : 'does not exist'
  throw new GradusError('GRADUS_BAD_FILE', `${path} ${problem}`)
}
