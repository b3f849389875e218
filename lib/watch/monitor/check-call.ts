/** Whether a model and its data are such as the options of a monitor ask for. */
import { isStream } from '../../data/stream.js'
import { GradusError } from '../../errors.js'
import { Model } from '../../model/model.js'
import type { FitCall } from '../../train/callback.js'
import type { TrainTarget } from '../../train/target.js'
import type { MonitorSettings } from './options.js'

export function checkSharpness(target: TrainTarget, { data }: FitCall, { sharpness: options }: MonitorSettings): void {
  if (!options || (target instanceof Model && !isStream(data))) return
  const message = 'sharpness: expected a model and data in memory, received a stream of data'
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

export function checkClassNames(target: TrainTarget, { classNames }: MonitorSettings): void {
  const classes = target.loss.targets === 'dense' ? 0 : (target.outputShape.at(-1) ?? 0)
  if (classNames === undefined || classNames.length === classes) return
  const expected = classes > 1 ? `${classes} names, one for each class` : 'a model that tells classes apart'
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `classNames: expected ${expected}, received ${classNames.length}`)
}
