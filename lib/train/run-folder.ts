/** The folder of a run: one run at a time, whoever else begins at the same moment or is thought dead and wakes up. */
import { lstat, mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { isOvertaken, type Numbered, newestClaim, putClaim, readClaim } from '../claim.js'
import { GradusError } from '../errors.js'
import { badFile, isMissing, makeFolder, openFile, syncNameOf, withFileErrors } from '../files.js'
import { isAlive, type ProcessMark, thisProcess } from '../processes.js'
import { removeTemporaries } from '../temporary.js'

/** What whoever looks for a run in a folder goes by. */
export const runFiles = {
  /** What is known when a run begins. */
  info: 'run.json',
  /** What happens in it; it grows while the run lives. */
  journal: 'metrics.jsonl',
  checkpoints: 'checkpoints',
  claims: 'claims',
} as const

/** Where a run is recorded: in `dir` itself, or by name in a folder of its own below it. */
export interface RunPlace {
  readonly dir: string
  readonly name?: string | undefined
}

/** A folder that a run has for itself, until it is closed or another process has taken it over. */
export interface RunFolder {
  readonly path: string
  /** Number of this begin's claim: files of ours carry it. */
  readonly claim: number
  /**
   * Whether the run before recorded no end, and it cannot be told that its process is gone: that may still write into
   * files that it has open.
   */
  readonly tookOver: boolean
  /** Whether another process has taken the folder over. */
  isTaken(): Promise<boolean>
  /** @throws `GRADUS_STALE_RUN` when another process has taken the folder over */
  check(): Promise<void>
  /** Records the end. A disk that does not take it is no error: the process is gone soon, and that tells it too. */
  close(stoppedBy: string): Promise<void>
}

export interface OpenOptions {
  /** Milliseconds for which the journal of a run on another machine is watched. Default 10,000. */
  patience?: number | undefined
  /** Ends the watching: its reason is thrown. */
  signal?: AbortSignal | undefined
}

/** What a claim says of the run that has made it. */
interface Begin extends ProcessMark {
  readonly type: 'begin'
  /** Of this module in this thread, and which of its folders. */
  readonly id: string
}

/** Nobody else in any thread of any process has this. */
const instance = process.hrtime.bigint().toString(36)
let opened = 0
/** Those that this module has open. */
const open = new Set<string>()

/**
 * Makes the folder of a new run, or takes that of a run to go on with it: both by a claim, so that of many who try one
 * alone succeeds. `goesOn`: whether it may hold a run.
 *
 * @throws `GRADUS_INVALID_ARGUMENT` when it must not hold a run and does, `GRADUS_BUSY` when a run in it is under way
 */
export async function openRunFolder(place: RunPlace, goesOn: boolean, options: OpenOptions = {}): Promise<RunFolder> {
  const { dir, name } = place
  await makeFolder(dir)
  const path = name === undefined ? dir : await makeNamed(dir, name)
  const claims = join(path, runFiles.claims)
  const before = await newestClaim(claims)
  // Asked after the newest claim was read: a run that comes and goes from then on takes the next number.
  if (!goesOn && (await holdsRun(path))) throw taken(path)
  const begin = before && beginOf(before, claims)
  const state = begin ? await stateOf(begin, path, options) : 'free'
  const refuse = (by: unknown) => (goesOn ? busy(path, by) : taken(path))
  if (state === 'alive') throw refuse(begin)
  const number = (before?.number ?? 0) + 1
  const own = { type: 'begin', ...thisProcess(), id: `${instance}.${++opened}`, time: new Date().toISOString() }
  open.add(own.id)
  try {
    if (!(await putClaim(claims, number, own))) throw refuse(await readClaim(claims, number).catch(() => null))
  } catch (error) {
    open.delete(own.id)
    throw error
  }
  for (const folder of [path, claims, join(path, runFiles.checkpoints)]) await removeTemporaries(folder, { all: true })
  return new OpenFolder(path, number, own.id, state === 'silent')
}

class OpenFolder implements RunFolder {
  readonly path: string
  readonly claim: number
  readonly tookOver: boolean
  readonly #claims: string
  readonly #id: string

  constructor(path: string, claim: number, id: string, tookOver: boolean) {
    this.path = path
    this.claim = claim
    this.tookOver = tookOver
    this.#claims = join(path, runFiles.claims)
    this.#id = id
  }

  /** What cannot be seen is taken for ours: a disk that fails costs what is written there, not the training. */
  async isTaken(): Promise<boolean> {
    if (await isOvertaken(this.#claims, this.claim).catch(() => false)) return true
    // The folder may have been deleted, and another run have begun in one of that name.
    const own = await readClaim(this.#claims, this.claim).catch(() => null)
    return own !== null && (own as Partial<Begin>).id !== this.#id
  }

  async check(): Promise<void> {
    if (!(await this.isTaken())) return
    const message = `${this.path}: another process has gone on with this run, which ends here and writes nothing more`
    throw new GradusError('GRADUS_STALE_RUN', message)
  }

  async close(stoppedBy: string): Promise<void> {
    if (!open.delete(this.#id)) return
    const end = { type: 'end', of: this.claim, stoppedBy, time: new Date().toISOString() }
    await putClaim(this.#claims, this.claim + 1, end).catch(() => false)
  }
}

/** The begin that a claim tells of; null when it tells of an end. */
function beginOf({ number, record }: Numbered, claims: string): Begin | null {
  const { type, ...mark } = (record ?? {}) as Partial<Record<keyof Begin, unknown>>
  if (type === 'end') return null
  const isText = (value: unknown) => typeof value === 'string' || value === null
  const isWhole = Number.isSafeInteger(mark.process) && (mark.process as number) > 0
  if (type !== 'begin' || !isWhole || ![mark.host, mark.boot, mark.started, mark.id].every(isText)) {
    throw badFile(join(claims, `${number}.json`), 'the claim is damaged')
  }
  return record as Begin
}

/** `silent`: what there is to see of a run whose process cannot be seen from here has not grown. */
async function stateOf(begin: Begin, path: string, options: OpenOptions): Promise<'alive' | 'silent' | 'free'> {
  const alive = isUnderWay(begin)
  if (alive !== null) return alive ? 'alive' : 'free'
  return (await grows(join(path, runFiles.journal), options)) ? 'alive' : 'silent'
}

/** Null where that cannot be told: also of another thread of this process, which may have ended without a word. */
function isUnderWay(begin: Begin): boolean | null {
  const alive = isAlive(begin)
  if (!alive || begin.process !== process.pid) return alive
  return begin.id.startsWith(`${instance}.`) ? open.has(begin.id) : null
}

/** Milliseconds between looks at a journal. */
const lookEvery = 200

async function grows(journal: string, { patience = 10_000, signal }: OpenOptions): Promise<boolean> {
  const before = await sizeOf(journal)
  for (let left = patience; left > 0; left -= lookEvery) {
    await setTimeout(Math.min(left, lookEvery), undefined, { signal }).catch(() => signal?.throwIfAborted())
    if ((await sizeOf(journal)) !== before) return true
  }
  return false
}

/** By opening it: what a server far away has got is then asked for anew. */
async function sizeOf(path: string): Promise<number> {
  try {
    const { handle, size } = await openFile(path, { follow: false })
    await handle.close()
    return size
  } catch (error) {
    if (isMissing(error)) return 0
    throw error
  }
}

/** A claim alone is no run: whoever made it may have failed before anything was written. */
async function holdsRun(path: string): Promise<boolean> {
  for (const name of [runFiles.info, runFiles.checkpoints]) {
    const found = await lstat(join(path, name)).catch(() => null)
    if (found) return true
  }
  return false
}

function taken(path: string): GradusError {
  const own = `dir: '${dirname(path)}' with name: '${basename(path)}' gives each run a folder of its own`
  const message = `dir: ${path} holds a run already; ${own}, initialEpoch goes on with that run`
  return new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'dir', expected: 'a folder without a run' })
}

function busy(path: string, by: unknown): GradusError {
  const { process: number, host } = (by ?? {}) as Partial<Begin>
  const isOurs = number === process.pid && host === thisProcess().host
  const who = isOurs ? 'this process' : `process ${number ?? '?'} on ${host ?? '?'}`
  return new GradusError(
    'GRADUS_BUSY',
    `dir: the run in ${path} is under way, in ${who}; one process alone goes on with it`,
  )
}

/** `mnist`, or `mnist-2`, …: the first that is not there. Two that make one at once get two. */
async function makeNamed(dir: string, name: string): Promise<string> {
  for (let number = 1; ; number++) {
    const path = join(dir, number === 1 ? name : `${name}-${number}`)
    if (!(await isMade(path))) continue
    await withFileErrors(path, () => syncNameOf(path), 'written')
    return path
  }
}

async function isMade(path: string): Promise<boolean> {
  try {
    await mkdir(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    return await withFileErrors(path, () => Promise.reject(error), 'written')
  }
}
