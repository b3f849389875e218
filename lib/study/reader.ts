/** Reads a study, and what has changed since the last look. */
import { readdirSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileError, isMissing, withFileErrors } from '../files.js'
import { changePath, studyFiles, trialNumberOf, trialPath } from './layout.js'
import { readStudy, type StudyDescription } from './study.js'
import { hasEnded, isThere, type Trial, TrialFolderReader } from './trial.js'
import { readIndex } from './trial-index.js'

export interface StudyReaderOptions {
  /** Told now and then of how many trials have been looked at. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined
  /** Whether the master's cache is read. Default true. */
  readonly index?: boolean | undefined
  /** Whether ended trials are what the cache says until a `refresh` looks at them. Default false. */
  readonly trusts?: boolean | undefined
}

interface RefreshOptions extends Pick<StudyReaderOptions, 'onProgress'> {
  /** Whether all that have ended are looked at. Default false. */
  readonly all?: boolean | undefined
  /** Whether some hundreds of those that have ended are. Default true. */
  readonly ended?: boolean | undefined
  /** Whether those that have not ended are: all, or the one of that number. Default true. */
  readonly open?: boolean | number | undefined
}

interface Entry {
  readonly trial: Trial
  /** Null of one that has ended: it is read anew if it changes. */
  readonly reader: TrialFolderReader | null
}

/** Looks between which others have their turn. */
const atOnce = 256
/** Trials that have ended, of which a look makes sure that nobody has retried them. */
const endedAtOnce = 512
/** Looks of which one lists all folders, of thousands fewer: the others look for the next numbers. */
const listEvery = 64
const foldersALook = 16

export class StudyReader {
  /** The folder, from the root on and without links. */
  readonly path: string
  readonly study: StudyDescription
  readonly #entries = new Map<number, Entry>()
  /** Those that have not ended. */
  readonly #open = new Set<number>()
  #sorted: readonly Trial[] | null = null
  #highest = -1
  /** Looks since one has listed all folders. */
  #sinceList = 0
  /** The number up to which ended trials have been looked at. */
  #endedUpTo = -1
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(path: string, study: StudyDescription) {
    this.path = path
    this.study = study
  }

  /** @throws `GRADUS_BAD_FILE` when there is no study, or one that cannot be read */
  static async open(
    path: string,
    { onProgress, index = true, trusts = false }: StudyReaderOptions = {},
  ): Promise<StudyReader> {
    const study = await readStudy(path)
    // Whoever changes the working folder later, and whatever links lead here: checkpoints are read without following any.
    const reader = new StudyReader(await withFileErrors(path, () => realpath(path)), study)
    if (index) {
      // Whether the cache is right is seen by the next change's number, when it is looked at.
      for await (const trials of readIndex(reader.path))
        for (const trial of trials) reader.#entries.set(trial.number, { trial, reader: null })
    }
    // The first look lists all folders, whatever is looked at in them.
    await reader.refresh({ all: !trusts, ended: !trusts, onProgress })
    return reader
  }

  /** By number. */
  get trials(): readonly Trial[] {
    this.#sorted ??= [...this.#entries.values()].map(({ trial }) => trial).sort((a, b) => a.number - b.number)
    return this.#sorted
  }

  trial(number: number): Trial | null {
    return this.#entries.get(number)?.trial ?? null
  }

  /**
   * Looks for what has changed, and gives the trials that have. New ones are always looked for.
   *
   * @throws `GRADUS_BAD_FILE` when the folder of trials cannot be read; what is wrong in a trial's is its `problem`
   */
  refresh(options: RefreshOptions = {}): Promise<Trial[]> {
    const looked = this.#queue.then(() => this.#refresh(options))
    this.#queue = looked.catch(() => undefined)
    return looked
  }

  async #refresh({ onProgress, ...options }: RefreshOptions): Promise<Trial[]> {
    const numbers = this.#due(options)
    const changed: Trial[] = []
    for (const [i, number] of numbers.entries()) {
      if (i % atOnce === atOnce - 1) {
        onProgress?.(i, numbers.length)
        await setImmediate()
      }
      const trial = this.#look(number)
      if (trial) changed.push(trial)
    }
    onProgress?.(numbers.length, numbers.length)
    if (changed.length > 0) this.#sorted = this.#sorted && renewed(this.#sorted, changed)
    return changed
  }

  /** How many have not ended. */
  get openCount(): number {
    return this.#open.size
  }

  #due({ all = false, ended = true, open = true }: RefreshOptions): number[] {
    const isListed = all || this.#sinceList === 0
    this.#sinceList = (this.#sinceList + 1) % Math.max(listEvery, Math.ceil(this.#entries.size / foldersALook))
    const listed = isListed ? this.#list() : this.#probe()
    const fresh = listed.filter((number) => !this.#entries.has(number))
    const ofOpen = open === true ? this.#open : typeof open === 'number' && this.#open.has(open) ? [open] : []
    const ofEnded = all ? this.#ended() : ended ? this.#someEnded() : []
    return [...ofOpen, ...ofEnded, ...fresh]
  }

  #ended(): number[] {
    return [...this.#entries.keys()].filter((number) => !this.#open.has(number))
  }

  #someEnded(): number[] {
    const ended = this.#ended()
    const after = ended.filter((number) => number > this.#endedUpTo)
    const some = (after.length > 0 ? after : ended).slice(0, endedAtOnce)
    this.#endedUpTo = some.at(-1) ?? -1
    return some
  }

  /** All folders; a trial whose folder is gone is forgotten. */
  #list(): number[] {
    const folder = join(this.path, studyFiles.trials)
    let numbers: number[]
    try {
      const entries = readdirSync(folder, { withFileTypes: true })
      numbers = entries.flatMap((entry) => (entry.isDirectory() ? (trialNumberOf(entry.name) ?? []) : []))
    } catch (error) {
      if (!isMissing(error)) throw fileError(folder, error)
      numbers = []
    }
    const there = new Set(numbers)
    for (const number of this.#entries.keys()) {
      if (there.has(number)) continue
      this.#entries.delete(number)
      this.#open.delete(number)
      this.#sorted = null
    }
    this.#highest = numbers.reduce((a, b) => Math.max(a, b), -1)
    return numbers.sort((a, b) => a - b)
  }

  #probe(): number[] {
    const numbers: number[] = []
    while (isThere(trialPath(this.path, this.#highest + 1))) numbers.push(++this.#highest)
    return numbers
  }

  #look(number: number): Trial | null {
    const before = this.#entries.get(number)
    const path = before?.trial.path ?? trialPath(this.path, number)
    if (before && !before.reader && !isThere(changePath(path, before.trial.next))) return null
    const reader = before?.reader ?? new TrialFolderReader(number, path)
    const trial = reader.read()
    if (trial === null) return null
    const isOver = hasEnded(trial) && trial.problem === null
    this.#entries.set(number, { trial, reader: isOver ? null : reader })
    if (isOver) this.#open.delete(number)
    else this.#open.add(number)
    return trial
  }
}

/** A list by number with what has changed in its place; null where that is so much that it is better sorted anew. */
function renewed(sorted: readonly Trial[], changed: readonly Trial[]): readonly Trial[] | null {
  if (changed.length > sorted.length / 16) return null
  const trials = [...sorted]
  for (const trial of changed) {
    const at = placeOf(trials, trial.number)
    trials.splice(at, trials[at]?.number === trial.number ? 1 : 0, trial)
  }
  return trials
}

/** Where in a list by number the first is that is none below it. */
function placeOf(trials: readonly Trial[], number: number): number {
  let [from, to] = [0, trials.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (trials[middle]!.number < number) from = middle + 1
    else to = middle
  }
  return from
}
