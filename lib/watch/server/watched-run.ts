/** One run of a folder, with its reader and with what the list says of it. */
import { join } from 'node:path'
import { CheckpointFolder, type Found, folderName } from '../../checkpoint/folder.js'
import { GradusError } from '../../errors.js'
import { isAlive, thisProcess } from '../../processes.js'
import { diagnose, type Finding } from '../diagnosis/diagnose.js'
import { openRealRun, type Recording, type RunReader } from '../recording/index.js'
import { NotesReader } from '../recording/notes.js'
import type { EndEntry, RunInfo } from '../recording/recording.js'
import { packAll } from './packed.js'
import { bestOf } from './scores.js'
import { settingsOf, stepsPerEpoch } from './settings.js'
import type { RunListing, RunStatus, RunSummary, StepsView, Verdict } from './wire.js'

/** Milliseconds for which what was read counts as new: the questions of one page then share one reading. */
const freshFor = 400
/** The same for a run that has ended and had nothing new: a folder may hold hundreds of them. */
const freshForEnded = 10_000
/** The same for the verdict on a run that grows. */
const judgedFor = 10_000
/** So many of the latest are listed. */
const mostCheckpoints = 100
/** Bytes of the longest header among them that is read. */
const mostOfHeader = 4e6

export class WatchedRun {
  #reader: RunReader | null = null
  #problem: string | null = null
  #recording: Recording | null = null
  #refreshing: Promise<void> | null = null
  #readAt = Number.NEGATIVE_INFINITY
  #hasSettled = false
  readonly #notes: NotesReader
  readonly #checkpoints: CheckpointFolder
  #findings: Judged | null = null
  #best: { of: number; best: RunSummary['best'] } = { of: -1, best: undefined }
  /** How often it has grown, and how often when that was last told. */
  #growths = 0
  #told = 0
  /** How many of its rows have been told. */
  #toldRows = 0
  /** The how manieth run of the folder it is; −1 until it is counted. Its colour goes by that. */
  number = -1
  /** Number of the event that told of its last growth. */
  changed = 0

  constructor(
    readonly name: string,
    /** Its real path. */
    readonly directory: string,
  ) {
    this.#notes = new NotesReader(directory)
    this.#checkpoints = new CheckpointFolder(join(directory, folderName), {
      follow: false,
      most: mostCheckpoints,
      mostOfHeader,
    })
  }

  /** As their headers say; whether they are sound is not looked at. */
  checkpoints(): Promise<Found[]> {
    return this.#checkpoints.list()
  }

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

  /** Reads it at once, however fresh what is known may be. */
  async look(): Promise<void> {
    this.#readAt = Number.NEGATIVE_INFINITY
    await this.refresh()
  }

  async #refresh(): Promise<void> {
    const before = this.#problem
    if (this.#notes.refresh()) this.#growths++
    try {
      const isFirst = this.#reader === null
      this.#reader ??= await openRealRun(this.directory)
      const { generation } = this.#reader
      const grew = (await this.#reader.refresh()) || isFirst
      // Read anew: curves have other ends, which are no news, and all of it will be asked for.
      if (this.#reader.generation !== generation) {
        this.#toldRows = this.#reader.standing.rows
        this.#best = { of: -1, best: undefined }
      }
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

  /** What the recording has to say. The latest is kept, the recording is not: it may take megabytes. */
  findings(): readonly Finding[] {
    if (this.#findings?.growths === this.#growths) return this.#findings.all
    const recording = this.#recording ?? this.#reader?.recording()
    const all = recording ? diagnose(recording) : []
    this.#findings = { all, growths: this.#growths, state: this.state, at: performance.now() }
    return all
  }

  /** Brings the verdict up to date where it is due. */
  judge(): void {
    void this.#verdict
  }

  /** The gravest finding; for a run that grows it is looked for anew now and then, as it costs more than all the rest. */
  get #verdict(): Verdict | undefined {
    const known = this.#findings
    const isFresh = known && known.state === this.state && performance.now() - known.at < judgedFor
    const [gravest] = isFresh ? known.all : this.findings()
    return gravest && { rule: gravest.rule, severity: gravest.severity, message: gravest.message }
  }

  /** What is shown at once when it changes: how the run stands, and whether a step was refused. */
  get state(): string {
    return `${this.status}${this.#reader?.standing.refusal ? ', refused' : ''}`
  }

  get status(): RunStatus {
    if (this.#problem !== null || this.#reader === null) return 'unreadable'
    return statusOf(this.#reader.info, this.#reader.standing.end)
  }

  /** What changes while it runs. */
  summary(): RunSummary {
    const { name, number } = this
    if (this.#problem !== null || this.#reader === null) {
      return { name, number, status: 'unreadable', reason: this.#problem ?? undefined, notes: this.#notes.notes }
    }
    const { info, standing } = this.#reader
    const { step, loss, epoch, system, end, begins, seconds } = standing
    return {
      name,
      number,
      status: this.status,
      reason: end ? (end.error ?? end.stoppedBy) : undefined,
      started: info.started,
      step,
      epoch: epoch?.epoch ?? 0,
      epochs: info.options.epochs,
      stepsPerEpoch: stepsPerEpoch(info, epoch),
      loss: Number.isNaN(loss) ? (epoch?.loss ?? null) : loss,
      valLoss: typeof epoch?.valLoss === 'number' ? epoch.valLoss : null,
      best: this.#bestOf(this.#reader),
      verdict: this.#verdict,
      notes: this.#notes.notes,
      samplesPerSecond: system?.samplesPerSecond,
      seconds: seconds ?? undefined,
      wentOn: Math.max(0, begins.length - 1),
    }
  }

  /** With what it was started with, which does not change. */
  listing(): RunListing {
    const info = this.#problem === null ? this.#reader?.info : undefined
    return { ...this.summary(), settings: info ? settingsOf(info) : {} }
  }

  #bestOf({ info, standing }: RunReader): RunSummary['best'] {
    const { epochs } = standing
    if (this.#best.of !== epochs.length) this.#best = { of: epochs.length, best: bestOf(info, epochs) }
    return this.#best.best
  }
}

interface Judged {
  all: readonly Finding[]
  /** What it was made from, and when. */
  growths: number
  state: string
  at: number
}

export function statusOf(info: RunInfo, end: EndEntry | null): RunStatus {
  if (end === null) return isGone(info) ? 'silent' : 'running'
  if (end.error !== undefined || end.stoppedBy === 'error') return 'failed'
  return end.stoppedBy === 'epochs' ? 'finished' : 'stopped'
}

/** For certain: nothing is known of processes elsewhere, and little of those of older versions. */
function isGone({ machine: { process, host, boot, started } }: RunInfo): boolean {
  const here = thisProcess()
  return isAlive({ process, host, boot: boot ?? here.boot, started: started ?? null }) === false
}
