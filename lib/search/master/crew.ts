/** The workers of a master: started, started again when they died, and those that a master before it has left behind. */
import { availableParallelism } from 'node:os'
import type { GradusError } from '../../errors.js'
import { isAlive } from '../../processes.js'
import { hasEnded, type Trial } from '../../study/index.js'
import type { Executor, WorkerHandle, WorkerOutcome } from '../executors/executor.js'
import type { WorkerEnd } from '../worker/worker.js'

export interface CrewOptions {
  readonly executor: Executor
  readonly workers: number
  /** How often one that dies is started again, as long as the search gets no further. Default 3. */
  readonly restarts?: number | undefined
  onLine(text: string): void
  /** Something has happened that is worth a look. */
  onChange(): void
}

interface Slot {
  readonly name: string
  handle: WorkerHandle | null
  outcome: WorkerOutcome | null
  /** In a row, while no trial got any further. */
  crashes: number
}

export class Crew {
  readonly #options: CrewOptions
  readonly #slots: readonly Slot[]
  readonly #threads: number
  #orphans: readonly Trial[] = []
  #isPausing = false
  /** The last epoch of each trial under way. */
  readonly #reached = new Map<number, number>()
  /** Told of when the trials have been read anew: what a worker has begun just before may not be known yet. */
  #deaths: { readonly process: number | null; readonly text: string; readonly after: string }[] = []
  /** Why the study cannot go on; null as long as it can. */
  failure: GradusError | null = null

  constructor(options: CrewOptions) {
    this.#options = options
    const names = Array.from({ length: options.workers }, (_, i) => `here.${i + 1}`)
    this.#slots = names.map((name) => ({ name, handle: null, outcome: null, crashes: 0 }))
    this.#threads = Math.max(1, Math.floor(availableParallelism() / options.workers))
  }

  /** Own ones, and those that were left behind. */
  get running(): number {
    return this.#slots.filter(({ handle }) => handle !== null).length + this.#orphans.length
  }

  /** How they ended that have; none of those that died. */
  get ends(): WorkerEnd[] {
    return this.#slots.flatMap(({ outcome }) => (typeof outcome === 'string' ? [outcome] : []))
  }

  /** Those that died and are not started again. */
  get dead(): string[] {
    const dead = this.#slots.filter(({ outcome }) => typeof outcome === 'object' && outcome !== null)
    return dead.map(({ name }) => name)
  }

  /** Starts whoever is missing. @param trials as they are now */
  look(trials: readonly Trial[]): void {
    for (const { process, text, after } of this.#deaths.splice(0)) {
      const had = trials.find((trial) => wasLeftBy(trial, process))
      this.#options.onLine(`${text}${had ? ` and had trial ${had.number}` : ''}${after}`)
    }
    this.#orphans = trials.filter((trial) => this.#isOrphan(trial))
    if (this.#isPausing || this.failure !== null) return
    const taken = new Set(this.#orphans.map(({ claim }) => claim!.record.worker))
    for (const slot of this.#slots) {
      if (slot.handle === null && slot.outcome === null && !taken.has(slot.name)) this.#start(slot)
    }
  }

  /** Whether the search gets on: then whoever has died, by whatever hand, has not died of what each worker dies of. */
  sawChanges(changed: readonly Trial[]): void {
    const isFurther = changed.map((trial) => this.#isFurther(trial))
    if (isFurther.includes(true)) for (const slot of this.#slots) slot.crashes = 0
  }

  /** Has all write their checkpoints and end, also those that were left behind. */
  pause(): void {
    this.#isPausing = true
    for (const { handle } of this.#slots) handle?.pause()
    for (const { claim } of this.#orphans) signalTo(claim!.record.process)
  }

  kill(): void {
    this.#isPausing = true
    for (const { handle } of this.#slots) handle?.kill()
  }

  /** Ends the worker of a process that does nothing any more; another takes its place. */
  killProcess(process: number): void {
    for (const { handle } of this.#slots) if (handle?.process === process) handle.kill()
  }

  #isFurther(trial: Trial): boolean {
    const [epoch, before] = [trial.epochs.at(-1) ?? 0, this.#reached.get(trial.number) ?? 0]
    if (hasEnded(trial)) this.#reached.delete(trial.number)
    else this.#reached.set(trial.number, Math.max(before, epoch))
    return epoch > before || (hasEnded(trial) && trial.state !== 'lost')
  }

  #start(slot: Slot): void {
    const handle = this.#options.executor.start(slot.name, this.#threads)
    slot.handle = handle
    void handle.ended.then((outcome) => this.#ended(slot, handle, outcome))
  }

  #ended(slot: Slot, { name, process }: WorkerHandle, outcome: WorkerOutcome): void {
    slot.handle = null
    slot.outcome = outcome
    if (typeof outcome === 'object' && 'failed' in outcome) this.failure ??= outcome.failed
    else if (typeof outcome === 'object' && !this.#isPausing) {
      slot.crashes++
      const isAgain = slot.crashes <= (this.#options.restarts ?? 3)
      if (isAgain) slot.outcome = null
      this.#deaths.push({ process, text: `worker ${name} has died (${outcome.crashed})`, after: after(isAgain) })
    }
    this.#options.onChange()
  }

  /** Held by a worker of this name and machine that is no child of this process. */
  #isOrphan({ state, claim }: Trial): boolean {
    if (state !== 'running' || claim === null || !/^here\.\d+$/.test(claim.record.worker)) return false
    const number = claim.record.process
    const isOwn = number === process.pid || this.#slots.some(({ handle }) => handle?.process === number)
    return !isOwn && isAlive(claim.record) === true
  }
}

/** Whether a claim of that process was ended by nobody, or by another one that took over. */
function wasLeftBy({ changes }: Trial, process: number | null): boolean {
  const left = [...changes].filter(([, change]) => change.type === 'claim' && change.process === process)
  return left.some(([number]) => (changes.get(number + 1)?.type ?? 'claim') === 'claim')
}

const after = (isAgain: boolean): string =>
  isAgain
    ? '; another takes its place'
    : '; it is not started again, as it has died too often while no trial got any further'

function signalTo(number: number): void {
  try {
    process.kill(number, 'SIGTERM')
  } catch {
    // It has ended meanwhile.
  }
}
