/** What a run was started with, as one flat list: runs are told apart by it. */
import type { Descriptor } from '../../native.js'
import type { EpochEntry, RunInfo } from '../recording/recording.js'

type Plain = string | number

/** By name, in words as the page shows them; what a run does without is not there. */
export function settingsOf({ descriptor, options, ...info }: RunInfo): Record<string, Plain> {
  const { kind: optimizer, ...hyperparameters } = descriptor.optimizer ?? { kind: undefined }
  const { kind: loss, ...lossOptions } = descriptor.loss ?? { kind: undefined }
  const all: Record<string, unknown> = {
    learningRate: options.learningRate,
    schedule: options.isScheduled ? 'yes' : 'no',
    batchSize: options.batchSize * options.accumulate,
    optimizer,
    ...hyperparameters,
    weightDecay: options.weightDecay,
    momentum: options.momentum,
    clipNorm: options.clipNorm,
    clipValue: options.clipValue,
    epochs: options.epochs,
    seed: info.seed,
    loss,
    ...named('loss', lossOptions),
    layers: layersOf(descriptor),
    parameters: descriptor.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    type: descriptor.dtype,
    examples: info.examples,
    validationExamples: info.validationExamples,
    threads: options.threads,
    gradus: info.gradus,
    node: info.machine.node,
    processor: info.machine.cpu,
    host: info.machine.host,
  }
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, Plain] => isPlain(entry[1])))
}

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'number' ? Number.isFinite(value) : typeof value === 'string' && value !== ''

const named = (prefix: string, options: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [`${prefix} ${name}`, value]))

/** `dense 128, relu, dense 10`. */
function layersOf({ nodes, parameters }: Descriptor): string {
  return nodes
    .map(({ op, kind, parameters: own, outputPadding, groups }) => {
      const isWeighted = op === 'dense' || op === 'convolution'
      const shape = isWeighted ? parameters[own?.weight ?? -1]?.shape : undefined
      // The weights of a transposed convolution are those of the convolution whose way back it is.
      const units = outputPadding ? (shape?.at(-2) ?? 0) * Number(groups) : shape?.at(-1)
      return [op === 'activation' ? kind : op, units].filter((part) => part !== undefined).join(' ')
    })
    .join(', ')
}

/** Null where neither an epoch has ended nor the number of examples is known. */
export function stepsPerEpoch({ examples, options }: RunInfo, epoch: EpochEntry | null): number | null {
  if (epoch && epoch.epoch > 0) return epoch.step / epoch.epoch
  const perStep = options.batchSize * options.accumulate
  return examples !== null && perStep > 0 ? Math.ceil(examples / perStep) : null
}
