import { lstat, readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { files } from './files.js'

/**
 * Names of the run directories in a folder, sorted: `.` when the folder is one itself, and those right below it. Links
 * that lead out of the folder are left out.
 */
export async function findRuns(folder: string): Promise<string[]> {
  const root = await realpath(folder)
  const names = (await readdir(root, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => entry.name)
    .sort()
  const found: string[] = []
  for (const name of ['.', ...names]) if (await isRun(root, name)) found.push(name)
  return found
}

async function isRun(root: string, name: string): Promise<boolean> {
  try {
    const path = await realpath(join(root, name))
    if (path !== root && !path.startsWith(root.endsWith(sep) ? root : root + sep)) return false
    return (await lstat(join(path, files.info))).isFile()
  } catch {
    return false
  }
}
