import { factory } from '../../call.js'
import { checkPath, checkPositiveInteger } from '../../checks.js'
import { needed, optionsOf } from '../../options.js'
import type { Callback } from '../../train/callback.js'
import type { TrainTarget } from '../../train/target.js'
import { EventFile } from './event-file.js'
import { epochPoint, histogramPoints, stepPoints } from './points.js'

export interface TensorboardOptions {
  /** Of the run's file, made if it is not there; give each run one of its own. */
  dir: string
  /** Steps from one point of the charts over steps to the next. Default 100. */
  every?: number | undefined
  /** Steps from one set of histograms to the next. Default: none. */
  histograms?: number | undefined
}

const readOptions = optionsOf<TensorboardOptions>()('tensorboard', {
  dir: needed(checkPath),
  every: [checkPositiveInteger, 100],
  histograms: checkPositiveInteger,
})

/**
 * Writes what TensorBoard shows (`tensorboard --logdir …`), also while the run goes on. A callback of `fit`.
 *
 * | tag | what |
 * | --- | --- |
 * | `epoch/…` | every number of an epoch's record: `epoch/loss`, `epoch/valAccuracy`, … |
 * | `step/…` | `loss`, `regularizationLoss`, `learningRate`, `gradientNorm`, and what else is scheduled |
 * | `ratio/dense1.weight` | ‖Δw‖ / ‖w‖ of a tensor in a step; about 1e-3 is healthy |
 * | `activations/relu1`, `gradients/dense1.weight`, `weights/dense1.weight` | histograms |
 *
 * Histograms have two bins to an octave, from 2⁻²⁴ to 2⁸. What TensorBoard wants to know beyond the counts is estimated from
 * them: sum and sum of squares, of gradients and weights, from the bins' middles, least and largest value from the outermost
 * bins that are not empty; what is beyond ±192 counts as up to ±256.
 *
 * Needs the package `@bufbuild/protobuf`; the run ends with `GRADUS_MISSING_PACKAGE` where it is not installed.
 *
 * @example
 * model.fit(data, { epochs: 10, callbacks: [tensorboard({ dir: 'runs/first', histograms: 500 })] })
 * @function
 */
// Pure: a bundle that does not call it needs no protobuf.
export const tensorboard = /* @__PURE__ */ factory('tensorboard', 1, (options: TensorboardOptions): Callback => {
  const { dir, every, histograms } = readOptions(options)
  let file: EventFile | null = null
  let stretch = -1
  // Another callback may look more often, at steps of its own: the first look in each stretch of so many steps counts.
  const isWanted = (step: number) => {
    const before = stretch
    stretch = Math.max(before, Math.floor(step / histograms!))
    return stretch > before
  }
  /** A full disk costs the curves, not the training. */
  const write = async (points: Parameters<EventFile['append']>[0]) => {
    try {
      await file?.append(points)
    } catch (error) {
      const message = `TensorBoard's file in ${dir} is no longer written: ${(error as Error).message}. Training goes on`
      process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_NOT_RECORDED' })
      await close()
    }
  }
  const close = async () => {
    const written = file
    file = null
    await written?.close().catch(() => {})
  }
  return {
    async onTrainBegin() {
      file = await EventFile.create(dir)
      stretch = -1
      return { inspections: histograms === undefined ? undefined : { every: histograms, histograms: true } }
    },
    async onStepsEnd({ target, steps }) {
      const points = stepPoints(steps, every, tensorsOf(target))
      const { inspections } = steps
      if (histograms !== undefined && inspections) {
        points.push(...histogramPoints(inspections, layersOf(target), tensorsOf(target), isWanted))
      }
      await write(points)
    },
    async onEpochEnd({ record }) {
      await write([epochPoint(record)])
    },
    onTrainEnd: close,
  }
})

/** Those that are trained, in the order of a step's statistics. */
const tensorsOf = ({ program }: TrainTarget): string[] =>
  program.parameters.filter(({ trainable }) => trainable).map(({ name }) => name)

/** A layer that is used twice is looked at twice: `shared`, `shared.2`. */
function layersOf({ program }: TrainTarget): string[] {
  const { layers } = program.inspection
  return layers.map(({ layer }, i) => {
    const before = layers.slice(0, i).filter((other) => other.layer === layer).length
    return before === 0 ? layer : `${layer}.${before + 1}`
  })
}
