/** What a native program is made from, as plain data. */

export type DataType = 'float32' | 'float64'

/** A model lowered to plain data: what a `NativeProgram` is made from and what `loadModel` reads. */
export interface Descriptor {
  dtype: DataType
  /** 0 to 2⁵³ − 1. */
  seed: number
  /** False: no initial weights are drawn, as all of them will be written. Default true. */
  initialize?: boolean | undefined
  inputs: {
    name: string
    shape: number[]
    kind: 'real' | 'index'
    /** The gradient by it is made as well: see `inputGradient`. */
    differentiated?: boolean | undefined
  }[]
  /** In topological order. Node i < inputs.length is input i itself; nodes[j] is node inputs.length + j. */
  nodes: NodeDescriptor[]
  parameters: ParameterDescriptor[]
  /** Number of the node whose value is the model's output. */
  output: number
  /** `custom` with `targets`: the host computes it. */
  loss?:
    | {
        kind: string
        parameter?: number | undefined
        smoothing?: number | undefined
        targets?: 'labels' | 'dense' | 'either' | undefined
      }
    | undefined
  /**
   * Sums over examples, each with its own weight: native/engine/metrics.def. `answers`: the outputs answer yes or no, else they
   * are scores of classes. `custom`: the host adds up `width` numbers.
   */
  metrics?:
    | { kind: string; k?: number | undefined; answers?: boolean | undefined; width?: number | undefined }[]
    | undefined
  optimizer?: OptimizerDescriptor | undefined
}

/**
 * Ops with their attributes and parameters: `dense` (weight, bias or none), `activation` { kind, parameter? }, `softmax`,
 * `maxout` { pieces }, `dropout` { rate }, `reshape` { shape }, `layer_norm` { epsilon } (gain, bias), `batch_norm`
 * { epsilon, momentum, frozen } (mean, variance, gain and bias or none; momentum is the share of the running values that is kept;
 * `frozen`: whether they stay, of one with neither gain nor bias), `embedding` (weight), `add`, `concat` (last dimension). Dense,
 * softmax, maxout, concat and both norms work on the last dimension. `custom` { shape, operands: numbers of its parameters }: the
 * host computes it. Shapes are of one example.
 *
 * Of images (height, width, channels), or lines (length, channels), as if of one row: `convolution` { stride, dilation, padding,
 * groups } (weight, bias or none), with `outputPadding` a transposed one; `max_pool` { kernel, stride, padding }, `average_pool`
 * likewise, with `countPadding`; `frame` { added, taken }, `upsample` { factor, bilinear }, `group_norm` { groups, epsilon } (gain,
 * bias), `spatial_dropout` { rate }. Sizes are two numbers, of height and width; sides four: top, bottom, left, right.
 */
export interface NodeDescriptor {
  op: string
  /** The layer's name; unique unless the layer is shared. */
  name: string
  inputs: number[]
  /** Role of each parameter of the op (`weight`, `bias`, `gain`, `mean`, `variance`) to its number in `parameters`. */
  parameters?: Record<string, number> | undefined
  [attribute: string]: unknown
}

export interface ParameterDescriptor {
  /** `layer.role`. */
  name: string
  shape: number[]
  trainable: boolean
  initializer:
    | { kind: 'constant'; value: number }
    | { kind: 'uniform'; low: number; high: number }
    | { kind: 'normal'; mean: number; deviation: number }
    | { kind: 'identity'; groups?: number | undefined }
  /** Loss terms l1·Σ|w| and l2/2·Σw². */
  l1?: number | undefined
  l2?: number | undefined
  /** Largest norm of a column (the weights into one unit or filter), enforced after each update. */
  maxNorm?: number | undefined
  /** Of the learning rate; default 1. */
  learningRateMultiplier?: number | undefined
  /** In place of the optimizer's decoupled weight decay. */
  weightDecay?: number | undefined
  /** The host computes a penalty on it as well. */
  customRegularizer?: boolean | undefined
}

export interface OptimizerDescriptor {
  kind: string
  momentum?: number | undefined
  decayRate?: number | undefined
  epsilon?: number | undefined
  /** Decoupled weight decay. */
  weightDecay?: number | undefined
  /** Keeps an average of the weights, which calls of `train` say how to move. */
  averages?: boolean | undefined
  /** False: Adam and its kin without bias correction. */
  biasCorrection?: boolean | undefined
  /** adam's slots take two bytes each, rounded at random. */
  bfloat16?: boolean | undefined
  /** Of a custom one: names of the arrays that it keeps. */
  slots?: readonly string[] | undefined
  /** muon's; the other numbers are Adam's, which moves what is no matrix. */
  matrixMomentum?: number | undefined
  adamMultiplier?: number | undefined
  orthogonalizationSteps?: number | undefined
  nesterov?: boolean | undefined
  /** How fast nadam's momentum warms up. */
  momentumDecay?: number | undefined
}

/** Whether a batch norm takes the statistics that it has, in training too: as that of `normalization()`. */
export const isFixedNorm = ({ parameters = {}, frozen }: NodeDescriptor): boolean =>
  parameters.mean !== undefined && parameters.gain === undefined && parameters.bias === undefined && frozen !== false

/** What images become on their way into batches; each of the transforms has a kind and its numbers. */
export interface NativeAugmentation {
  fill: 'zero' | 'reflect' | 'edge'
  transforms: readonly { kind: string; readonly [option: string]: number | boolean | string }[]
}
