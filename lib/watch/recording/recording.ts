/** What a run leaves behind, as everybody reads it: diagnosis, the live page and reports know nothing else of a run. */
import type { TargetFacts } from '../../check/chance.js'
import type { Descriptor } from '../../native.js'

export type { TargetFacts }

/** What stands in `run.json`: all that is known when a run begins. */
export interface RunInfo {
  /** Of the files in the run directory; 1. */
  format: number
  /** Version of the package. */
  gradus: string
  /** ISO 8601. */
  started: string
  seed: number
  /** The model as data: inputs, layers, loss, metrics, optimizer. */
  descriptor: Descriptor
  /** Of `fit`, where they are plain values. */
  options: {
    epochs: number
    batchSize: number
    accumulate: number
    learningRate: number
    momentum?: number | undefined
    weightDecay: number
    clipNorm?: number | undefined
    clipValue?: number | undefined
    maxRefusedSteps: number
    threads: number
    /** Whether a schedule moves the learning rate. */
    isScheduled: boolean
    /** How much each class counts in the training loss, where not all count alike. */
    classWeights?: readonly number[] | undefined
  }
  /** Null where a stream does not say. */
  examples: number | null
  validationExamples: number | null
  /** What the targets are like, those of training weighted as the loss is; null for streams. Older files do not say. */
  targets?: TargetFacts | null | undefined
  validationTargets?: TargetFacts | null | undefined
  monitor: { every: number; histograms: number | null }
  /** Columns of its epochs that measure how good it is, in the order asked for; not there in runs of older versions. */
  metrics?: readonly { name: string; better?: 'larger' | 'smaller' | undefined }[] | undefined
  /** By number, where they are known. */
  classNames?: readonly string[] | undefined
  /** Trainable ones, in layer order; their columns of the table of steps come in this order. */
  tensors: readonly TensorInfo[]
  /** Whose values are looked at, in the order of work. */
  layers: readonly LayerInfo[]
  /** What has begun the run; null where that cannot be begun again, and not there in runs of older versions. */
  command?: CommandInfo | null | undefined
  machine: {
    cpu: string
    cores: number
    memory: number
    node: string
    platform: string
    host: string
    process: number
    /** What computed, where that was not the processor: `cuda:0`. */
    device?: string | undefined
    /** What tells the process from a later one of its number, where the system says it. */
    boot?: string | undefined
    started?: string | undefined
  }
}

/** `node <nodeArguments> <script> <arguments>`, in a folder. */
export interface CommandInfo {
  /** Absolute, as `folder`. */
  script: string
  arguments: readonly string[]
  nodeArguments: readonly string[]
  folder: string
}

export interface TensorInfo {
  /** `dense1.weight`. */
  name: string
  shape: readonly number[]
}

export interface LayerInfo {
  /** `relu1`. */
  name: string
  /** The op, of an activation its kind: `dense`, `relu`, `tanh`. */
  op: string
  /** Elements of one example. */
  units: number
}

/** Columns over time of a fixed number of stretches ("buckets") of recorded steps: means unless stated. */
export interface StepSeries {
  /** Steps recorded. */
  readonly count: number
  /** The last one's number. */
  readonly lastStep: number
  /** Number of each bucket's first step. */
  readonly step: Uint32Array
  /** Seconds since the run began. */
  readonly seconds: Float64Array
  /** Data loss; NaN where every step of a bucket was refused. */
  readonly loss: Float64Array
  readonly lossLeast: Float64Array
  readonly lossMost: Float64Array
  /** Spread of the loss from one recorded step to the next: √(mean of (lossᵢ − lossᵢ₋₁)² / 2). */
  readonly lossNoise: Float64Array
  readonly regularizationLoss: Float64Array
  readonly learningRate: Float64Array
  readonly momentum: Float64Array
  /** Of the whole gradient before clipping. */
  readonly gradientNorm: Float64Array
  /** Share of steps that were refused because their gradient was not finite. */
  readonly refused: Float64Array
  readonly tensors: readonly TensorSeries[]
}

export interface TensorSeries extends TensorInfo {
  /** ‖Δw‖ / ‖w‖; about 1e-3 is healthy (CS231n). 0 while all weights are 0. */
  readonly ratio: Float64Array
  readonly weightNorm: Float64Array
  readonly gradientNorm: Float64Array
  /** Share of the gradient's elements that are not finite. */
  readonly nonfinite: Float64Array
}

/** Looks at the layers' values, one entry a look; of long runs some hundred of them, evenly spread. */
export interface LayerSeries {
  readonly step: Uint32Array
  readonly layers: readonly (LayerInfo & {
    readonly mean: Float64Array
    readonly deviation: Float64Array
    /** Of a relu: share of units that never fired in the last looks. Else 0. */
    readonly dead: Float64Array
    /** Of tanh and sigmoid: share of values within a hundredth of an end. Else 0. */
    readonly saturated: Float64Array
    /** Share of values that are not finite. */
    readonly nonfinite: Float64Array
  })[]
}

/** One finished epoch as `history` has it, with the number of updates until then. */
export interface EpochEntry {
  epoch: number
  step: number
  loss: number
  [column: string]: number | number[][] | undefined
}

/** What the model said of up to 1,000 validation examples after an epoch (of training examples without validation). */
export interface PredictionsEntry {
  epoch: number
  step: number
  /** How many examples it put into each class, and how many belong there. */
  predicted: readonly number[]
  actual: readonly number[]
}

export interface SharpnessEntry {
  epoch: number
  step: number
  eigenvalue: number
  /** 2 / eigenvalue; null where that is infinite. */
  learningRateLimit: number | null
}

/** The first step of the run that was refused, and where its numbers stopped being finite. */
export interface RefusalEntry {
  step: number
  /** The first layer whose values are not finite, or null: then they were, and the gradient was not. */
  layer: string | null
  /** The tensor nearest to the loss whose gradient is not finite; null when only the loss is not. */
  tensor: string | null
}

export interface SystemEntry {
  step: number
  /** Milliseconds since 1970. */
  time: number
  samplesPerSecond: number
  /** Milliseconds that finished steps waited for the event loop; mean and longest since the entry before. */
  eventLoopDelay: number
  eventLoopDelayMost: number
  /** Bytes of the process. */
  memory: number
}

/** A process begins the run, or goes on with it from a step; older versions say no more than that. */
export interface BeginEntry {
  step: number
  time: number
  process?: number | undefined
  host?: string | undefined
  boot?: string | undefined
  started?: string | undefined
  threads?: number | undefined
  /** Number of the last epoch. */
  epochs?: number | undefined
}

export interface EndEntry {
  step: number
  time: number
  /** `epochs`, the reason given to `stop`, `abort` or `error`. */
  stoppedBy: string
  /** One sentence, when it was an error. */
  error?: string | undefined
}

export interface Recording {
  /** Process, host, threads and number of epochs are those of the last begin. */
  readonly info: RunInfo
  /** The first one, and one for each time that the run went on. */
  readonly begins: readonly BeginEntry[]
  readonly steps: StepSeries
  readonly layers: LayerSeries
  readonly epochs: readonly EpochEntry[]
  readonly predictions: readonly PredictionsEntry[]
  readonly sharpness: readonly SharpnessEntry[]
  readonly system: readonly SystemEntry[]
  readonly refusal: RefusalEntry | null
  /** Null while the run goes on, or when it was killed. */
  readonly end: EndEntry | null
}
