import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import { isKeeping } from './callbacks.js'
import { checkTogether } from './calls.js'
import { extensions } from './extensions.js'
import type { AnyValues } from './history.js'
import { beginTraining, endTraining, isInTraining } from './in-training.js'
import { type FitOptions, type FitSettings, resolveFitOptions } from './options.js'
import { progress } from './progress.js'
import { Run } from './run.js'
import { mayGoOn } from './settings.js'
import type { TrainTarget } from './target.js'
import { Training } from './training.js'

/**
 * Trains a compiled model, off the main thread. Training begins at once and does not wait to be awaited.
 *
 * Errors, thrown now: `GRADUS_INVALID_ARGUMENT` names a bad option, `GRADUS_BUSY` when the model is in training.
 * Errors of the run, from `done` and from iterating: those of the data (`GRADUS_INVALID_ARGUMENT`,
 * `GRADUS_INVALID_DATA`); `GRADUS_NON_FINITE` when too many steps in a row had to be refused; whatever a callback
 * throws; the signal's reason. The model then has the weights of its last accepted step.
 *
 * @param threads so many, whatever `GRADUS_THREADS` says: of several runs that share those
 */
export function fit<Values extends object = AnyValues, Model = unknown>(
  target: TrainTarget,
  data: Data,
  options: FitOptions<Values, Model> = {},
  threads?: number,
): Run<Values> {
  checkTogether('fit', data, options)
  const resolved = resolveFitOptions(target, options as FitOptions)
  const settings = withOwnCallbacks(threads === undefined ? resolved : { ...resolved, threads })
  const { program } = target
  if (isInTraining(program)) throw new GradusError('GRADUS_BUSY', 'The model is being fitted: await run.done first')
  beginTraining(program, () => run.isAwaited)
  const training = new Training(target, data, settings)
  const run = new Run<Values>({
    history: training.history,
    get best() {
      return training.best
    },
    get dir() {
      return extensions().dirOf(settings.callbacks) ?? training.dir
    },
    diagnose: () => extensions().diagnose({ target, data, settings, history: training.history }),
    stop: (reason) => training.stop(reason),
    run: (report) => training.run(report).finally(() => endTraining(program)),
  })
  return run
}

/** A monitor where a run directory asks for one, checkpoints where the run is to go on, and what shows progress. */
function withOwnCallbacks(settings: FitSettings): FitSettings {
  const { monitor, isMonitor, checkpoint } = extensions()
  const { callbacks, dir, quiet } = settings
  const monitors = dir === undefined || callbacks.some(isMonitor) ? [] : [monitor()]
  const isKept = !mayGoOn(settings) || callbacks.some(isKeeping)
  const checkpoints = isKept ? [] : [checkpoint()]
  return { ...settings, callbacks: [...(quiet ? [] : [progress()]), ...callbacks, ...monitors, ...checkpoints] }
}
