import { join } from 'node:path'
import { checkBoolean, checkFunction, checkPath, checkPositiveInteger, checkSeed } from '../checks.js'
import { type Data, isStream } from '../data/stream.js'
import { GradusError, invalidArgument } from '../errors.js'
import type { Model } from '../model/model.js'
import { anything, optionsOf } from '../options.js'
import type { Callback } from '../train/callback.js'
import { checkSignal, resolveThreads } from '../train/calls.js'
import { fit } from '../train/fit.js'
import type { AnyValues, History } from '../train/history.js'
import type { FitOptions } from '../train/options.js'
import { type AtOnce, inTurns, measureAtOnce, sideBySide } from './at-once.js'
import { type Combine, Ensemble } from './ensemble.js'
import { makeMembers } from './made-members.js'
import { fitsOf, type MemberFit, type MemberFitOptions } from './member-fit.js'
import { SeedsProgress } from './seeds-progress.js'
import { SharedData } from './shared-data.js'

export interface FromSeedsOptions<Values extends object = AnyValues> {
  /** How many members, of the seeds 1, 2, …. Default 5. */
  count?: number | undefined
  /** Or the seeds themselves, each once. */
  seeds?: readonly number[] | undefined
  /**
   * What each member's `fit` is told. With callbacks that are objects, as {@link earlyStopping}, a function of the seed that makes
   * them: each is told of one run.
   */
  fit?: MemberFit<Values> | undefined
  /**
   * The folder of the members' runs, `seed=1`, `seed=2`, …, which `gradus watch` shows side by side. After whatever has ended it the
   * same call goes on: members that are done are loaded, those under way go on from their newest checkpoint, and all come to
   * the bits that they would have had. More seeds add members. Default: nothing is written.
   */
  dir?: string | undefined
  /**
   * So many fits at once, one thread each; 1: one after the other, each with all threads. Default: whichever of the two made more
   * steps a second when copies of the models were trained for a moment; streams one after the other. The bits do not depend on it.
   */
  parallel?: number | undefined
  /** Of all fits together. Default and at most: all cores that the process may use. `GRADUS_THREADS` overrides. */
  threads?: number | undefined
  /** How the members' predictions become one; see {@link EnsembleOptions}. */
  combine?: Combine | undefined
  /** Told of each member when it is trained, in the order in which they are done. */
  onMember?: ((member: { seed: number; model: Model<Values>; history: History<Values> }) => void) | undefined
  /** Ends all fits after the step that they are in; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Shows no progress. Default: false when standard error, where it is shown, is a terminal. */
  quiet?: boolean | undefined
}

const readOptions = optionsOf<FromSeedsOptions>()(
  'fromSeeds',
  {
    count: checkPositiveInteger,
    seeds: checkSeeds,
    fit: anything<MemberFit>,
    dir: checkPath,
    parallel: checkPositiveInteger,
    threads: checkPositiveInteger,
    combine: anything<Combine>,
    onMember: checkFunction,
    signal: checkSignal,
    quiet: checkBoolean,
  },
  ['make', 'data'],
)

function checkSeeds(argument: string, value: unknown): readonly number[] {
  if (!Array.isArray(value) || value.length === 0) throw invalidArgument(argument, 'a list of one seed or more', value)
  for (const [i, seed] of value.entries()) {
    checkSeed(`${argument}[${i}]`, seed)
    if (value.indexOf(seed) === i) continue
    const message = `${argument}[${i}]: expected each seed once, received ${seed} again, whose model would be the same`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  return [...value]
}

const usualCount = 5

/** See `ensemble.fromSeeds`. */
export async function fromSeeds(
  make: (seed: number) => Model | Promise<Model>,
  data: Data,
  options: FromSeedsOptions = {},
): Promise<Ensemble> {
  checkFunction('make', make)
  const { count, seeds: given, ...settings } = readOptions(options)
  if (count !== undefined && given) throw invalidArgument('count', 'none beside seeds', count)
  const seeds = given ?? Array.from({ length: count ?? usualCount }, (_, i) => i + 1)
  const fits = fitsOf(settings.fit, seeds)
  const threads = resolveThreads(settings.threads)
  const shared = new SharedData()
  try {
    const training = shared.of(data, 'data')
    for (const { validation } of fits) if (validation !== undefined) shared.of(validation, 'validation')
    const models = await makeMembers(make, seeds, settings.signal)
    const members = seeds.map((seed, i) => ({ seed, model: models[i]!, fit: withShared(fits[i]!, shared) }))
    return await trained(members, training, { ...settings, threads })
  } finally {
    shared.dispose()
  }
}

const withShared = ({ validation, ...options }: MemberFitOptions, shared: SharedData): MemberFitOptions =>
  validation === undefined ? options : { ...options, validation: shared.of(validation, 'validation') }

interface Member {
  readonly seed: number
  readonly model: Model
  readonly fit: MemberFitOptions
}

type Settings = Pick<FromSeedsOptions, 'dir' | 'parallel' | 'combine' | 'onMember' | 'signal' | 'quiet'> & {
  readonly threads: number
}

async function trained(members: readonly Member[], data: Data, settings: Settings): Promise<Ensemble> {
  const models = members.map(({ model }) => model)
  const { combine, signal: user, quiet = !process.stderr.isTTY } = settings
  const halt = new AbortController()
  const onAbort = () => halt.abort(user?.reason)
  const progress = quiet ? null : new SeedsProgress(members.length)
  if (user?.aborted) onAbort()
  else user?.addEventListener('abort', onAbort, { once: true })
  try {
    // Made before they are trained: what does not fit together is no matter of hours.
    const together = new Ensemble(models, { combine }, { ownsMembers: true })
    const { signal } = halt
    progress?.say('measuring')
    const atOnce = await choose(members, data, settings, signal)
    progress?.say(atOnce.runs > 1 ? `${atOnce.runs} at once` : 'one after the other')
    const train = (member: Member) =>
      trainOne(member, data, { ...settings, ...atOnce, signal, progress: progress?.of(member.seed) })
    await trainAll(members, atOnce.runs, train, halt)
    return together
  } catch (error) {
    for (const model of models) model.dispose()
    throw error
  } finally {
    user?.removeEventListener('abort', onAbort)
    progress?.close()
  }
}

async function choose(
  members: readonly Member[],
  data: Data,
  { parallel, threads }: Settings,
  signal: AbortSignal,
): Promise<AtOnce> {
  if (parallel !== undefined) {
    const runs = Math.min(parallel, members.length)
    return runs > 1 ? sideBySide(runs) : inTurns(threads)
  }
  if (members.length === 1 || threads === 1 || isStream(data)) return inTurns(threads)
  const models = members.map(({ model }) => model)
  return await measureAtOnce(models, data, members[0]!.fit, threads, signal)
}

/** So many at a time, in order. After the first that fails none begins, and the others are stopped. */
async function trainAll(
  members: readonly Member[],
  runs: number,
  train: (member: Member) => Promise<void>,
  halt: AbortController,
): Promise<void> {
  const waiting = [...members]
  const failures: unknown[] = []
  const work = async () => {
    while (waiting.length > 0 && failures.length === 0) {
      try {
        await train(waiting.shift()!)
      } catch (error) {
        failures.push(error)
        halt.abort(new Error('another member has failed'))
      }
    }
  }
  await Promise.all(Array.from({ length: runs }, work))
  if (failures.length > 0) throw failures[0]
}

type OfOne = Pick<Settings, 'dir' | 'onMember'> & {
  readonly threads: number
  readonly signal: AbortSignal
  readonly progress: Callback | undefined
}

async function trainOne(
  { seed, model, fit: own }: Member,
  data: Data,
  { dir, threads, signal, progress, onMember }: OfOne,
): Promise<void> {
  const place = dir === undefined ? {} : { dir: join(dir, `seed=${seed}`), resume: true }
  const callbacks = [...(own.callbacks ?? []), ...(progress ? [progress] : [])]
  try {
    const options = { ...own, ...place, callbacks, signal, quiet: true }
    const history = await fit(model, data, options as FitOptions, threads)
    checkWhole(history.stoppedBy)
    onMember?.({ seed, model, history })
  } catch (error) {
    signal.throwIfAborted()
    throw ofSeed(seed, error)
  }
}

/** Checkpoints end their runs when the process is told to end, which it then does: no other member begins. */
function checkWhole(stoppedBy: unknown): void {
  if (stoppedBy === 'SIGINT' || stoppedBy === 'SIGTERM') throw new Error(`ended by ${stoppedBy}`)
}

function ofSeed(seed: number, error: unknown): Error {
  if (error instanceof GradusError) {
    return new GradusError(error.code, `seed ${seed}: ${error.message}`, { cause: error })
  }
  return new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}
