/** The checkpoints of a run's directory, known from their own headers: there is no list that could be lost. */
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError, isMissing, nameOf } from '../files.js'
import { runFiles } from '../train/run-folder.js'
import { type CheckpointHeader, type Head, type HeaderOptions, type Watched, withHeader } from './head.js'
import { extension } from './names.js'

/** Below the run's directory. */
export const folderName = runFiles.checkpoints

export interface Found {
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** Null of a file that is damaged, or no checkpoint. */
  readonly head: Head | null
  /** What is wrong with it. */
  readonly problem: string | null
}

/** `follow: false` needs a real path. */
export interface FolderOptions extends HeaderOptions {
  /** So many of the latest files are looked at. Default: all. */
  readonly most?: number | undefined
}

/** Reads the headers in one folder, each once. */
export class CheckpointFolder {
  readonly path: string
  readonly #options: FolderOptions
  readonly #known = new Map<string, { state: string; found: Found }>()

  constructor(path: string, options: FolderOptions = {}) {
    this.path = path
    this.#options = options
  }

  /** All of them, oldest first; those that cannot be read at the end. */
  async list(): Promise<Found[]> {
    const found = (await this.#isItself()) ? await this.#list() : []
    // Looked at once more: what was read lay in it.
    return (await this.#isItself()) ? found : []
  }

  async #isItself(): Promise<boolean> {
    return this.#options.follow !== false || (await realpath(this.path).catch(() => null)) === this.path
  }

  async #list(): Promise<Found[]> {
    const names = await readdir(this.path).catch((error) => {
      if (isMissing(error)) return []
      throw fileError(this.path, error)
    })
    const found: Found[] = []
    for (const name of await this.#latest(names.filter((name) => name.endsWith(extension)))) {
      const one = await this.#look(join(this.path, name))
      if (one) found.push(one)
    }
    return found.sort((a, b) => (a.head && b.head ? byProgress(a.head, b.head) : Number(!a.head) - Number(!b.head)))
  }

  async #latest(names: readonly string[]): Promise<readonly string[]> {
    const { most = Number.POSITIVE_INFINITY } = this.#options
    if (names.length <= most) return names
    const times = await Promise.all(names.map((name) => lstat(join(this.path, name)).catch(() => null)))
    return names
      .map((name, i) => ({ name, time: times[i]?.mtimeMs ?? 0 }))
      .sort((a, b) => b.time - a.time)
      .slice(0, most)
      .map(({ name }) => name)
  }

  /** Null where it has gone meanwhile. */
  async #look(path: string): Promise<Found | null> {
    const { follow = true, mostOfHeader } = this.#options
    const status = await (follow ? stat : lstat)(path).catch(() => null)
    if (!status) return null
    const { size, mtimeMs, ino } = status
    const state = `${size} ${mtimeMs} ${ino}`
    const known = this.#known.get(path)
    if (known?.state === state) return known.found
    const look = async ({ head }: CheckpointHeader) => ({ path, size, head, problem: null })
    const found: Found = await withHeader(path, look, { follow, mostOfHeader }).catch((error: Error) => {
      return { path, size, head: null, problem: error.message }
    })
    this.#known.set(path, { state, found })
    return found
  }
}

/** Which one is further. */
export const byProgress = (a: Head, b: Head): number => a.epochs - b.epochs || a.rows - b.rows || a.step - b.step

/** How many are kept, and by what they are compared. */
export interface Keeping {
  readonly keep: number
  readonly watched: Watched | null
}

/**
 * Those of this run that are no longer needed, when `written` is in its place. Kept are the best, or without a column to compare
 * by the newest; the newest of all; within an epoch only that. Of equal ones the earlier is better, NaN is worst. What is
 * further than the one just written was passed over as damaged, and is no reason to remove that.
 */
export function superfluous(
  found: readonly Found[],
  id: string,
  { keep, watched }: Keeping,
  written?: string,
): string[] {
  const own = ofRun(found, id)
  const atEnds = own.filter(({ head }) => head.kind === 'epoch')
  const ranked = watched === null ? [...atEnds].reverse() : ranking(atEnds, watched)
  const kept = new Set([...ranked.slice(0, keep), ...own.slice(-1)].map(({ path }) => path))
  return own.filter(({ path }) => path !== written && !kept.has(path)).map(({ path }) => path)
}

/** A file whose header could be read. */
export type Known = Found & { readonly head: Head }

/** Oldest first. */
const ofRun = (found: readonly Found[], id: string): Known[] =>
  found.filter((one): one is Known => one.head?.id === id).sort((a, b) => byProgress(a.head, b.head))

/** At the ends of epochs of the run that has got furthest, oldest first. */
export function endsOfFurthest(found: readonly Found[]): Known[] {
  const furthest = found.findLast(({ head }) => head)
  return furthest?.head ? ofRun(found, furthest.head.id).filter(({ head }) => head.kind === 'epoch') : []
}

/** Best first. */
export function ranking(atEnds: readonly Known[], { column, mode }: Watched): Known[] {
  const sign = mode === 'max' ? -1 : 1
  return atEnds
    .map((one, i) => ({ one, i, score: one.head.record?.[column] ?? Number.NaN }))
    .sort((a, b) => compare(a, b, sign))
    .map(({ one }) => one)
}

/** The finished epoch; within one, that. */
export const epochOf = ({ kind, epochs }: Head): number => epochs + (kind === 'steps' ? 1 : 0)

/** What is wrong with a file, where its name stands beside it. */
export const withoutPath = (problem: string, path: string): string => {
  const named = `${nameOf(path)}: `
  return problem.startsWith(named) ? problem.slice(named.length) : problem
}

/** By what people compare checkpoints: as the run does, or by its loss. Null within an epoch. */
export function scoreOf({ record, watched }: Head): (Watched & { readonly score: number }) | null {
  if (record === null) return null
  const by = watched ?? { column: 'valLoss' in record ? 'valLoss' : 'loss', mode: 'min' as const }
  return { ...by, score: record[by.column] ?? Number.NaN }
}

/** Of the run that has got furthest: its newest checkpoint, and the best at an epoch's end, compared as the newest one of those is. */
export function outstanding(found: readonly Found[]): { newest: string | null; best: string | null } {
  const atEnds = endsOfFurthest(found)
  const by = atEnds.length > 0 ? scoreOf(atEnds.at(-1)!.head) : null
  return { newest: found.findLast(({ head }) => head)?.path ?? null, best: by && ranking(atEnds, by)[0]!.path }
}

interface Scored {
  readonly score: number
  readonly i: number
}

function compare(a: Scored, b: Scored, sign: number): number {
  const [missesA, missesB] = [Number.isNaN(a.score), Number.isNaN(b.score)]
  if (missesA || missesB) return Number(missesA) - Number(missesB) || a.i - b.i
  // Infinities of one sign have no difference.
  return a.score === b.score ? a.i - b.i : sign * (a.score - b.score)
}
