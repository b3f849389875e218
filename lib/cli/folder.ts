import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GradusError } from '../errors.js'
import { printable } from '../printable.js'
import { runPath, studyFiles, trialPath } from '../study/layout.js'
import { findRuns } from '../watch/recording/find-runs.js'

/** @throws `GRADUS_BAD_FILE` when there is no such folder */
export async function checkFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory()) return
  const problem = found ? 'is a file, not a folder' : 'does not exist'
  throw new GradusError('GRADUS_BAD_FILE', `${path} ${problem}`)
}

/** @throws where the folder is a study's, with what is for studies */
export async function checkNoStudy(path: string): Promise<void> {
  if (!(await stat(join(path, studyFiles.study)).catch(() => null))?.isFile()) return
  const shown = printable(path)
  const message =
    `${shown} is a study, not a run: see gradus trials ${shown}, or gradus watch ${shown}; ` +
    `its runs are ${runPath(trialPath(shown, 0), 1)} and the like`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** @throws with the runs below where the folder is none itself. */
export async function checkRun(directory: string): Promise<void> {
  await checkFolder(directory)
  await checkNoStudy(directory)
  const runs = await findRuns(directory)
  if (runs.includes('.') || runs.length === 0) return
  const shown = runs.slice(0, 5).join(', ') + (runs.length > 5 ? ', …' : '')
  const message = `${printable(directory)}: no run itself; name one of those in it: ${printable(shown)}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}
