/** New trials: a folder made beside the others, with its first record in it, and renamed into its place. */
import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, renameSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, withFileErrors } from '../files.js'
import { newTemporaryFolder, removeTemporaries } from '../temporary.js'
import type { Beats } from './beats.js'
import { type ClaimDraft, claimBy, HeldTrial, now } from './held-trial.js'
import { beatsPath, changePath, initialPath, studyFiles, trialPath } from './layout.js'
import { type Change, type Parent, recordText, type Suggestion } from './records.js'
import { linkOrCopy } from './take-trial.js'

/**
 * A trial of that number, claimed by this process; null where the number is taken. It is not synced: who loses it loses a
 * trial that has not begun.
 *
 * @throws `GRADUS_BAD_FILE` when it cannot be written
 */
export async function createTrial(
  study: string,
  number: number,
  suggestion: Suggestion,
  draft: ClaimDraft & { readonly beats?: Beats | undefined; readonly initial?: Initial | undefined },
): Promise<HeldTrial | null> {
  const path = trialPath(study, number)
  const claim = (whole: Suggestion) => claimBy(draft, { reason: 'new', run: 1, suggestion: whole })
  const { initial } = draft
  let record = claim(suggestion)
  const prepare = async (folder: string) => {
    if (initial) record = claim({ ...suggestion, parent: await inherit(initial, folder) })
    return [record]
  }
  if (!(await place(study, path, prepare))) return null
  return new HeldTrial({ number, path }, 1, record, draft.beats ?? null, false)
}

/** The checkpoint of another trial, which a new one begins with. */
export interface Initial extends Omit<Parent, 'sha256'> {
  readonly path: string
}

/** Under a second name the checkpoint stays, whatever becomes of the other trial. */
async function inherit({ path, ...parent }: Initial, folder: string): Promise<Parent> {
  const own = initialPath(folder)
  await linkOrCopy(path, own)
  const hash = createHash('sha256')
  for await (const piece of createReadStream(own)) hash.update(piece)
  return { ...parent, sha256: hash.digest('hex') }
}

/** A trial that waits for a worker; false where the number is taken. @throws as {@link createTrial} */
export async function enqueueTrial(
  study: string,
  number: number,
  suggestion: Suggestion,
  draft: ClaimDraft,
): Promise<boolean> {
  const claim = claimBy(draft, { reason: 'new', run: 1, suggestion })
  const waiting: Change = { type: 'paused', of: 1, epoch: 0, value: null, details: null, time: now() }
  return await place(study, trialPath(study, number), async () => [claim, waiting])
}

/**
 * Never empty: a folder that is renamed onto an empty one takes its place, onto one with something in it it fails. So one alone
 * of many gets the number.
 */
async function place(
  study: string,
  path: string,
  prepare: (folder: string) => Promise<readonly Change[]>,
): Promise<boolean> {
  const trials = join(study, studyFiles.trials)
  return await withFileErrors(
    trials,
    async () => {
      await removeTemporaries(trials)
      const temporary = await newTemporaryFolder(trials)
      let isPlaced = false
      try {
        const records = await prepare(temporary)
        // At once: the thread's way to others and back for each call would take ten times as long as the calls.
        for (const [i, record] of records.entries()) {
          writeFileSync(changePath(temporary, i + 1), recordText(record), { flag: 'wx' })
        }
        // There from the begin: a disk that is full later takes a counter that has its place.
        writeFileSync(beatsPath(temporary, 1), '0\n', { flag: 'wx' })
        isPlaced = isRenamed(temporary, path)
        return isPlaced
      } finally {
        if (!isPlaced) await rm(temporary, { recursive: true, force: true })
      }
    },
    'written',
  )
}

function isRenamed(temporary: string, path: string): boolean {
  const own = lstatSync(temporary)
  try {
    renameSync(temporary, path)
    return true
  } catch (error) {
    const there = lstatSync(path, { throwIfNoEntry: false })
    if (there === undefined) throw error
    // A server far away may have done what was asked, and told of it only when it was asked again.
    if (there.ino === own.ino && there.dev === own.dev) return true
    const isTaken = ['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EPERM', 'EACCES', 'EBUSY'].includes(codeOf(error))
    if (isTaken) return false
    throw error
  }
}
