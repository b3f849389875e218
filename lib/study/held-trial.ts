/** A trial that a process of this thread has claimed: until it has recorded how it ended, or another one has taken it over. */
import { readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { GradusError } from '../errors.js'
import { fileError, isMissing, placeFile, syncFolder, withFileErrors } from '../files.js'
import { thisProcess } from '../processes.js'
import type { Beats } from './beats.js'
import { beatsPath, changeNumberOf, changePath, reportsPath, runPath } from './layout.js'
import { placeText } from './place-text.js'
import { type Change, type Claim, type Paused, type Result, recordText, type Written } from './records.js'
import { ReportWriter } from './reports.js'
import type { JsonObject } from './values.js'

/** What a claim says that its process does not know by itself. */
export interface ClaimDraft {
  /** What the worker is called: `here.1`. */
  readonly worker: string
  readonly budget: number | null
  readonly details?: JsonObject | null | undefined
}

/** Nobody else in any thread of any process has this. */
const instance = process.hrtime.bigint().toString(36)
let claims = 0

export function claimBy(
  { worker, budget, details = null }: ClaimDraft,
  rest: Pick<Claim, 'reason' | 'run' | 'suggestion'>,
): Claim {
  const id = `${thisProcess().process}.${instance}.${++claims}`
  return { type: 'claim', ...rest, worker, id, ...thisProcess(), budget, details, time: now() }
}

export const now = (): string => new Date().toISOString()

export interface ChangeOptions {
  /** Whether it must survive a loss of power; of what took no time to compute it need not. Default true. */
  readonly sync?: boolean | undefined
}

/** Puts a change in its place; false where the number is taken. */
export async function putChange(
  trial: string,
  number: number,
  record: Change,
  { sync = true }: ChangeOptions = {},
): Promise<boolean> {
  const [path, text] = [changePath(trial, number), recordText(record)]
  return sync ? await placeFile(path, (file) => file.writeFile(text)) : placeText(path, text)
}

export class HeldTrial {
  readonly number: number
  /** The trial's folder. */
  readonly path: string
  /** The number of the claim: files that its process writes carry it. */
  readonly claim: number
  readonly record: Claim
  /** The directory of its run. */
  readonly run: string
  readonly #reports: ReportWriter
  readonly #beats: Beats | null
  readonly #isOnDisk: boolean

  /** @param isOnDisk whether its records so far would survive a loss of power: those of one that has not begun need not */
  constructor(
    place: { number: number; path: string },
    claim: number,
    record: Claim,
    beats: Beats | null,
    isOnDisk: boolean,
  ) {
    this.number = place.number
    this.path = place.path
    this.claim = claim
    this.record = record
    this.run = runPath(place.path, record.run)
    this.#reports = new ReportWriter(reportsPath(place.path, claim))
    this.#beats = beats
    this.#isOnDisk = isOnDisk
    beats?.add(beatsPath(place.path, claim))
  }

  /** The metric after an epoch, from 1. @throws as {@link ReportWriter.add} */
  report(epoch: number, value: number, record?: JsonObject): Promise<void> {
    return this.#reports.add(epoch, value, record)
  }

  /** Whether another process has taken it over, or somebody has removed it. Looked for on this thread, as somebody waits. */
  async isTaken(): Promise<boolean> {
    try {
      return readdirSync(this.path).some((name) => (changeNumberOf(name) ?? 0) > this.claim)
    } catch (error) {
      if (isMissing(error)) return true
      throw fileError(this.path, error)
    }
  }

  /** @throws `GRADUS_STALE_LEASE` when it is no longer ours */
  async check(): Promise<void> {
    if (await this.isTaken()) throw this.#stale()
  }

  /** Records that it waits; its run is closed by then. @throws as {@link finish} */
  async pause(paused: Omit<Written<Paused>, 'of'>, options?: ChangeOptions): Promise<void> {
    await this.#end({ type: 'paused', of: this.claim, ...paused, time: now() }, options)
  }

  /**
   * Records how it ended; its run is closed by then.
   *
   * @throws `GRADUS_STALE_LEASE` when another process has taken it over: nothing is recorded, and nothing is left to do.
   * `GRADUS_BAD_FILE` when it could not be written: the trial is still held, and it may be tried again
   */
  async finish(result: Omit<Written<Result>, 'of'>, options?: ChangeOptions): Promise<void> {
    await this.#end({ type: 'result', of: this.claim, ...result, time: now() }, options)
  }

  /** The one place that decides: the next number, which whoever takes over wants too. */
  async #end(record: Paused | Result, options?: ChangeOptions): Promise<void> {
    const place = async () => {
      if (!this.#isOnDisk && options?.sync !== false) await syncBegin(this.path, this.claim)
      return await putChange(this.path, this.claim + 1, record, options)
    }
    const isPlaced = await place().catch((error) => {
      if (isMissing(error)) return false
      throw error
    })
    this.drop()
    if (!isPlaced) throw this.#stale()
  }

  /** No more beats; it says nothing of how it ended. */
  drop(): void {
    this.#beats?.remove(beatsPath(this.path, this.claim))
  }

  #stale(): GradusError {
    const message = `${this.path}: another process has taken this trial over, and what this one has of it is dropped`
    return new GradusError('GRADUS_STALE_LEASE', message)
  }
}

/** Puts on the disk what the trial begins with, up to a claim, as what ends it needs that. */
export async function syncBegin(trial: string, claim: number): Promise<void> {
  for (let number = 1; number <= claim; number++) {
    const path = changePath(trial, number)
    await withFileErrors(path, () => syncFile(path), 'written').catch((error) => {
      // Without its claim the trial is no longer ours; what else is gone needs no disk.
      if (number === claim || !isMissing(error)) throw error
    })
  }
  await withFileErrors(trial, () => syncFolder(dirname(trial)), 'written')
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
