/** The folder `masters`: who is the master, and its cache of the trials that have ended. */
import { readFileSync } from 'node:fs'
import { appendFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isOvertaken, newestClaim, putClaim } from '../claim.js'
import { GradusError } from '../errors.js'
import { isMissing, makeFolder, replaceFile, withFileErrors } from '../files.js'
import { parseObject } from '../json.js'
import { type ProcessMark, thisProcess } from '../processes.js'
import type { Beats } from './beats.js'
import { now } from './held-trial.js'
import { beatsPath, studyFiles } from './layout.js'
import type { Held, LeaseJudge } from './lease.js'
import { type Change, changeOf } from './records.js'
import { Fields, fromNumber, isObject, type Json, type JsonObject, studyFormat, toNumber } from './values.js'

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

/** A trial that has ended, as the cache has it. */
export interface Cached {
  readonly number: number
  readonly changes: ReadonlyMap<number, Change>
  readonly epochs: readonly number[]
  readonly values: readonly number[]
}

const indexPath = (study: string, master: number): string => join(study, studyFiles.masters, `index.${master}.jsonl`)

/** The cache of one master: begun whole, then longer by a line a trial that has ended. */
export class IndexWriter {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** Of the trials that have ended so far; those of masters before it go. */
  static async open(study: string, master: number, ended: readonly Cached[]): Promise<IndexWriter> {
    const path = indexPath(study, master)
    await makeFolder(join(study, studyFiles.masters))
    const text = ended.map(lineOf).join('')
    await replaceFile(path, (file) => file.writeFile(text), { sync: false })
    for (const other of await indexesOf(study)) {
      if (other < master) await rm(indexPath(study, other), { force: true }).catch(() => undefined)
    }
    return new IndexWriter(path)
  }

  async add(ended: readonly Cached[]): Promise<void> {
    // Begins a line: what was torn before is a line of its own.
    const text = `\n${ended.map(lineOf).join('')}`
    if (ended.length > 0) await withFileErrors(this.#path, () => appendFile(this.#path, text), 'written')
  }
}

function lineOf({ number, changes, epochs, values }: Cached): string {
  const written = [...changes].map(([at, change]) => {
    const value = 'value' in change && change.value !== null ? { value: fromNumber(change.value) } : {}
    return [at, { format: studyFormat, ...change, ...value }]
  })
  return `${JSON.stringify({ format: studyFormat, number, changes: written, epochs, values: values.map(fromNumber) })}\n`
}

/** From the newest master to the oldest. */
async function indexesOf(study: string): Promise<number[]> {
  const names = await readdir(join(study, studyFiles.masters)).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
  return names
    .flatMap((name) => /^index\.([1-9]\d{0,8})\.jsonl$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a)
}

/** What the newest cache has, by number; nothing where there is none. Lines that are damaged are left out. */
export async function readIndex(study: string): Promise<Map<number, Cached>> {
  const found = new Map<number, Cached>()
  const [newest] = await indexesOf(study).catch(() => [])
  if (newest === undefined) return found
  const path = indexPath(study, newest)
  const text = textOf(path)
  for (const line of text.split('\n')) {
    const cached = line === '' ? null : cachedOf(line, path)
    if (cached) found.set(cached.number, cached)
  }
  return found
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function cachedOf(line: string, where: string): Cached | null {
  try {
    const fields = Fields.of(parseObject(line, where) as JsonObject, where, ['changes', 'epochs', 'values'])
    const changes = fields.list('changes').map((entry) => changeIn(entry, where))
    const [epochs, values] = [fields.list('epochs') as number[], fields.list('values').map(toNumber)]
    if (!epochs.every(Number.isSafeInteger) || values.includes(null) || epochs.length !== values.length) return null
    return { number: fields.whole('number'), changes: new Map(changes), epochs, values: values as number[] }
  } catch {
    return null
  }
}

function changeIn(entry: Json, where: string): [number, Change] {
  const [at, change] = Array.isArray(entry) ? entry : []
  if (!Number.isSafeInteger(at) || !isObject(change)) throw new SyntaxError('it is no change')
  return [at, changeOf(Fields.of(change, where))]
}
