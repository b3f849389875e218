/** How far a run is: what is finished, the epoch under way, and all that decides how it goes on. */
import { type NativeSnapshot, native } from '../native.js'
import type { Callback, Moment } from './callback.js'
import { EpochSource, epochBegin } from './epoch-source.js'
import type { Halt } from './halt.js'
import { addRecord, type EpochRecord, emptyHistory, type History } from './history.js'
import { type RunState, rememberedBy, remind } from './run-state.js'
import type { Source } from './source.js'
import type { Steps } from './steps.js'
import type { TrainTarget } from './target.js'
import { EpochTotals } from './totals.js'
import { inTurn } from './turn.js'

/** An epoch under way. */
export interface UnderWay {
  readonly source: EpochSource
  readonly totals: EpochTotals
}

export class Standing {
  readonly history: History = emptyHistory()
  /** The column that the best epoch is found by. */
  watched: 'loss' | 'valLoss' = 'loss'
  readonly #target: TrainTarget
  readonly #records: EpochRecord[] = []
  #best: EpochRecord | null = null
  /** Epochs that are finished. */
  #epochs: number
  /** From an epoch's begin to its record. */
  #under: UnderWay | null = null
  /** What a run that goes on has done of its first epoch. */
  #begun: RunState['under'] = null

  constructor(target: TrainTarget, initialEpoch: number) {
    this.#target = target
    this.#epochs = initialEpoch
  }

  get epochs(): number {
    return this.#epochs
  }

  /** The record of the best epoch so far, by what is watched by default. */
  get best(): EpochRecord | null {
    return this.#best
  }

  get records(): readonly EpochRecord[] {
    return this.#records
  }

  /** The next epoch, from its first example on, or from where a run goes on with it. */
  begin(training: Source): UnderWay {
    const { place, totals: state } = this.#begun ?? { place: epochBegin, totals: null }
    this.#begun = null
    const totals = new EpochTotals(this.#target)
    if (state !== null) totals.restore(state)
    this.#under = { source: new EpochSource(training, this.#epochs + 1, place), totals }
    return this.#under
  }

  finish(record: EpochRecord): void {
    this.#under = null
    this.#epochs++
    this.#add(record)
  }

  #add(record: EpochRecord): void {
    addRecord(this.history, record)
    this.#records.push(record)
    this.#best = better(this.#best, record, this.watched)
  }

  moment(kind: Moment['kind']): Moment {
    const { step } = this.#target.program
    const rows = this.#under?.totals.rows ?? 0
    return { kind, epochs: this.#epochs, rows, step, record: this.#records.at(-1) ?? null }
  }

  /**
   * Of this moment; only the copy of the weights may come later, and nothing changes them before. It is made in the memory of
   * an earlier one, if that is given.
   */
  async take(of: TakenFrom, threads: number, into?: NativeSnapshot): Promise<RunState> {
    const { program } = this.#target
    const rest = {
      epoch: this.#epochs,
      under: this.#under && {
        place: this.#under.source.placeAt(this.#under.totals.rows),
        totals: this.#under.totals.state(),
      },
      steps: of.steps.state(),
      callbacks: rememberedBy(of.callbacks),
      records: [...this.#records],
      endedBy: of.halt.endedBy,
    }
    const snapshot = into ?? new native.Snapshot(program)
    await inTurn(program, () => program.exportState(snapshot, threads))
    return { ...rest, native: snapshot }
  }

  /** Goes on from a state, whose memory is let go of: model, epochs, schedules and callbacks are as they were. */
  async restore(state: RunState, of: TakenFrom): Promise<void> {
    const { program } = this.#target
    await inTurn(program, () => program.importState(state.native)).finally(() => state.native.dispose())
    for (const record of state.records) this.#add(record)
    this.#epochs = state.epoch
    this.#begun = state.under
    of.steps.restore(state.steps)
    await remind(of.callbacks, state.callbacks)
    if (state.endedBy !== null) of.halt.end(state.endedBy)
  }
}

/** Who else remembers something of a run. */
export interface TakenFrom {
  readonly steps: Steps
  readonly callbacks: readonly Callback[]
  readonly halt: Halt
}

/** The one of them with the smaller value; one without a value is worse. */
function better(best: EpochRecord | null, record: EpochRecord, column: 'loss' | 'valLoss'): EpochRecord | null {
  const value = record[column] ?? Number.NaN
  if (Number.isNaN(value)) return best
  return best === null || value < best[column]! ? record : best
}
