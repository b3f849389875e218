/** What `compile` is given, checked against the model's output. */
import { type Call, checkMade, plain, restore } from '../call.js'
import { checkOptions } from '../checks.js'
import { checkDevice, chosenDevice, type DeviceName } from '../devices.js'
import { GradusError, invalidArgument } from '../errors.js'
import { stemOf } from '../layers/layer.js'
import { formatShape, sizeOf } from '../layers/shape.js'
import * as losses from '../losses/index.js'
import { isLoss, type Loss } from '../losses/loss.js'
import type { MetricValues } from '../metrics/index.js'
import { descriptorsOf, type Metric } from '../metrics/metric.js'
import type { Descriptor } from '../native.js'
import { withGroups } from '../optimizers/groups.js'
import * as optimizers from '../optimizers/index.js'
import { howToChange, isOptimizer, type Optimizer } from '../optimizers/optimizer.js'
import { needed, optionsOf } from '../options.js'
import { settled } from '../settled.js'
import type { TrainTarget } from '../train/target.js'
import { type CustomPartsGiven, customPart } from './custom-parts.js'
import type { Network } from './lower.js'
import { checkMetrics, type MetricName, restoreMetric } from './metrics.js'

export type { MetricName }

/** A metric as `compile` takes it: by its name, or made. */
export type AskedMetric = MetricName | Metric

/** What metrics give: of each by its name the type of its value. */
export type ValuesOf<Asked extends readonly AskedMetric[]> = {
  [One in Asked[number] as NameOf<One>]: One extends MetricName
    ? MetricValues[One]
    : One extends Metric<string, infer Value>
      ? Value
      : never
}
type NameOf<One> = One extends string ? One : One extends Metric<infer Name, unknown> ? Name : never

export interface CompileOptions<Asked extends readonly AskedMetric[] = readonly AskedMetric[]> {
  /** What training makes small: {@link softmaxCrossEntropy}, {@link meanSquaredError}, … */
  loss: Loss
  /** How it is made small: {@link adam}, {@link sgd}, … */
  optimizer: Optimizer
  /** What is reported besides: `'accuracy'`, `topKAccuracy(5)`, … */
  metrics?: Asked | undefined
  /**
   * Where the model computes: `'cpu'`, `'cuda'` for the first NVIDIA GPU, `'cuda:1'` for another; see {@link devices}. Default:
   * what `GRADUS_DEVICE` says, else the processor.
   */
  device?: DeviceName | undefined
}

export interface Compiled {
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly metrics: readonly Metric[]
  readonly device: DeviceName
}

const readOptions = optionsOf<CompileOptions>()('compile', {
  loss: needed((argument, value) => checkMade(argument, 'a loss such as softmaxCrossEntropy()', value, isLoss, losses)),
  optimizer: needed((argument, value) =>
    checkMade(argument, 'an optimizer such as adam()', value, isOptimizer, optimizers),
  ),
  metrics: [checkList, []],
  device: checkDevice,
})

function checkList(argument: string, value: unknown): NonNullable<CompileOptions['metrics']> {
  if (!Array.isArray(value)) throw invalidArgument(argument, 'an array', value)
  return value
}

/** @param isAgain whether the model has been compiled before: what was said then does not count any more */
export function checkCompileOptions(options: CompileOptions, network: Network, isAgain = false): Compiled {
  const { loss, optimizer, metrics: asked, device } = isAgain ? readAgain(options) : readOptions(options)
  checkLoss(loss, network)
  const metrics = checkMetrics(asked, loss, sizeOf(network.output.shape))
  return { loss, optimizer, metrics, device: chosenDevice(device) }
}

function readAgain(options: CompileOptions): ReturnType<typeof readOptions> {
  try {
    return readOptions(options)
  } catch (error) {
    const isLeftOut = options?.loss === undefined || options.optimizer === undefined
    if (!isLeftOut || !(error instanceof GradusError)) throw error
    const message = `${error.message}; compile says everything anew: loss, optimizer and metrics`
    throw new GradusError(error.code, message, { cause: error })
  }
}

/** The last layer that a loss takes upon itself, and that must therefore not be there. */
const included: Record<string, string> = { softmaxCrossEntropy: 'softmax', binaryCrossEntropy: 'sigmoid' }

function checkLoss({ call: [name], targets }: Loss, { output }: Network): void {
  const { shape, layer } = output
  if (targets !== 'dense' && (shape.length !== 1 || shape[0]! < 2)) {
    const received = `the output shape ${formatShape(shape)}${shape.length > 1 ? '; put flatten() before it' : ''}`
    throw new GradusError('GRADUS_SHAPE_MISMATCH', `loss: ${name} expects two scores or more, received ${received}`)
  }
  if (!layer || included[name] === undefined) return
  const last = layer.definition.call[0] === 'dense' ? activationOf(layer.definition.call) : stemOf(layer)
  if (last !== included[name]) return
  const advice = `take ${last} away from the model's end; the loss does it`
  throw new GradusError(
    'GRADUS_INVALID_ARGUMENT',
    `loss: ${name} expects plain scores, received those of ${last}; ${advice}`,
  )
}

const activationOf = (call: Call) => (call[2] as { activation?: string | undefined } | undefined)?.activation

/** What training needs to know of the optimizer. */
export function optimizerOf({ optimizer: { descriptor, learningRate, average } }: Compiled): TrainTarget['optimizer'] {
  // Of muon the one of its matrices: the other is Adam's, which is not scheduled.
  const momentum = descriptor.matrixMomentum ?? descriptor.momentum
  const weightDecay = descriptor.weightDecay ?? 0
  return settled({ kind: descriptor.kind, learningRate, momentum, weightDecay, average }, howToChange)
}

/** The descriptor of a program that can train. */
export const trainable = (descriptor: Descriptor, { loss, optimizer, metrics }: Compiled): Descriptor =>
  plain({
    ...descriptor,
    parameters: withGroups(descriptor.parameters, optimizer.groups),
    loss: {
      kind: loss.kind,
      parameter: loss.parameter,
      smoothing: loss.smoothing,
      targets: loss.custom && loss.targets,
    },
    metrics: descriptorsOf(metrics, loss.outputs),
    optimizer: optimizer.descriptor,
  })

/** Compile options as plain data, and back. */
export const defineCompiled = ({ loss, optimizer, metrics }: Compiled) => ({
  loss: loss.call,
  optimizer: optimizer.call,
  metrics: metrics.map((metric) => metric.call),
})

export function restoreCompileOptions(definition: unknown, parts: CustomPartsGiven): CompileOptions {
  checkOptions('training', definition, ['loss', 'optimizer', 'metrics'])
  const { loss, optimizer, metrics: calls } = definition as Record<string, unknown>
  if (!Array.isArray(calls)) throw invalidArgument('metrics', 'an array', calls)
  return {
    loss: customPart('losses', loss, parts) ?? restore(losses, loss, isLoss),
    optimizer: customPart('optimizers', optimizer, parts) ?? restore(optimizers, optimizer, isOptimizer),
    metrics: calls.map((call) => customPart('metrics', call, parts) ?? restoreMetric(call)),
  }
}
