import type { Rows } from './files.js'
import { stepRowWidth } from './files.js'
import { LayerLooks } from './layer-looks.js'
import type {
  BeginEntry,
  EndEntry,
  EpochEntry,
  PredictionsEntry,
  Recording,
  RefusalEntry,
  RunInfo,
  SharpnessEntry,
  SystemEntry,
} from './recording.js'
import { StepBuckets } from './step-buckets.js'

/** A line of the journal. */
export type Entry =
  | ({ type: 'begin' } & BeginEntry)
  | ({ type: 'epoch' } & EpochEntry)
  | ({ type: 'predictions' } & PredictionsEntry)
  | ({ type: 'sharpness' } & SharpnessEntry)
  | ({ type: 'system' } & SystemEntry)
  | ({ type: 'refusal' } & RefusalEntry)
  | ({ type: 'end' } & EndEntry)

/** The line of a finished epoch, with the updates done until then. */
export const epochEntry = (record: object, step: number): Entry => ({ type: 'epoch', ...record, step }) as Entry

/** Where a run stands. */
export interface Standing {
  /** Of the table of steps. */
  readonly rows: number
  readonly step: number
  /** Of the last steps; NaN before there are any. */
  readonly loss: number
  /** The last finished one. */
  readonly epoch: EpochEntry | null
  /** All of them; it grows with the run. */
  readonly epochs: readonly EpochEntry[]
  /** The last one. */
  readonly system: SystemEntry | null
  readonly refusal: RefusalEntry | null
  readonly end: EndEntry | null
  /** Of the processes that the run has had. */
  readonly begins: readonly BeginEntry[]
  /** For which they have run, as far as is recorded, without the time between them; null before that is known. */
  readonly seconds: number | null
}

/** Of entries that come by the second, so many of the last are kept. */
const systemCapacity = 4096

/** Of many tensors fewer: some ten megabytes of sums in all. */
const bucketsOf = (width: number) => Math.max(64, Math.min(2048, 2 * Math.floor(2 ** 20 / width)))

/** What the begin of a run that goes on says otherwise; older ones say nothing. */
function begunBy({ options, machine, ...info }: RunInfo, begin: BeginEntry): RunInfo {
  const { epochs = options.epochs, threads = options.threads } = begin
  const { process = machine.process, host = machine.host, boot, started } = begin
  const { boot: _, started: __, ...known } = machine
  return {
    ...info,
    options: { ...options, epochs, threads },
    machine: { ...known, process, host, ...(boot && { boot }), ...(started && { started }) },
  }
}

/** A recording that grows: fed by the monitor of a run under way, or from the files of any run. */
export class RecordingBuilder {
  readonly buckets: StepBuckets
  readonly looks: LayerLooks
  #info: RunInfo
  #begins: BeginEntry[] = []
  #epochs: EpochEntry[] = []
  #predictions: PredictionsEntry[] = []
  #sharpness: SharpnessEntry[] = []
  #system: SystemEntry[] = []
  #refusal: RefusalEntry | null = null
  #end: EndEntry | null = null
  /** Milliseconds since 1970 when the last process began, and when it was last heard of. */
  #began: number
  #heard: number | null = null
  /** Milliseconds that the processes before it have run. */
  #ran = 0

  constructor(info: RunInfo) {
    this.#info = info
    this.#began = Date.parse(info.started)
    const width = stepRowWidth(info.tensors.length)
    this.buckets = new StepBuckets(width, bucketsOf(width))
    this.looks = new LayerLooks(info.layers)
  }

  /** As it is now: a run that goes on does so in a process of its own, maybe to another epoch. */
  get info(): RunInfo {
    return this.#info
  }

  addSteps(rows: Rows): void {
    this.buckets.add(rows)
  }

  /** Entries of a kind that is not known come from another version and are left alone. */
  addEntry({ type, ...entry }: Entry): void {
    if (type === 'begin') this.#begin(entry as BeginEntry)
    else if (type === 'epoch') this.#epochs.push(entry as EpochEntry)
    else if (type === 'predictions') this.#predictions.push(entry as PredictionsEntry)
    else if (type === 'sharpness') this.#sharpness.push(entry as SharpnessEntry)
    else if (type === 'refusal') this.#refusal ??= entry as RefusalEntry
    else if (type === 'end') {
      this.#end = entry as EndEntry
      this.#heard = this.#end.time
    } else if (type === 'system') {
      this.#system.push(entry as SystemEntry)
      this.#heard = (entry as SystemEntry).time
      if (this.#system.length > 2 * systemCapacity) this.#system = this.#system.slice(-systemCapacity)
    }
  }

  /** A run that goes on from an earlier step than was recorded does the rest once more. */
  #begin(begin: BeginEntry): void {
    const { step, time } = begin
    this.#begins.push(begin)
    if (this.#heard !== null) this.#ran += Math.max(0, this.#heard - this.#began)
    this.#began = time
    if (this.#heard !== null) this.#heard = time
    this.#info = begunBy(this.#info, begin)
    this.#end = null
    const isBefore = (entry: { step: number }) => entry.step <= step
    this.#epochs = this.#epochs.filter(isBefore)
    this.#predictions = this.#predictions.filter(isBefore)
    this.#sharpness = this.#sharpness.filter(isBefore)
    if (this.#refusal && !isBefore(this.#refusal)) this.#refusal = null
  }

  /** Where the run stands, for less than the whole recording costs. */
  get standing(): Standing {
    const { count, lastStep, lastLoss } = this.buckets
    const [epoch, system] = [this.#epochs.at(-1) ?? null, this.#system.at(-1) ?? null]
    return {
      rows: count,
      step: count > 0 ? lastStep : 0,
      loss: lastLoss,
      epoch,
      epochs: this.#epochs,
      system,
      refusal: this.#refusal,
      end: this.#end,
      begins: this.#begins,
      seconds: this.#heard === null ? null : (this.#ran + this.#heard - this.#began) / 1000,
    }
  }

  build(): Recording {
    return {
      info: this.#info,
      begins: [...this.#begins],
      steps: this.buckets.series(this.info.tensors),
      layers: this.looks.series(),
      epochs: [...this.#epochs],
      predictions: [...this.#predictions],
      sharpness: [...this.#sharpness],
      system: [...this.#system],
      refusal: this.#refusal,
      end: this.#end,
    }
  }
}
