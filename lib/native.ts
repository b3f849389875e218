/** The only importer of the binary, and the types of its surface. Everything else in `lib/` goes through here. */
import { cudaLibraryBeside, loadBinary } from './binary.js'
import type { DataType, Descriptor, NativeAugmentation } from './descriptor.js'
import { type ErrorCode, GradusError } from './errors.js'

export type * from './descriptor.js'

export type TypedArray = Float32Array | Float64Array | Uint8Array | Int32Array
export type FloatArray = Float32Array | Float64Array

export interface NativeColumn {
  name: string
  type: 'float32' | 'float64' | 'uint8' | 'int32'
  /** Of one example. */
  shape: number[]
  scale?: number | Float64Array | undefined // by element of the last dimension, as offset then
  offset?: number | Float64Array | undefined
}
export type ColumnRole = 'input' | 'target' | 'weight'

export interface NativeDataset {
  readonly size: number
  /** Copies `data` (of the column's type) to element `first` of the column, now. */
  write(role: ColumnRole, column: number, first: number, data: TypedArray): void
  /**
   * A copy of `rows` rows from `firstRow` on as a model sees them: uint8 with scale and offset as a Float32Array, other types
   * as their own.
   */
  read(role: ColumnRole, column: number, firstRow: number, rows: number): FloatArray | Int32Array
  subset(rows: Uint32Array): NativeDataset
  /** First row with a NaN or infinity, or -1. */
  firstNonfinite(role: ColumnRole, column: number): number
  range(role: ColumnRole, column: number): [number, number]
  /** Rows of the first input, images, as training has them in an epoch, from 0: (rows, elements). */
  augmented(augment: NativeAugmentation, seed: number, epoch: number, rows: Uint32Array): Float32Array
  /**
   * 64 bits over types, shapes, scales, offsets and rows of all columns, names excepted, as 16 hexadecimal digits: those of
   * other data, or of other rows or another order of them, are others but by chance (1 in 2⁶⁴). It finds mistakes; whoever
   * wants to can make two datasets of one fingerprint. The same on every machine, off the event loop and on one thread at
   * several GB/s. Until it is there the data cannot be written (`GRADUS_BUSY`); other calls may read them.
   */
  fingerprint(): Promise<string>
  /** Lets go of the memory now; later use throws `GRADUS_DISPOSED`. A running call keeps its data. */
  dispose(): void
}

export interface TrainCall {
  dataset: NativeDataset
  shuffle: boolean
  epoch: number
  firstRow: number
  batchSize: number
  batches: number
  accumulate?: number | undefined
  learningRates: Float64Array
  momenta?: Float64Array | undefined
  weightDecays?: Float64Array | undefined
  /** How much of the average of the weights each keeps, from 0 to 1; 1: it is not even read. Default: 1 always. */
  averageDecays?: Float64Array | undefined
  clipNorm?: number | undefined
  clipValue?: number | undefined
  classWeights?: Float64Array | undefined
  augment?: NativeAugmentation | undefined
  epochRow?: number | undefined // of the dataset's row 0
  /** What the metrics go on from: those of the call before. Default: zeros. */
  metricSums?: Float64Array | undefined
  maxRefused?: number | undefined
  tensorStatistics?: boolean | undefined
  /**
   * Looks at the layers in updates whose step is a multiple of this, and in the first refused one of a row; 0, the default:
   * never. The bits of the weights are the same.
   */
  inspectEvery?: number | undefined
  inspectHistograms?: boolean | undefined
  threads: number
}

/**
 * What training saw of the layers, one entry an inspection. A row of `values` holds, for each of the program's
 * `inspection.layers`, five numbers: mean and deviation of the finite values, units of a relu that have not fired in any of
 * the last ten inspections, the share of saturated values of tanh and sigmoid, the share of values that are not finite. With
 * histograms these follow, each of `inspection.bins` counts, exact to 2²⁴: of each layer’s values, then of the gradient of each of
 * `inspection.tensors`, then of the weights of each before the update. The gradient is that of the whole update, before
 * clipping and without the regularizers l1 and l2. Values are those of the update's first batch in training; of a refused
 * update those of the batch where numbers stopped being finite.
 */
export interface Inspections {
  /** The program's count of accepted updates before. */
  steps: Float64Array
  refused: Uint8Array
  values: Float32Array
}

/** What rows of {@link Inspections} are about. */
export interface InspectionLayout {
  /** In order of work, without ops whose value the next one overwrites. */
  layers: { layer: string; op: string; units: number }[]
  /** Names of the trainable parameters. */
  tensors: string[]
  /** Numbers of each layer before the histograms: 5. */
  statistics: number
  /** Counts of a histogram. */
  bins: number
  /** Length of a row with histograms. */
  width: number
  /**
   * Bin i lies between edges i and i + 1; two bins to an octave, the middle one around zero, the first and last without end.
   * Numbers that are not finite are in none.
   */
  edges: Float64Array
}

/** A refused update, and where numbers stopped being finite. */
export interface Refusal {
  step: number
  /** The first, in order of work, that holds a value that is not finite; with `accumulate` of the first batch with one. */
  layer: string | null
  /**
   * The parameter nearest to the loss whose gradient has such an element; where no gradient has, the running statistic that
   * would have become so.
   */
  tensor: string | null
  /** Such elements of that gradient. */
  nonfinite: number
}

/** One entry an update; see `TrainResult` in native/engine/calls.h. */
export interface TrainResult {
  updates: number
  rows: number
  /** Milliseconds from the end of the last update until the event loop was free to take the result. */
  waited: number
  loss: Float64Array
  regularizationLoss: Float64Array
  weight: Float64Array
  gradientNorm: Float64Array
  refused: Uint8Array
  /** The sums of all metrics, one after the other: those that the call went on from, and the examples of its accepted updates. */
  metricSums: Float64Array
  tensors: Float64Array
  /** Only with `inspectEvery`, and only if there were any. */
  inspections?: Inspections | undefined
  /** The first refused update. */
  firstRefusal?: Refusal | undefined
  /** Only when the call ended for too many refused updates in a row: the first of them. */
  gaveUp?: Refusal | undefined
}

export type PassesCall = { dataset: NativeDataset; batchSize: number; threads: number }
/** `averaged`: by the average of the weights; `mirrored`: the mean over images and mirror images. Default false. */
export type PredictCall = PassesCall & { averaged?: boolean | undefined; mirrored?: boolean | undefined }

export interface StatisticsResult {
  /** Those of at least two rows; others are left out. */
  batches: number
  /** Over them: the elements of all statistics, one parameter after the other. */
  sums: Float64Array
}

export interface EvaluateResult {
  loss: number
  weight: number
  regularizationLoss: number
  metricSums: Float64Array
}

/** What a program asks for that JavaScript computes; arrays are copies. Kinds and arrays: native/engine/host.h. */
export type Host = (
  kind: 'forward' | 'backward' | 'loss' | 'lossSlope' | 'regularizer' | 'update' | 'metric',
  number: number,
  info: { batch: number; training: boolean; seed: number; learningRate: number; step: number },
  inputs: (FloatArray | Int32Array)[],
  /** Length of each output; null where it is not wanted. */
  wanted: (number | null)[],
) => { outputs: (FloatArray | null)[]; fingerprint: number }

export type Term = 'data' | 'regularization' | 'total'

/** How a pass over a whole dataset is made, as one batch. */
export interface PassCall {
  dataset: NativeDataset
  /** Batch statistics and dropout as in training, or as in evaluation. */
  training: boolean
  /** False: no dropout in training either. */
  randomness: boolean
  threads: number
}

/**
 * Points near the weights: element `elements[i]` of tensor `tensors[i]` (number of a parameter, or of an input after them
 * all) moved by `offsets[i]`. With a `direction` the whole tensor moves by offset · direction.
 */
export interface ProbeCall extends PassCall {
  tensors: Float64Array
  elements: Float64Array
  offsets: Float64Array
  direction?: Float64Array | undefined
}

/** One entry a point. */
export interface ProbeResult {
  /** At the weights as they are; hashes of the ops' values, and the ops that chose at kinks (opNames.length: the loss). */
  base: { loss: number; regularizationLoss: number; hashes: number[]; kinked: number[] }
  /** The data loss; the regularization loss minus that of the base. */
  loss: Float64Array
  penaltyChange: Float64Array
  /**
   * The first op that chose otherwise at a kink than at the base; opNames.length for the loss, one more for a regularizer,
   * −1 for none.
   */
  flipped: Int32Array
}

/** An op's values over a batch. */
export interface LayerStatistics {
  layer: string
  /** The op, of an activation its kind. */
  op: string
  /** Of the finite values. */
  mean: number
  deviation: number
  /** Elements of one example. */
  units: number
  /** Of a relu: units that are 0 for every example. */
  dead: number
  /** Of tanh and sigmoid: share of the values within a hundredth of an end. */
  saturated: number
  nonfinite: number
  /** Values too small to be normal numbers, which some processors are slow with; zeros do not count. */
  denormal: number
}

/**
 * What a program is at one moment between updates, in native memory that the collector does not know of: dispose of it.
 * Errors as those of a program; `GRADUS_BUSY` while a call fills or reads it.
 */
export interface NativeSnapshot {
  readonly dtype: DataType
  readonly arenas: string[]
  /** Elements of each arena: those of all parameters, one after the other. */
  readonly length: number
  step: number
  momentumProduct: number
  /** What inspections remember of one another: their count, then for each unit of a relu the last one in which it fired. */
  watching: Float64Array
  /** Copies elements out of an arena, from `first` on. Arrays are of the snapshot's dtype. */
  read(arena: string, first: number, to: FloatArray): void
  write(arena: string, first: number, data: FloatArray): void
  dispose(): void
}

/**
 * What predicts; short calls are done when they return. Errors: `GRADUS_BUSY` while a call runs, `GRADUS_DISPOSED` after
 * `dispose()`, `GRADUS_OUT_OF_MEMORY`, `GRADUS_OUT_OF_THREADS`, `GRADUS_INVALID_ARGUMENT` otherwise.
 */
export interface NativePredictor {
  readonly dtype: DataType
  /** How many sums each metric takes. */
  readonly metricWidths: number[]
  evaluate(
    call: PredictCall & { classWeights?: Float64Array | undefined; metricSums?: Float64Array | undefined },
  ): Promise<EvaluateResult>
  predict(call: PredictCall & { link?: 'softmax' | 'sigmoid' | undefined }): Promise<FloatArray>
  /** At once, here; the outputs are the first elements of `to`. An array an input, after a Uint8Array scale and offset. */
  predictRows(rows: number, batchSize: number, to: FloatArray, ...inputs: (TypedArray | number)[]): void
  /**
   * Asks the running call to end after the step it is in; its promise resolves with what was done. Does nothing when there is
   * none, nor after `dispose()`.
   */
  stop(): void
  dispose(): void
}

/** A card, or why there is none. Texts are empty and numbers 0 where something is not known. */
export interface NativeDevice {
  /** `"cuda:0"`; `"cuda"` where there is no card. */
  device: string
  name: string
  /** Bytes. */
  memory: number
  free: number
  capability: string
  driver: string
  /** Why it cannot be used; empty: it can. */
  reason: string
}

/** A network with its weights. */
export interface NativeProgram extends NativePredictor {
  /** Where it computes: `"cpu"`, or library and card as `"cuda:0"`. */
  readonly device: string
  /** `isStatistic`: forward passes of training move it, as those of batch norm. */
  readonly parameters: { name: string; shape: number[]; size: number; trainable: boolean; isStatistic: boolean }[]
  readonly arenas: string[]
  readonly outputShape: number[]
  /** Names of the layers of the ops that lead to the output, in order. */
  readonly opNames: string[]
  readonly inspection: InspectionLayout
  readonly busy: boolean
  /** Accepted updates so far, below 2⁴⁸. Setting it makes `momentumProduct` that of so many updates with the optimizer's own momentum. */
  step: number
  /** The product of the accepted updates’ momenta: what the bias corrections of Adam and its kin follow; 1 for other rules. */
  momentumProduct: number
  /** A copy of one parameter in one arena, of the program's dtype. */
  read(arena: string, parameter: number): FloatArray
  /** Copies in, the whole parameter or, with `first`, its elements from there on; float32 and float64 are converted. */
  write(arena: string, parameter: number, data: FloatArray, first?: number): void
  /** Copies the state into a snapshot of such a program, off the event loop. Default: on one thread. */
  exportState(to: NativeSnapshot, threads?: number): Promise<void>
  /** Takes the state of a program with the same parameters and optimizer, all arenas of it. */
  importState(from: NativeSnapshot): Promise<void>
  train(call: TrainCall): Promise<TrainResult>
  /** The average of the weights follows them once, between updates; `keep`: how much of it stays, from 0 to 1. */
  moveAverage(call: { keep: number; threads: number }): Promise<void>
  /** What batch norms find in each batch, in training without dropout; nothing of the program changes. */
  statistics(call: PassesCall): Promise<StatisticsResult>
  /** Fills the arena `gradients` with the gradient of the term. */
  gradient(call: PassCall & { term: Term }): Promise<EvaluateResult>
  /**
   * The Hessian of the term times the vector: both hold the trainable parameters' elements, one parameter after the other.
   * Exact (Pearlmutter 1994, "Fast exact multiplication by the Hessian"). Throws `GRADUS_NO_SECOND_DERIVATIVE` for custom
   * layers, losses and regularizers.
   */
  hessianVector(call: PassCall & { term: Term; vector: Float64Array }): Promise<Float64Array>
  /** Of the last `gradient`, by an input that is differentiated: (rows, elements). */
  inputGradient(input: number): FloatArray
  /** A forward pass; in the order of work, without ops whose value the next one overwrites. */
  inspect(call: PassCall): Promise<LayerStatistics[]>
  probe(call: ProbeCall): Promise<ProbeResult>
}

/** Programs that predict as one; they are busy during its calls. It keeps them alive, but what is disposed of is gone. */
export interface NativeEnsemble extends NativePredictor {
  /** As `predict` without a link: the combined scores, and the deviation of the members' probabilities. */
  predictSpread(call: PredictCall): Promise<FloatArray[]>
}

export interface Native {
  /** What the core throws from now on: called with a code and a message. */
  setErrorClass(errorClass: new (code: ErrorCode, message: string) => Error): void
  Dataset: new (
    examples: number,
    inputs: NativeColumn[],
    target: NativeColumn | null,
    weight: NativeColumn | null,
    temporary?: boolean, // default false; true: disposed of soon, so the collector is not told of its memory
  ) => NativeDataset
  /** `device`: `"cuda:1"` of the library at this path; default: the processor. */
  Program: new (
    descriptor: Descriptor,
    host?: Host,
    device?: string,
    library?: string,
  ) => NativeProgram
  /** The cards that the library at this path sees; where it sees none, one entry that says why. */
  devices(library: string): NativeDevice[]
  /**
   * Bytes that the passes of a step of so many examples take: values, gradients and what layers keep, beside the weights and
   * what the optimizer keeps.
   */
  stepMemory(descriptor: Descriptor, examples: number): number
  /**
   * Weights from 0 up, one a program, that sum to 1; `link`: what makes probabilities of the scores, which are divided by the
   * temperature when they are combined. Loss and metrics are the first program's.
   */
  Ensemble: new (
    programs: NativeProgram[],
    weights: Float64Array,
    combine: 'probabilities' | 'geometric' | 'scores' | 'vote',
    link: 'identity' | 'softmax' | 'sigmoid',
    temperature: number,
  ) => NativeEnsemble
  /** Of all arenas but the gradients, or of those named; zeros until a program's state is copied into it. */
  Snapshot: new (
    program: NativeProgram,
    arenas?: string[],
  ) => NativeSnapshot
  /** The ISA in use and those this host has, best first. */
  isa: string
  availableIsas: string[]
  /** Names of the activations, losses, metrics and optimizers the core knows, with their defaults where they have any. */
  activations: Record<string, number>
  losses: string[]
  metrics: string[]
  optimizers: string[]
  /** Synchronous kernels on typed arrays: see lib/kernels.ts. */
  kernels: Record<string, (...arguments_: unknown[]) => unknown>
}

export const native = load()

/** Where the library for GPUs lies: what `GRADUS_CUDA_LIBRARY` says, else beside the binary. */
export const cudaLibrary = (): string => process.env.GRADUS_CUDA_LIBRARY || cudaLibraryBeside(import.meta.url)

function load(): Native {
  const loaded = loadBinary(import.meta.url) as Native
  loaded.setErrorClass(GradusError)
  return loaded
}
