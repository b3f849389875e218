import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { withFileErrors } from '../../files.js'
import { files } from './files.js'

/**
 * Names of the run directories in a folder, sorted: `.` when the folder is one itself, and those right below it. Links
 * that lead out of the folder are left out.
 */
export const findRuns = (folder: string): Promise<string[]> => findHolding(folder, files.info)

/** Likewise of the folders that hold such a file. */
export async function findHolding(folder: string, file: string): Promise<string[]> {
  const { root, entries } = await withFileErrors(folder, async () => {
    const root = realpathSync.native(folder)
    return { root, entries: readdirSync(root, { withFileTypes: true }) }
  })
  const names = entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => entry.name)
    .sort()
  const found: string[] = []
  for (const [i, name] of ['.', ...names].entries()) {
    if (holds(root, name, file)) found.push(name)
    // Many of them, on a disk that is far away, take a moment.
    if (i % 8 === 7) await setImmediate()
  }
  return found
}

function holds(root: string, name: string, file: string): boolean {
  try {
    const path = realpathSync.native(join(root, name))
    if (path !== root && !path.startsWith(root.endsWith(sep) ? root : root + sep)) return false
    return lstatSync(join(path, file)).isFile()
  } catch {
    return false
  }
}
