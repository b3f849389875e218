/** The runs of a folder, each with its reader; they are looked at again when somebody asks or listens. */
import { readdir, realpath } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join, sep } from 'node:path'
import { GradusError } from '../../errors.js'
import { findRuns, openRun, type Recording, type RunReader } from '../recording/index.js'
import type { EndEntry, RunInfo } from '../recording/recording.js'
import { packAll } from './packed.js'
import type { RunStatus, RunSummary, StepsView } from './wire.js'

/** More than a list can show; each keeps some megabytes. */
const mostRuns = 500
/** Milliseconds for which what was read counts as new: the questions of one page then share one reading. */
const freshFor = 400
/** The same for a run that has ended and had nothing new: a folder may hold hundreds of them. */
const freshForEnded = 10_000

export class WatchedRun {
  #reader: RunReader | null = null
  #problem: string | null = null
  #recording: Recording | null = null
  #refreshing: Promise<void> | null = null
  #readAt = Number.NEGATIVE_INFINITY
  #hasSettled = false
  /** How often it has grown, and how often when that was last told. */
  #growths = 0
  #told = 0
  /** How many of its rows have been told. */
  #toldRows = 0
  /** Number of the event that told of its last growth. */
  changed = 0

  constructor(
    readonly name: string,
    readonly directory: string,
  ) {}

  /** True once after it has grown, whoever had it read. */
  takeNews(): boolean {
    const isNew = this.#growths !== this.#told
    this.#told = this.#growths
    return isNew
  }

  /** What its curves have got since this was last asked; undefined where there is nothing. */
  takeSteps(): StepsView | undefined {
    if (this.#reader === null) return undefined
    const { tensors: _, ...steps } = this.#reader.stepsFrom(this.#toldRows)
    const hasMore = steps.count > this.#toldRows
    this.#toldRows = steps.count
    return hasMore ? packAll(steps) : undefined
  }

  /** Reads what has been appended. Calls at the same time share one reading. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#readAt < (this.#hasSettled ? freshForEnded : freshFor)) return
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null
      this.#readAt = performance.now()
    })
    await this.#refreshing
  }

  async #refresh(): Promise<void> {
    const before = this.#problem
    try {
      const isFirst = this.#reader === null
      this.#reader ??= await openRun(this.directory)
      const grew = (await this.#reader.refresh()) || isFirst
      this.#problem = null
      this.#hasSettled = !grew && this.#reader.standing.end !== null
      if (grew) this.#recording = null
      if (grew || before !== null) this.#growths++
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error)
      if (this.#problem !== before) this.#growths++
    }
  }

  /** Throws what keeps it from being read. */
  recording(): Recording {
    if (this.#problem !== null || this.#reader === null) {
      throw new GradusError('GRADUS_BAD_FILE', this.#problem ?? 'The run has not been read yet')
    }
    this.#recording ??= this.#reader.recording()
    return this.#recording
  }

  /** What is shown at once when it changes: how the run stands, and whether a step was refused. */
  get state(): string {
    return `${this.#status}${this.#reader?.standing.refusal ? ', refused' : ''}`
  }

  get #status(): RunStatus {
    if (this.#problem !== null || this.#reader === null) return 'unreadable'
    return statusOf(this.#reader.info, this.#reader.standing.end)
  }

  summary(): RunSummary {
    if (this.#problem !== null || this.#reader === null) {
      return { name: this.name, status: 'unreadable', reason: this.#problem ?? undefined }
    }
    const { info, standing } = this.#reader
    const { step, loss, epoch, system, end } = standing
    const until = end?.time ?? system?.time
    return {
      name: this.name,
      status: this.#status,
      reason: end ? (end.error ?? end.stoppedBy) : undefined,
      started: info.started,
      step,
      epoch: epoch?.epoch ?? 0,
      epochs: info.options.epochs,
      loss: Number.isNaN(loss) ? (epoch?.loss ?? null) : loss,
      valLoss: typeof epoch?.valLoss === 'number' ? epoch.valLoss : null,
      samplesPerSecond: system?.samplesPerSecond,
      seconds: until === undefined ? undefined : (until - Date.parse(info.started)) / 1000,
    }
  }
}

const host = hostname()

export function statusOf(info: RunInfo, end: EndEntry | null): RunStatus {
  if (end === null) return info.machine.host === host && !isAlive(info.machine.process) ? 'silent' : 'running'
  if (end.error !== undefined || end.stoppedBy === 'error') return 'failed'
  return end.stoppedBy === 'epochs' ? 'finished' : 'stopped'
}

function isAlive(process_: number): boolean {
  try {
    process.kill(process_, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

export class RunFolder {
  readonly #runs = new Map<string, WatchedRun>()
  /** Number of the last event. Begins at the time, so that those of an earlier server are always smaller. */
  event = Date.now()

  private constructor(readonly path: string) {}

  static async open(path: string): Promise<RunFolder> {
    const folder = new RunFolder(await realpath(path))
    await folder.refresh()
    return folder
  }

  get name(): string {
    return basename(this.path)
  }

  get runs(): readonly WatchedRun[] {
    return [...this.#runs.values()]
  }

  get(name: string): WatchedRun | undefined {
    return this.#runs.get(name)
  }

  /** Looks for new and vanished runs; true when there are some. */
  async refresh(): Promise<boolean> {
    const found = (await findRuns(this.path)).slice(0, mostRuns)
    let isOther = false
    for (const name of this.#runs.keys()) {
      if (found.includes(name)) continue
      this.#runs.delete(name)
      isOther = true
    }
    for (const name of found) {
      if (this.#runs.has(name)) continue
      const directory = await insideOf(this.path, name)
      if (directory === null) continue
      this.#runs.set(name, new WatchedRun(name, directory))
      isOther = true
    }
    return isOther
  }

  /** Reads what all runs have got; returns those which grew. */
  async poll(): Promise<WatchedRun[]> {
    const grown: WatchedRun[] = []
    for (const run of this.runs) {
      await run.refresh()
      if (run.takeNews()) grown.push(run)
    }
    if (grown.length > 0) this.event++
    for (const run of grown) run.changed = this.event
    return grown
  }
}

/** The real path of a run directory; null when it, or anything in it, leads out of the folder or is no plain file. */
async function insideOf(folder: string, name: string): Promise<string | null> {
  try {
    const directory = await realpath(join(folder, name))
    if (directory !== folder && !isBelow(folder, directory)) return null
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.isFile() || entry.isDirectory()) continue
      if (!entry.isSymbolicLink() || !isBelow(folder, await realpath(join(directory, entry.name)))) return null
    }
    return directory
  } catch {
    return null
  }
}

const isBelow = (folder: string, path: string): boolean => path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
