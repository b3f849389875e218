/** Reads a study, and what has changed since the last look. */
import { readdirSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileError, isMissing, withFileErrors } from '../files.js'
import { changePath, studyFiles, trialNumberOf, trialPath } from './layout.js'
import { OrderedNumbers, placeOf } from './ordered-numbers.js'
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
  /** Told of each trial that is read, as it is then. */
  readonly onTrial?: ((trial: Trial) => void) | undefined
  /** Milliseconds that never go back. Default `performance.now`. */
  readonly now?: (() => number) | undefined
}

interface RefreshOptions extends Pick<StudyReaderOptions, 'onProgress'> {
  /** Whether all that have ended, and all that wait, are looked at. Default false. */
  readonly all?: boolean | undefined
  /** Whether some hundreds of those that have ended are. Default true. */
  readonly ended?: boolean | undefined
  /** Whether some of those that wait are: so many that each has its turn within ten seconds. Default true. */
  readonly waiting?: boolean | undefined
  /** Whether all those under way are. Default true. */
  readonly held?: boolean | undefined
  /** One that is looked at in any case, unless it has ended. */
  readonly trial?: number | undefined
}

interface Entry {
  readonly trial: Trial
  /** Null of one that nobody is at: it is read anew if it changes. */
  readonly reader: TrialFolderReader | null
}

/** Looks between which others have their turn. */
const atOnce = 256
/** Trials that have ended, of which a look makes sure that nobody has retried them. */
const endedAtOnce = 512
/** Trials that wait, of which a look at least makes sure that nobody has taken them; and milliseconds within which all are. */
const [waitingAtOnce, waitingRound] = [128, 10_000]
/** Looks of which one lists all folders, of thousands fewer: the others look for the next numbers. */
const listEvery = 64
const foldersALook = 16

export class StudyReader {
  /** The folder, from the root on and without links. */
  readonly path: string
  readonly study: StudyDescription
  readonly #entries = new Map<number, Entry>()
  /** Those that somebody is at, or of which something cannot be read. */
  readonly #held = new OrderedNumbers()
  /** Those that wait for a worker. */
  readonly #waiting = new OrderedNumbers()
  readonly #ended = new OrderedNumbers()
  readonly #options: StudyReaderOptions
  readonly #now: () => number
  #sorted: readonly Trial[] | null = null
  #highest = -1
  /** Looks since one has listed all folders. */
  #sinceList = 0
  /** When those that wait were looked at last. */
  #waitingAt: number
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(path: string, study: StudyDescription, options: StudyReaderOptions) {
    this.path = path
    this.study = study
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#waitingAt = this.#now()
  }

  /** @throws `GRADUS_BAD_FILE` when there is no study, or one that cannot be read */
  static async open(path: string, options: StudyReaderOptions = {}): Promise<StudyReader> {
    const { onProgress, index = true, trusts = false } = options
    const study = await readStudy(path)
    // Whoever changes the working folder later, and whatever links lead here: checkpoints are read without following any.
    const reader = new StudyReader(await withFileErrors(path, () => realpath(path)), study, options)
    if (index) {
      // Whether the cache is right is seen by the next change's number, when it is looked at.
      for await (const trials of readIndex(reader.path)) for (const trial of trials) reader.#keep(trial, null)
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
    for (let i = 0; i < numbers.length; i++) {
      if (i % atOnce === atOnce - 1) {
        onProgress?.(i, numbers.length)
        await setImmediate()
      }
      const isFirst = numbers[i] === this.#waiting.first
      const trial = this.#look(numbers[i]!)
      if (!trial) continue
      changed.push(trial)
      // Workers take those that wait in turn: where the first has gone, others may have.
      if (isFirst && this.#waiting.first !== null) numbers.push(this.#waiting.first)
    }
    onProgress?.(numbers.length, numbers.length)
    if (changed.length > 0) this.#sorted = this.#sorted && renewed(this.#sorted, changed)
    return changed
  }

  /** How many are under way. */
  get heldCount(): number {
    return this.#held.size
  }

  /** How many wait for a worker. */
  get waitingCount(): number {
    return this.#waiting.size
  }

  /** Those that somebody is at, or of which something cannot be read, by number. */
  get held(): Trial[] {
    return this.#held.all.map((number) => this.#entries.get(number)!.trial)
  }

  #due({ all = false, ended = true, waiting = true, held = true, trial = -1 }: RefreshOptions): number[] {
    const isListed = all || this.#sinceList === 0
    this.#sinceList = (this.#sinceList + 1) % Math.max(listEvery, Math.ceil(this.#entries.size / foldersALook))
    const listed = isListed ? this.#list() : this.#probe()
    const fresh = listed.filter((number) => !this.#entries.has(number))
    const isExtra = this.#held.has(trial) ? !held : this.#waiting.has(trial)
    const ofHeld = [...(isExtra ? [trial] : []), ...(held ? this.#held.all : [])]
    const ofWaiting = all ? this.#waiting.all : waiting ? this.#someWaiting() : []
    const ofEnded = all ? this.#ended.all : ended ? this.#ended.turn(endedAtOnce) : []
    return [...ofHeld, ...ofWaiting, ...ofEnded, ...fresh]
  }

  /** The first one too, which is taken next. */
  #someWaiting(): number[] {
    const { size, first } = this.#waiting
    if (first === null) return []
    const now = this.#now()
    const share = (now - this.#waitingAt) / waitingRound
    this.#waitingAt = now
    const turn = this.#waiting.turn(Math.max(waitingAtOnce, Math.ceil(size * Math.min(1, share))))
    return turn.includes(first) ? [...turn] : [first, ...turn]
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
      for (const numbers of [this.#held, this.#waiting, this.#ended]) numbers.delete(number)
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
    this.#keep(trial, reader)
    this.#options.onTrial?.(trial)
    return trial
  }

  #keep(trial: Trial, reader: TrialFolderReader | null): void {
    const isWhole = trial.problem === null
    const ofWhole = hasEnded(trial) ? this.#ended : trial.state === 'paused' ? this.#waiting : this.#held
    const kind = isWhole ? ofWhole : this.#held
    for (const other of [this.#held, this.#waiting, this.#ended]) if (other !== kind) other.delete(trial.number)
    kind.add(trial.number)
    this.#entries.set(trial.number, { trial, reader: kind === this.#held ? reader : null })
  }
}

/** A list by number with what has changed in its place; null where that is so much that it is better sorted anew. */
function renewed(sorted: readonly Trial[], changed: readonly Trial[]): readonly Trial[] | null {
  if (changed.length > sorted.length / 16) return null
  const trials = [...sorted]
  for (const trial of changed) {
    const at = placeOf(trials.length, (place) => trials[place]!.number, trial.number)
    trials.splice(at, trials[at]?.number === trial.number ? 1 : 0, trial)
  }
  return trials
}
