/** What a run goes on from. */
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { restoreConventions } from '../data/conventions.js'
import { GradusError } from '../errors.js'
import { isMissing, makeFolder } from '../files.js'
import { Model } from '../model/model.js'
import type { Lineage, LineageAsked, Saved } from '../train/extensions.js'
import { runFiles } from '../train/run-folder.js'
import { withCheckpoint } from './file.js'
import { CheckpointFolder, type Found, folderName, withoutPath } from './folder.js'
import { problemOf } from './head.js'
import { checkSame, identify } from './identity.js'

/** By what checkpoints know the run, and the state that it goes on from if it does; and makes the folder for checkpoints. */
export async function findLineage(asked: LineageAsked): Promise<{ lineage: Lineage; saved: Saved | null }> {
  const found = await findSaved(asked)
  // Before anything is recorded: a recording beside it is of a run that may have come to no checkpoint yet.
  await makeFolder(join(asked.folder, folderName))
  return found
}

async function findSaved(asked: LineageAsked): Promise<{ lineage: Lineage; saved: Saved | null }> {
  const { target, settings, training, validation, folder } = asked
  if (!(target instanceof Model)) throw new GradusError('GRADUS_INTERNAL', 'checkpoints are of models')
  const { resume } = settings
  const identity = await identify(target, settings, training, validation)
  const begun = () => ({ lineage: { id: globalThis.crypto.randomUUID(), identity, from: null }, saved: null })
  if (resume === undefined || resume === false) return begun()
  const isElsewhere = typeof resume === 'string' && resume !== 'must'
  const candidates = isElsewhere
    ? await candidatesAt(resume)
    : await new CheckpointFolder(join(folder, folderName)).list()
  const path = await newestSound(candidates)
  if (path === null) {
    if (resume === true && candidates.length === 0) {
      await checkBegun(folder)
      return begun()
    }
    throw nothingThere(isElsewhere ? resume : folder, candidates)
  }
  return withCheckpoint(path, async (checkpoint) => {
    const { head } = checkpoint
    checkSame(path, head.identity, identity)
    const { epochs, rows, step } = head
    const id = isElsewhere ? globalThis.crypto.randomUUID() : head.id
    const all = await checkpoint.state(target)
    const state = isElsewhere ? { ...all, callbacks: withoutMonitors(all.callbacks) } : all
    const saved = { conventions: restoreConventions(checkpoint.conventions), state }
    return { lineage: { id, identity, from: { path, epochs, rows, step } }, saved }
  })
}

/**
 * A run that was ended before its first checkpoint begins anew; one that made none is not wiped out.
 * @throws GRADUS_INVALID_ARGUMENT
 */
async function checkBegun(folder: string): Promise<void> {
  const isThere = (name: string) => stat(join(folder, name)).then(() => true, unlessMissing)
  if (!(await isThere(runFiles.info)) || (await isThere(folderName))) return
  const message = `resume: the run in ${folder} made no checkpoints, and so cannot go on; give another dir for a new run`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

const unlessMissing = (error: unknown): false => {
  if (isMissing(error)) return false
  throw error
}

/** What they have recorded lies in the other directory, and stays there. */
const withoutMonitors = (callbacks: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(callbacks).filter(([name]) => !/^monitor(#\d+)?$/.test(name)))

/** A file, a folder of them, or a run's directory. */
async function candidatesAt(path: string): Promise<Found[]> {
  const status = await stat(path).catch((error) => {
    if (!isMissing(error)) throw error
    throw new GradusError('GRADUS_BAD_FILE', `resume: there is no ${path}`)
  })
  if (!status.isDirectory()) {
    const folder = await new CheckpointFolder(dirname(path)).list()
    return folder.filter((found) => basename(found.path) === basename(path))
  }
  const own = await new CheckpointFolder(path).list()
  return own.length > 0 ? own : new CheckpointFolder(join(path, folderName)).list()
}

/** Of the ones that are whole the newest. Those that are not are named and passed over. */
async function newestSound(found: readonly Found[]): Promise<string | null> {
  for (const { path, problem } of found) if (problem !== null) warnOfDamage(problem, path)
  for (const { path, head } of [...found].reverse()) {
    if (!head) continue
    const problem = await problemOf(path)
    if (problem === null) return path
    warnOfDamage(problem, path)
  }
  return null
}

function warnOfDamage(problem: string, path: string): void {
  const message = `${path}: ${withoutPath(problem, path)}; the run goes on from one before it`
  process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_BAD_CHECKPOINT' })
}

function nothingThere(place: string, candidates: readonly Found[]): GradusError {
  if (candidates.length > 0) {
    const message = `resume: none of the ${candidates.length} checkpoints in ${place} is sound`
    return new GradusError(
      'GRADUS_BAD_FILE',
      `${message}: ${candidates.at(-1)!.problem ?? 'their bytes are not those of their hashes'}`,
    )
  }
  const advice = 'resume: true begins the run where there is none'
  return new GradusError('GRADUS_INVALID_ARGUMENT', `resume: there is no checkpoint in ${place}; ${advice}`)
}
