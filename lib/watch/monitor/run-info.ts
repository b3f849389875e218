import { cpus, hostname, totalmem } from 'node:os'
import type { Data } from '../../data/stream.js'
import { defaultBatchSize } from '../../train/calls.js'
import type { Settings } from '../../train/settings.js'
import type { TrainTarget } from '../../train/target.js'
import { version } from '../../version.js'
import type { RunInfo } from '../recording/recording.js'
import { ownCommand } from './command.js'
import { targetFacts } from './target-facts.js'

/** What is known when a run begins. */
export function runInfo(
  target: TrainTarget,
  { settings, data }: { settings: Settings; data: Data },
  { examples, validationExamples }: Pick<RunInfo, 'examples' | 'validationExamples'>,
  { classNames, ...monitor }: RunInfo['monitor'] & Pick<RunInfo, 'classNames'>,
): RunInfo {
  const { learningRate, momentum, weightDecay } = target.optimizer
  const { epochs, batchSize, accumulate, clipNorm, clipValue, maxRefusedSteps, threads } = settings
  const { program } = target
  const facts = targetFacts(target, data, settings)
  return {
    format: 1,
    gradus: version,
    started: new Date().toISOString(),
    seed: target.seed,
    descriptor: target.descriptor,
    options: {
      epochs,
      batchSize: batchSize ?? (examples === null ? 0 : defaultBatchSize),
      accumulate,
      learningRate,
      momentum,
      weightDecay,
      clipNorm,
      clipValue,
      maxRefusedSteps,
      threads,
      isScheduled: settings.schedule !== undefined,
      ...(settings.classWeights && { classWeights: Array.from(settings.classWeights) }),
    },
    examples,
    validationExamples,
    targets: facts.training,
    validationTargets: facts.validation,
    monitor,
    metrics: target.metrics.map(({ name, better }) => ({ name, better })),
    classNames: classNames ?? namesOf(target),
    tensors: program.parameters.filter(({ trainable }) => trainable).map(({ name, shape }) => ({ name, shape })),
    layers:
      monitor.histograms === null
        ? []
        : program.inspection.layers.map(({ layer, op, units }) => ({ name: layer, op, units })),
    command: ownCommand(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memory: totalmem(),
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      host: hostname(),
      process: process.pid,
      ...(program.device !== 'cpu' && { device: program.device }),
    },
  }
}

/** The model's own names, if every class has one. */
function namesOf({ conventions, outputShape }: TrainTarget): readonly string[] | undefined {
  return conventions.classes?.length === outputShape.at(-1) ? conventions.classes : undefined
}
