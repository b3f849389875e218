/** Trials that are there already: claimed to go on with them, ended, or given back. */
import { copyFile, link, lstat, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, hasNoLinks, isMissing, makeFolders, withFileErrors } from '../files.js'
import { newTemporaryFolder, removeTemporaries } from '../temporary.js'
import { runFiles } from '../train/run-folder.js'
import type { Beats } from './beats.js'
import { type ClaimDraft, claimBy, HeldTrial, now, putChange, syncBegin } from './held-trial.js'
import { runPath } from './layout.js'
import type { Change, ClaimReason, EndState } from './records.js'
import { removeStop } from './stop.js'
import type { Trial } from './trial.js'

/**
 * Claims a trial as it was seen: one that is paused goes on in its directory; one that was taken over, or failed, in a copy of it
 * up to its newest checkpoint, so that a process which wakes up writes where nobody looks. `adopts`: whoever trains it goes on, and
 * only its master is another one. Null where another was first.
 *
 * @param copying - does the copying, perhaps more than once; the trial is claimed, and beats, all the while. Default: once
 * @throws `GRADUS_BAD_FILE` when it cannot be written
 */
export async function takeTrial(
  seen: Trial,
  draft: ClaimDraft & { readonly beats?: Beats | undefined; readonly adopts?: boolean | undefined },
  copying = (copy: () => Promise<void>): Promise<void> => copy(),
): Promise<HeldTrial | null> {
  const { path, number, next } = seen
  const reason = draft.adopts ? 'adopted' : reasonOf(seen)
  const before = seen.claim?.record.run ?? 1
  const isSameRun = reason === 'promoted' || reason === 'adopted'
  const record = claimBy(draft, { reason, run: isSameRun ? before : next, suggestion: null })
  // Of one that waits for its first epoch nothing is lost but the claim: it waits again.
  const isBegun = seen.epochs.length > 0
  if (!(await putChange(path, next, record, { sync: isBegun }))) return null
  const isOnDisk = isBegun && seen.last?.record.type !== 'claim'
  const held = new HeldTrial({ number, path }, next, record, draft.beats ?? null, isOnDisk)
  try {
    if (!isSameRun) await copying(() => copyRun(path, before, next))
  } catch (error) {
    held.drop()
    throw error
  }
  return held
}

const retried = { reason: 'retried' } as const

function reasonOf({ state, last }: Trial): ClaimReason {
  if (last?.record.type === 'paused') return last.record.details?.reason === retried.reason ? 'retried' : 'promoted'
  return state === 'running' || state === 'unfinished' ? 'takenOver' : 'retried'
}

/** Records for a trial that nobody holds how it ended: a paused one that is stopped, a lost one. False where another was first. */
export async function endTrial(
  trial: Trial,
  { state, reason }: { readonly state: EndState; readonly reason: string | null },
): Promise<boolean> {
  const result = {
    type: 'result' as const,
    of: trial.claim?.number ?? 1,
    state,
    reason,
    ...lastOf(trial),
    details: null,
    time: now(),
  }
  return await putAfter(trial, result)
}

/** Gives a trial back that has ended: it waits for a worker again. False where another change was first. */
export async function retryTrial(trial: Trial): Promise<boolean> {
  // Before it waits: whoever takes it would stop.
  await removeStop(trial.path)
  const paused = {
    type: 'paused' as const,
    of: trial.claim?.number ?? 1,
    ...lastOf(trial),
    details: retried,
    time: now(),
  }
  return await putAfter(trial, paused)
}

const lastOf = ({ epochs, values }: Trial) => ({ epoch: epochs.at(-1) ?? 0, value: values.at(-1) ?? null })

/** With what came before it on the disk: of a trial that waits nothing need be there by then. */
async function putAfter({ path, next, problem }: Trial, record: Change): Promise<boolean> {
  if (problem === null) await syncBegin(path, next - 1)
  return await putChange(path, next, record)
}

/** The run's directory without its claims; nothing where the run was not begun. */
async function copyRun(trial: string, before: number, run: number): Promise<void> {
  await withFileErrors(
    runPath(trial, run),
    async () => {
      await removeTemporaries(trial)
      const source = await sourceOf(trial, before, run)
      if (source === null) return
      const temporary = await newTemporaryFolder(trial)
      try {
        // Checkpoints first: what is recorded beside them reaches beyond each that is there, and is cut by the run itself.
        await copyFolder(join(source, runFiles.checkpoints), join(temporary, runFiles.checkpoints), linkOrCopy)
        await copyFolder(source, temporary, copyFile, [runFiles.claims, runFiles.checkpoints])
        // Whole from the moment that it is there: who takes over from this one has something to copy.
        await rename(temporary, runPath(trial, run))
      } finally {
        await rm(temporary, { recursive: true, force: true })
      }
    },
    'written',
  )
}

/** The directory of the run before, or the newest below it: who claimed it may have come to none. */
async function sourceOf(trial: string, before: number, run: number): Promise<string | null> {
  const numbers = (await readdir(trial)).flatMap((name) => /^run\.([1-9]\d{0,5})$/.exec(name)?.[1] ?? []).map(Number)
  for (const number of [before, ...numbers.filter((number) => number < run).sort((a, b) => b - a)]) {
    const path = runPath(trial, number)
    const status = await lstat(path).catch(() => null)
    if (status?.isDirectory()) return path
  }
  return null
}

type Copy = (from: string, to: string) => Promise<void>

/** Plain files and folders of them; nothing half written, and no links, which may lead anywhere. */
async function copyFolder(from: string, to: string, copy: Copy, without: readonly string[] = []): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true }).catch((error) => {
    if (isMissing(error)) return null
    throw error
  })
  if (entries === null) return
  await makeFolders(to)
  for (const entry of entries) {
    const { name } = entry
    if (without.includes(name) || (name.startsWith('.gradus-') && name.endsWith('.tmp'))) continue
    const [source, target] = [join(from, name), join(to, name)]
    if (entry.isDirectory()) await copyFolder(source, target, copy)
    // Removed meanwhile by a process that still writes there.
    else if (entry.isFile()) await copy(source, target).catch((error) => (isMissing(error) ? undefined : fail(error)))
  }
}

/** Checkpoints never change: the same file under a second name, where the file system has that. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(async (error) => {
    if (!hasNoLinks(error) && !['EXDEV', 'EMLINK'].includes(codeOf(error))) throw error
    await copyFile(from, to)
  })
}

function fail(error: unknown): never {
  throw error
}
