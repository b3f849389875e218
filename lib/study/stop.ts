/** The file `stop` of a trial: who wants it to end, and why. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { withFileErrors } from '../files.js'
import { now } from './held-trial.js'
import { studyFiles } from './layout.js'
import { placeText } from './place-text.js'
import { readSmall } from './read.js'
import { Fields, studyFormat } from './values.js'

export interface StopRequest {
  /** A person, a pruner, the master. */
  readonly by: string
  readonly why: string
}

const mostBytes = 1 << 16
const pathOf = (trial: string): string => join(trial, studyFiles.stop)

/** Asks the trial to end; the first who asks is the one that is named. */
export async function requestStop(trial: string, { by, why }: StopRequest): Promise<void> {
  const text = `${JSON.stringify({ format: studyFormat, by, why, time: now() })}\n`
  placeText(pathOf(trial), text)
}

/** Who has asked; null where nobody has. A file that cannot be read asks too, and does not say for whom. */
export function readStop(trial: string): StopRequest | null {
  const path = pathOf(trial)
  try {
    const text = readSmall(path, mostBytes)
    if (text === null) return null
    const fields = Fields.parse(text, path)
    return { by: fields.text('by'), why: fields.text('why') }
  } catch (error) {
    return { by: 'somebody', why: (error as Error).message }
  }
}

export async function removeStop(trial: string): Promise<void> {
  await withFileErrors(pathOf(trial), () => rm(pathOf(trial), { force: true }), 'written')
}
