/** A trial as its folder tells of it. */
import { lstatSync, readdirSync } from 'node:fs'
import { badFile, fileError, isMissing } from '../files.js'
import { changeNumberOf, changePath, reportsPath } from './layout.js'
import { readSmall } from './read.js'
import { type Change, type Claim, type EndState, parseChange, type Suggestion } from './records.js'
import { type Curve, joined, ReportTail } from './reports.js'
import { mostOfRecord } from './values.js'

/** `unfinished`: no record of it can be read. */
export type TrialState = 'running' | 'paused' | EndState | 'unfinished'

export interface Trial extends Curve {
  readonly number: number
  readonly path: string
  readonly state: TrialState
  /** Null where `1.json` is damaged. */
  readonly suggestion: Suggestion | null
  /** The newest claim, which may have ended. */
  readonly claim: { readonly number: number; readonly record: Claim } | null
  /** The record that says how it stands; null where none can be read. */
  readonly last: { readonly number: number; readonly record: Change } | null
  /** The number that the next change gets. */
  readonly next: number
  /** How often it was taken over since it was begun or retried. */
  readonly takeovers: number
  /** What is damaged; null where nothing is. */
  readonly problem: string | null
  /** All records that could be read. */
  readonly changes: Changes
  /** From 1; 0 where nothing says it. */
  readonly stage: number
  /** The last that was reported or recorded; 0 before. */
  readonly epoch: number
  /** What it is judged by: how it ended, or the last that is known; NaN where nothing is. */
  readonly value: number
  /** When it was begun and last changed, in milliseconds by the clocks of who wrote it: for people. NaN where nothing says it. */
  readonly begunAt: number
  readonly changedAt: number
  /** Of the newest claim; empty where there is none. */
  readonly worker: string
  /** Puts its parameters there as numbers of the space of that key; false where they are not at hand. */
  putNumbers?(key: string, into: Float64Array): boolean
}

/** Records of a trial by number. */
export type Changes = ReadonlyMap<number, Change>

/** Whether only a person can have it go on. */
export const hasEnded = ({ state }: Trial): boolean =>
  state !== 'running' && state !== 'paused' && state !== 'unfinished'

/** What follows from the records: the highest number that can be read is the state. */
export function trialOf(
  place: { readonly number: number; readonly path: string },
  changes: Changes,
  { highest, problem, curve }: { highest: number; problem: string | null; curve: Curve },
): Trial {
  let last: { number: number; record: Change } | null = null
  let claim: { number: number; record: Claim } | null = null
  let takeovers = 0
  // Ten thousand trials are made at once: without a list for each of these.
  for (const number of inOrder(changes)) {
    const record = changes.get(number)!
    last = { number, record }
    if (record.type !== 'claim') continue
    claim = { number, record }
    if (record.reason === 'retried') takeovers = 0
    if (record.reason === 'takenOver') takeovers++
  }
  const first = changes.get(1)
  const suggestion = first?.type === 'claim' ? first.suggestion : null
  return {
    number: place.number,
    path: place.path,
    state: last === null ? 'unfinished' : stateOf(last.record),
    suggestion,
    claim,
    last,
    next: highest + 1,
    takeovers,
    problem,
    changes,
    epochs: curve.epochs,
    values: curve.values,
    stage: suggestion?.stage ?? 0,
    epoch: curve.epochs.at(-1) ?? endOf(last?.record)?.epoch ?? 0,
    value: endOf(last?.record)?.value ?? curve.values.at(-1) ?? Number.NaN,
    begunAt: Date.parse(first?.time ?? ''),
    changedAt: Date.parse(last?.record.time ?? ''),
    worker: claim?.record.worker ?? '',
  }
}

const endOf = (record: Change | undefined) => (record && record.type !== 'claim' ? record : null)

const inOrder = (changes: Changes): number[] => [...changes.keys()].sort((a, b) => a - b)

function stateOf(record: Change): TrialState {
  if (record.type === 'claim') return 'running'
  return record.type === 'paused' ? 'paused' : record.state
}

/** Whether there is something of that name; where that cannot be told, there is not. */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/** Reads a trial's folder, and what has come since the last look. */
export class TrialFolderReader {
  readonly #place: { readonly number: number; readonly path: string }
  readonly #changes = new Map<number, Change>()
  readonly #tails = new Map<number, ReportTail>()
  #problems = new Map<number, string>()
  #highest = 0

  constructor(number: number, path: string) {
    this.#place = { number, path }
  }

  /** As it is now; null where nothing has changed. A folder that is gone or no folder is `unfinished`. */
  read(): Trial | null {
    const isChanged = this.#readChanges()
    // Who let it go had told all before: nothing comes until somebody claims it. Thousands may wait.
    const isLonger = (isChanged || this.#isHeld) && this.#readReports()
    return isChanged || isLonger ? this.#build() : null
  }

  /** Whether somebody may be at it: its newest record is a claim, or cannot be read. */
  get #isHeld(): boolean {
    const newest = this.#changes.get(this.#highest)
    return newest === undefined || newest.type === 'claim'
  }

  #readChanges(): boolean {
    const { path } = this.#place
    if (this.#highest > 0 && this.#problems.size === 0 && !isThere(changePath(path, this.#highest + 1))) return false
    const before = `${this.#highest} ${this.#changes.size} ${[...this.#problems.values()]}`
    const isFirst = this.#highest === 0
    this.#problems = new Map()
    const numbers = this.#list()
    for (const number of numbers.filter((number) => !this.#changes.has(number))) {
      try {
        const text = readSmall(changePath(path, number), mostOfRecord)
        if (text !== null) this.#changes.set(number, parseChange(text, changePath(path, number)))
      } catch (error) {
        this.#problems.set(number, (error as Error).message)
      }
    }
    const first = this.#changes.get(1)
    if (!this.#problems.has(1) && (first?.type !== 'claim' || first.suggestion === null))
      this.#problems.set(1, badFile(changePath(path, 1), 'there is no claim that suggests parameters').message)
    this.#highest = Math.max(this.#highest, ...numbers)
    return isFirst || before !== `${this.#highest} ${this.#changes.size} ${[...this.#problems.values()]}`
  }

  #list(): number[] {
    try {
      return readdirSync(this.#place.path).flatMap((name) => changeNumberOf(name) ?? [])
    } catch (error) {
      if (!isMissing(error)) this.#problems.set(0, fileError(this.#place.path, error).message)
      return []
    }
  }

  #readReports(): boolean {
    let isLonger = false
    const newest = Math.max(0, ...[...this.#changes].filter(([, { type }]) => type === 'claim').map(([n]) => n))
    for (const [number, { type }] of this.#changes) {
      // One that was taken over writes where nobody looks.
      if (type !== 'claim' || (number !== newest && this.#tails.has(number))) continue
      const tail = this.#tails.get(number) ?? new ReportTail(reportsPath(this.#place.path, number))
      this.#tails.set(number, tail)
      try {
        isLonger = tail.read() || isLonger
      } catch (error) {
        this.#problems.set(-number, (error as Error).message)
      }
    }
    return isLonger
  }

  #build(): Trial {
    const tails = [...this.#tails].sort(([a], [b]) => a - b).map(([, tail]) => tail)
    const problem = [...this.#problems.values()][0] ?? null
    return trialOf(this.#place, new Map(this.#changes), { highest: this.#highest, problem, curve: joined(tails) })
  }
}

/** A trial as its folder tells of it now. */
export const readTrial = (number: number, path: string): Trial => new TrialFolderReader(number, path).read()!
