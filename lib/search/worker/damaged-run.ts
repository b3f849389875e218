/** A run's directory in which a file is damaged that `fit` will not do without: after a loss of power, or by whoever wrote there. */
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointFolder, folderName } from '../../checkpoint/folder.js'
import { withHeader } from '../../checkpoint/head.js'
import { newestClaim } from '../../claim.js'
import { codeOf, readText, withFileErrors } from '../../files.js'
import { parseObject } from '../../json.js'
import { runFiles } from '../../train/run-folder.js'

/** What it then is called: nothing reads it, and people may. */
const suffix = '.damaged'

/**
 * Gives what is damaged another name, so that the run goes on without it: without what it was called like, with claims that
 * begin anew, as the trial's say who writes here, or from its beginning where no checkpoint is sound.
 *
 * @returns what was wrong, in sentences; empty where nothing is
 */
export async function setAsideDamage(dir: string): Promise<string[]> {
  const found = [
    ...(await problemsOf(join(dir, runFiles.info), checkInfo)),
    ...(await problemsOf(join(dir, runFiles.claims), newestClaim)),
    ...(await unsoundCheckpoints(dir)),
  ]
  for (const { path } of found) {
    await withFileErrors(
      path,
      async () => {
        await rm(path + suffix, { recursive: true, force: true })
        await rename(path, path + suffix)
      },
      'written',
    )
  }
  return found.map(({ problem }) => problem)
}

interface Damaged {
  readonly path: string
  readonly problem: string
}

async function problemsOf(path: string, check: (path: string) => Promise<unknown>): Promise<Damaged[]> {
  try {
    await check(path)
    return []
  } catch (error) {
    return isOfSystem(error) ? [] : [{ path, problem: (error as Error).message }]
  }
}

/** It is not there, or cannot be read now: that is no damage, and may pass. */
const isOfSystem = (error: unknown): boolean =>
  error instanceof Error && (/^E[A-Z0-9]+$/.test(codeOf(error)) || isOfSystem(error.cause))

const mostOfInfo = 1 << 24
const checkInfo = async (path: string) => parseObject(await readText(path, { most: mostOfInfo, follow: false }), path)
const checkHash = (path: string) => withHeader(path, (checkpoint) => checkpoint.checkHash())

/** All of them, where none is sound. */
async function unsoundCheckpoints(dir: string): Promise<Damaged[]> {
  const damaged: Damaged[] = []
  for (const { path } of await new CheckpointFolder(join(dir, folderName)).list()) {
    const [problem] = await problemsOf(path, checkHash)
    if (problem === undefined) return []
    damaged.push(problem)
  }
  return damaged
}
