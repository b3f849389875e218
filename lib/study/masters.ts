/** The folder `masters`: who is the master. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isOvertaken, newestClaim, putClaim } from '../claim.js'
import { GradusError } from '../errors.js'
import { makeFolder } from '../files.js'
import { type ProcessMark, thisProcess } from '../processes.js'
import type { Beats } from './beats.js'
import { now } from './held-trial.js'
import { beatsPath, studyFiles } from './layout.js'
import type { Held, LeaseJudge } from './lease.js'
import { isObject, studyFormat } from './values.js'

/** Held by one process alone. */
export interface MasterClaim {
  readonly number: number
  /** Whether another has become the master since. */
  isTaken(): Promise<boolean>
  /** Gives it back. */
  release(): Promise<void>
}

/**
 * Becomes the master, unless there is one that lives: then null, and whoever watches asks again with the same judge.
 *
 * @throws `GRADUS_BAD_FILE` when it cannot be written
 */
export async function claimMaster(study: string, judge: LeaseJudge, beats?: Beats): Promise<MasterClaim | null> {
  const folder = join(study, studyFiles.masters)
  await makeFolder(folder)
  const before = await newestOf(folder)
  if (before?.isOpen && !judge.isStale(before.held)) return null
  const number = (before?.number ?? 0) + 1
  if (!(await putClaim(folder, number, { format: studyFormat, type: 'claim', ...thisProcess(), time: now() })))
    return null
  const path = beatsPath(folder, number)
  beats?.add(path)
  return {
    number,
    isTaken: () => isOvertaken(folder, number),
    async release() {
      beats?.remove(path)
      await putClaim(folder, number + 1, { format: studyFormat, type: 'end', of: number, time: now() })
    },
  }
}

/** The newest claim: open until its end is recorded. One that is damaged has no process that could be seen, only beats. */
async function newestOf(folder: string): Promise<{ number: number; isOpen: boolean; held: Held } | null> {
  const newest = await newestClaim(folder).catch(async (error) => {
    if (!(error instanceof GradusError)) throw error
    const numbers = (await readdir(folder)).map((name) => Number(/^([1-9]\d{0,8})\.json$/.exec(name)?.[1] ?? 0))
    return { number: Math.max(0, ...numbers), record: null }
  })
  if (newest === null || newest.number === 0) return null
  const { number, record } = newest
  const { type, ...mark } = (isObject(record) ? record : {}) as Partial<ProcessMark & { type: string }>
  const isMark = Number.isSafeInteger(mark.process) && typeof mark.host === 'string'
  const unknown: ProcessMark = { process: 1, host: '', boot: null, started: null }
  const held = { path: folder, claim: { number, record: isMark ? (mark as ProcessMark) : unknown } }
  return { number, isOpen: type !== 'end', held }
}
