/** What the fits of several members are told, each for itself. */
import { GradusError, invalidArgument } from '../errors.js'
import type { FitOptions } from '../model/callbacks.js'
import type { AnyValues } from '../train/history.js'

/** Options of `fit` that the members have from the call that trains them all. */
const common = ['dir', 'name', 'resume', 'initialEpoch', 'signal', 'threads', 'quiet'] as const

/** What each member's `fit` is told of its own. */
export type MemberFitOptions<Values extends object = AnyValues> = Omit<FitOptions<Values>, (typeof common)[number]>

export type MemberFit<Values extends object = AnyValues> =
  | MemberFitOptions<Values>
  | ((seed: number) => MemberFitOptions<Values>)

/**
 * The options of each member. Callbacks are told of one run at a time, so that members have each their own.
 *
 * @throws GRADUS_INVALID_ARGUMENT for options that are not a member's own, and for what holds the state of one run and is to
 * serve several
 */
export function fitsOf(fit: MemberFit | undefined, seeds: readonly number[]): MemberFitOptions[] {
  if (typeof fit !== 'function') {
    const options = checkOwn(fit ?? {}, 'fit')
    checkNoState(options)
    return seeds.map(() => options)
  }
  const fits = seeds.map((seed) => checkOwn(fit(seed), 'the result of fit'))
  checkApart(fits, seeds)
  return fits
}

function checkOwn<Options extends object>(options: Options, what: string): Options {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidArgument(what, 'an options object', options)
  }
  const given = options as Record<string, unknown>
  const name = common.find((name) => given[name] !== undefined)
  if (name === undefined) return options
  const instead =
    name === 'resume' || name === 'initialEpoch' || name === 'name'
      ? 'with the option dir of fromSeeds each member goes on by itself'
      : `fromSeeds takes ${name} for all members`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `${what}.${name}: expected none, as ${instead}`)
}

const advice = 'give a function that makes one for each member: fit: (seed) => ({ … })'

/** A function that is told of epochs has none by itself. */
function checkNoState({ callbacks, ...options }: MemberFitOptions): void {
  const at = Array.isArray(callbacks) ? callbacks.findIndex((callback) => typeof callback === 'object') : -1
  if (at >= 0) {
    const { name } = (callbacks as { name?: unknown }[])[at]!
    const which = typeof name === 'string' ? `${name}(…)` : 'one object'
    throw new GradusError(
      'GRADUS_INVALID_ARGUMENT',
      `fit.callbacks[${at}]: expected none that is told of all members' runs at once, received ${which}; ${advice}`,
    )
  }
  for (const role of ['schedule', 'momentumSchedule', 'weightDecaySchedule'] as const) {
    const schedule = options[role]
    if (!schedule?.observe || schedule.begin) continue
    const message = `fit.${role}: expected no schedule that goes by all members' runs at once; ${advice}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
}

function checkApart(fits: readonly MemberFitOptions[], seeds: readonly number[]): void {
  const owners = new Map<unknown, number>()
  for (const [i, { callbacks }] of fits.entries()) {
    for (const callback of Array.isArray(callbacks) ? callbacks : []) {
      if (typeof callback !== 'object' || callback === null) continue
      const owner = owners.get(callback)
      if (owner !== undefined && owner !== seeds[i]) {
        const message = `the result of fit: expected callbacks made for each seed, received one object for ${owner} and ${seeds[i]}`
        throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
      }
      owners.set(callback, seeds[i]!)
    }
  }
}
