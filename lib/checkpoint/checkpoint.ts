import { factory } from '../call.js'
import { checkFunction, checkPositive, checkPositiveInteger, checkText, oneOf } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { needed, optionsOf } from '../options.js'
import type { Callback, RunContext } from '../train/callback.js'
import type { CheckpointKeeper } from './keeper.js'
import type { CheckpointFacts } from './names.js'

/** When checkpoints are written; a list of epochs is of those with whose ends one is, as of the cycles of a schedule. */
export type Every =
  | 'epoch'
  | { readonly epochs: number | readonly number[] }
  | { readonly steps: number }
  | { readonly minutes: number }

export interface CheckpointOptions {
  /**
   * After each epoch, each so many epochs, the epochs of a list, each so many steps or minutes. The bits of the run do not depend on it. Default: after each epoch and
   * each five minutes; without `monitor` epochs that end before the last checkpoint is written are passed over. One more is written
   * when the run ends.
   */
  every?: Every | undefined
  /**
   * So many are kept: the best by `monitor`, without it the newest, and the newest in any case. Of those within an epoch only
   * the newest of all. Default 3.
   */
  keep?: number | 'all' | undefined
  /** The column of the records by which they are compared. Default: none. */
  monitor?: string | undefined
  /** Whether small or large values are good. Default: large for metrics that say so, as accuracy; else small. */
  mode?: 'min' | 'max' | undefined
  /** Another name for each file. Whatever has that name already is replaced. */
  filename?: ((facts: CheckpointFacts) => string) | undefined
}

const readOptions = optionsOf<CheckpointOptions>()('checkpoint', {
  every: checkEvery,
  keep: [checkKeep, 3],
  monitor: checkText,
  mode: oneOf('min', 'max'),
  filename: checkFunction,
})

/** The options with their defaults; `keep: 'all'` is infinite. */
export type CheckpointSettings = Omit<ReturnType<typeof readOptions>, 'keep'> & { readonly keep: number }

const readEvery = {
  epochs: optionsOf<{ epochs: number | readonly number[] }>()('every', { epochs: needed(checkEpochs) }),
  steps: optionsOf<{ steps: number }>()('every', { steps: needed(checkPositiveInteger) }),
  minutes: optionsOf<{ minutes: number }>()('every', { minutes: needed(checkPositive) }),
}

function checkEpochs(argument: string, value: unknown): number | readonly number[] {
  if (!Array.isArray(value)) return checkPositiveInteger(argument, value)
  if (value.length === 0) throw invalidArgument(argument, 'a list of one epoch or more', value)
  return value.map((epoch, i) => checkPositiveInteger(`${argument}[${i}]`, epoch))
}

function checkEvery(argument: string, value: unknown): Every {
  if (value === 'epoch') return value
  const [unit = '', ...others] = typeof value === 'object' && value !== null ? Object.keys(value) : []
  if (others.length > 0 || !Object.hasOwn(readEvery, unit)) {
    throw invalidArgument(argument, "'epoch', { epochs }, { steps } or { minutes }", value)
  }
  return readEvery[unit as keyof typeof readEvery](value as never, argument)
}

function checkKeep(argument: string, value: unknown): number | 'all' {
  if (value === 'all') return value
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value
  throw invalidArgument(argument, "a positive integer or 'all'", value)
}

/** Made by {@link checkpoint}. */
export interface Checkpoint extends Callback {
  /** The file written last; null before the first. */
  readonly path: string | null
}

/**
 * Writes the run into its directory, so that `fit` with `resume` goes on with it after whatever has ended it, to the same bits as
 * if nothing had: weights, the optimizer's state, the running average, schedules, what callbacks remember, and how far the epoch is.
 * Each file is a model, too: {@link loadModel} reads it.
 *
 * Training stands still for a copy of the weights and goes on while that is written, beside the file and then put in its place.
 * With this callback SIGINT and SIGTERM end the run after the step it is in, with a checkpoint; then the signal goes its way.
 *
 * A disk that is full or gone costs the checkpoint, with one warning `GRADUS_NOT_SAVED`, not the training.
 *
 * @throws in the run: `GRADUS_INVALID_ARGUMENT` without a run directory, `GRADUS_STALE_RUN` when another process has gone on with
 * the run
 * @example
 * model.fit(train, { epochs: 30, validation, dir: 'runs/mnist', resume: true,
 *   callbacks: [checkpoint({ every: { minutes: 5 }, monitor: 'valAccuracy' })] })
 * @function
 */
export const checkpoint = factory('checkpoint', 1, (options: CheckpointOptions = {}): Checkpoint => {
  const { keep, ...read } = readOptions(options)
  if (read.mode !== undefined && read.monitor === undefined) {
    throw invalidArgument('mode', 'monitor beside it, the column that is compared', read.mode)
  }
  const settings: CheckpointSettings = { ...read, keep: keep === 'all' ? Number.POSITIVE_INFINITY : keep }
  let keeper: CheckpointKeeper | null = null
  return {
    name: 'checkpoint',
    monitor: settings.monitor,
    get path() {
      return keeper?.path ?? null
    },
    get keeper() {
      return keeper ?? undefined
    },
    async onTrainBegin(context: RunContext) {
      const { folder, lineage } = context.call
      if (!folder || !lineage) {
        const message = "checkpoint: expected a run directory, received none: give fit the option dir, as 'runs/mnist'"
        throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
      }
      // Loaded by who makes checkpoints, not by all who import the package.
      const loaded = await import('./keeper.js')
      keeper = loaded.CheckpointKeeper.open({ ...context, folder, lineage }, settings)
    },
  }
})
