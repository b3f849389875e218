/** The folder of a run: one run, one folder, also when several begin at once. */
import { randomBytes } from 'node:crypto'
import { link, mkdir, unlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { GradusError } from '../../errors.js'
import { isMissing, withFileErrors } from '../../files.js'
import { files } from '../recording/files.js'
import type { RunInfo } from '../recording/recording.js'
import { readInfo } from '../recording/run-reader.js'

/** Where a run is recorded: in `dir` itself, or by name in a folder of its own below it. */
export interface RunPlace {
  readonly dir: string
  readonly name?: string | undefined
}

/**
 * Makes the folder of a new run, with its `run.json`, or finds that of a run that goes on; `known` is what it then says.
 * @throws `GRADUS_INVALID_ARGUMENT` when the folder holds a run that this one does not continue
 */
export async function openFolder(
  place: RunPlace,
  info: RunInfo,
  goesOn: boolean,
): Promise<{ path: string; known: RunInfo | null }> {
  const { dir, name } = place
  await withFileErrors(dir, () => mkdir(dir, { recursive: true }), 'written')
  const path = name === undefined ? dir : await makeNamed(dir, name)
  const known = goesOn ? await readInfo(path).catch((error) => (isMissing(error) ? null : fail(error))) : null
  if (known === null && !(await claim(path, info))) throw taken(path)
  return { path, known }
}

function fail(error: unknown): never {
  throw error
}

function taken(path: string): GradusError {
  const own = `dir: '${dirname(path)}' with name: '${basename(path)}' gives each run a folder of its own`
  const message = `dir: ${path} holds a run already; ${own}, initialEpoch goes on with that run`
  return new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'dir', expected: 'a folder without a run' })
}

/** `mnist`, or `mnist-2`, …: the first that is not there. Two that make one at once get two. */
async function makeNamed(dir: string, name: string): Promise<string> {
  for (let number = 1; ; number++) {
    const path = join(dir, number === 1 ? name : `${name}-${number}`)
    if (await isFirst(path, () => mkdir(path))) return path
  }
}

/** Writes `run.json`, whole, unless there is one: the folder belongs to who has written it. */
async function claim(path: string, info: RunInfo): Promise<boolean> {
  const written = join(path, files.info)
  const beside = join(path, `.gradus-${randomBytes(6).toString('hex')}.tmp`)
  await withFileErrors(
    written,
    () => writeFile(beside, `${JSON.stringify(info, null, 1)}\n`, { flag: 'wx', flush: true }),
    'written',
  )
  try {
    return await isFirst(written, () => link(beside, written))
  } finally {
    await unlink(beside).catch(() => {})
  }
}

/** Whether the work made what was not there before: the system lets one alone succeed. */
async function isFirst(path: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    return await withFileErrors(path, () => Promise.reject(error), 'written')
  }
}
