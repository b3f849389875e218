/** The checkpoints of one run, written while it goes on. */
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { GradusError } from '../errors.js'
import { replaceFile } from '../files.js'
import { writeTensors } from '../model/file.js'
import type { Model } from '../model/model.js'
import type { NativeSnapshot } from '../native.js'
import type { Keeper, Moment, RunContext } from '../train/callback.js'
import type { Lineage } from '../train/extensions.js'
import { modeOf } from '../train/monitor.js'
import type { RunFolder } from '../train/run-folder.js'
import type { RunState } from '../train/run-state.js'
import type { CheckpointSettings } from './checkpoint.js'
import { packCheckpoint } from './file.js'
import { CheckpointFolder, folderName, superfluous } from './folder.js'
import type { Watched } from './head.js'
import { type CheckpointFacts, nameOf, ownName } from './names.js'
import { type Interrupted, unwatch, watch } from './signals.js'

/** Minutes between checkpoints within an epoch, unless something else is said. */
const usualMinutes = 5

const isSame = (a: Moment, b: Moment): boolean => a.epochs === b.epochs && a.rows === b.rows && a.step === b.step

type Context = RunContext & { readonly folder: RunFolder; readonly lineage: Lineage }

export class CheckpointKeeper implements Keeper, Interrupted {
  readonly #context: Context
  readonly #settings: CheckpointSettings
  readonly #folder: CheckpointFolder
  /** The state written last: its memory is used again. */
  #spare: NativeSnapshot | undefined
  #writing: Promise<void> | null = null
  /** The last moment that was taken, and the last that is on the disk. */
  #last: Moment
  #saved: Moment
  #lastTime = performance.now()
  #isAsked = false
  #interruptedBy: NodeJS.Signals | null = null
  #stale: unknown = null
  #hasWarned = false
  #written: { path: string; seconds: number } | null = null

  private constructor(context: Context, settings: CheckpointSettings, folder: CheckpointFolder, last: Moment) {
    this.#context = context
    this.#settings = settings
    this.#folder = folder
    this.#last = last
    this.#saved = last
  }

  static open(context: Context, settings: CheckpointSettings): CheckpointKeeper {
    const path = join(context.folder.path, folderName)
    const { epoch, target } = context
    const { epochs, rows, step } = context.lineage.from ?? { epochs: epoch, rows: 0, step: target.program.step }
    const begin: Moment = { kind: 'epoch', epochs, rows, step, record: null }
    const keeper = new CheckpointKeeper(context, settings, new CheckpointFolder(path), begin)
    watch(keeper)
    return keeper
  }

  get path(): string | null {
    return this.#written?.path ?? null
  }

  async last(): Promise<string | null> {
    await this.#writing
    return this.path ?? this.#context.lineage.from?.path ?? null
  }

  isDue(moment: Moment): boolean | Promise<boolean> {
    const { kind, epochs, step } = moment
    if (kind === 'end') return this.#isUnsaved(moment)
    const last = this.#last
    if (isSame(moment, last)) return false
    if (this.#isAsked) return true
    const { every = 'usual', monitor } = this.#settings
    // One at an epoch's end may be among the best, or have been asked for; others wait until the disk is free.
    const canWait = kind === 'steps' || (every === 'usual' && monitor === undefined)
    if (canWait && this.#writing) return false
    const minutes = (performance.now() - this.#lastTime) / 60_000
    if (every === 'usual') return kind === 'epoch' || minutes >= usualMinutes
    if (every === 'epoch') return kind === 'epoch'
    if ('epochs' in every) return kind === 'epoch' && isAmong(epochs, every.epochs)
    if ('steps' in every) return Math.floor(step / every.steps) > Math.floor(last.step / every.steps)
    return minutes >= every.minutes
  }

  /** What could not be written is tried once more before the run ends. */
  async #isUnsaved(moment: Moment): Promise<boolean> {
    await this.#writing
    return this.#stale === null && !isSame(moment, this.#saved)
  }

  async keep(
    moment: Moment,
    take: (into?: NativeSnapshot) => Promise<RunState>,
    recorded: Promise<unknown>,
  ): Promise<void> {
    this.#isAsked = false
    await this.#writing
    if (this.#stale !== null) throw this.#stale
    const { lineage, folder } = this.#context
    this.#last = moment
    this.#lastTime = performance.now()
    const spare = this.#spare
    this.#spare = undefined
    // Both at once: training stands still.
    const [state] = await Promise.all([take(spare), folder.check()])
    const { id, identity } = lineage
    const of = { id, identity, watched: this.#watched }
    const packed = packCheckpoint(this.#context.target as Model, state, moment, of)
    const path = join(this.#folder.path, this.#name(moment, state.under !== null))
    this.#writing = this.#write(path, packed, recorded)
      .then(
        () => {
          this.#saved = moment
        },
        (error) => this.#failed(error),
      )
      .finally(() => {
        this.#spare = state.native
        this.#writing = null
      })
  }

  #name({ epochs, step, record }: Moment, isWithin: boolean): string {
    const { filename, monitor } = this.#settings
    const value = monitor === undefined || isWithin ? null : record?.[monitor]
    const score = typeof value === 'number' ? value : null
    const facts: CheckpointFacts = { epoch: isWithin ? epochs + 1 : epochs, step, score }
    return filename ? ownName(filename, facts) : nameOf(facts, { isWithin, monitor })
  }

  async #write(
    path: string,
    { tensors, metadata }: ReturnType<typeof packCheckpoint>,
    recorded: Promise<unknown>,
  ): Promise<void> {
    const began = performance.now()
    const { folder } = this.#context
    const ready = async () => {
      await recorded
      await folder.check()
    }
    await replaceFile(path, (file) => writeTensors(file, tensors, metadata), { ready })
    this.#written = { path, seconds: (performance.now() - began) / 1000 }
    this.#hasWarned = false
    await this.#tidy(path)
  }

  /** Removes what is no longer needed: only when the new one is in its place. */
  async #tidy(written: string): Promise<void> {
    const { lineage, folder } = this.#context
    const keeping = { keep: this.#settings.keep, watched: this.#watched }
    for (const path of superfluous(await this.#folder.list(), lineage.id, keeping, written)) {
      await folder.check()
      await unlink(path)
    }
  }

  get #watched(): Watched | null {
    const { monitor: column, mode } = this.#settings
    return column === undefined ? null : { column, mode: mode ?? modeOf(column, this.#context.target) }
  }

  #failed(error: unknown): void {
    if (error instanceof GradusError && error.code === 'GRADUS_STALE_RUN') this.#stale = error
    else if (!this.#hasWarned) this.#warn(error as Error)
  }

  /** Of failures in a row the first. */
  #warn({ message }: Error): void {
    this.#hasWarned = true
    const sentence = `A checkpoint could not be written: ${message}. Training goes on, and the next one is tried again`
    process.emitWarning(sentence, { type: 'GradusWarning', code: 'GRADUS_NOT_SAVED' })
  }

  interrupt(signal: NodeJS.Signals): void {
    this.#interruptedBy = signal
    this.#context.call.interrupt(signal)
  }

  ask(): void {
    this.#isAsked = true
  }

  async close(): Promise<void> {
    await this.#writing
    this.#spare?.dispose()
    this.#spare = undefined
    if (this.#interruptedBy !== null && !this.#context.call.settings.quiet) this.#tell()
    if (this.#stale !== null) throw this.#stale
  }

  release(): void {
    unwatch(this)
  }

  #tell(): void {
    const { path } = this.#context.folder
    const written = this.#written && `${this.#written.path} written in ${this.#written.seconds.toFixed(2)} s; `
    process.stderr.write(`the step is done: ${written ?? ''}go on with: gradus resume ${path}\n`)
  }
}

const isAmong = (epoch: number, of: number | readonly number[]): boolean =>
  typeof of === 'number' ? epoch % of === 0 : of.includes(epoch)
