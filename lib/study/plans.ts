/** The folder `plans`: how much is to be done, and in which space, where that is not what `study.json` says. */
import { join } from 'node:path'
import { newestClaim, putClaim } from '../claim.js'
import { badFile } from '../files.js'
import { now } from './held-trial.js'
import { studyFiles } from './layout.js'
import type { StudyDescription } from './study.js'
import { Fields, isObject, type JsonObject, studyFormat } from './values.js'

export interface Plan {
  /** Trials in all. */
  readonly trials: number
  /** Null: that of `study.json`. */
  readonly space: JsonObject | null
}

export interface NumberedPlan extends Plan {
  /** 0 of what `study.json` says. */
  readonly number: number
}

/** What counts now: the highest number. @throws `GRADUS_BAD_FILE` where it is damaged */
export async function readPlan(study: string, { trials }: Pick<StudyDescription, 'trials'>): Promise<NumberedPlan> {
  const newest = await newestClaim(join(study, studyFiles.plans))
  if (newest === null) return { number: 0, trials, space: null }
  const where = join(study, studyFiles.plans, `${newest.number}.json`)
  if (!isObject(newest.record)) throw badFile(where, 'expected an object')
  const fields = Fields.of(newest.record as JsonObject, where)
  return { number: newest.number, trials: fields.whole('trials', 1), space: fields.objectOrNull('space') }
}

/** The space that counts now. @throws `GRADUS_BAD_FILE` where the plan is damaged */
export async function readSpace(path: string, study: StudyDescription): Promise<JsonObject> {
  return (await readPlan(path, study)).space ?? study.space
}

/** Puts another plan in the place of the one that was seen; false where somebody was first. */
export function makePlan(study: string, seen: NumberedPlan, { trials, space }: Plan): Promise<boolean> {
  const record = { format: studyFormat, trials, space, time: now() }
  return putClaim(join(study, studyFiles.plans), seen.number + 1, record)
}
