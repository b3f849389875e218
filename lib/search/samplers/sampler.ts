/** What a sampler is: a pure function of the space, the trials so far, the study's seed and the new trial's number. */
import type { Json } from '../../call.js'
import type { Params, Point, Space } from '../space/space.js'

export interface TrialSeen {
  /** From 0 up, as trials are begun. */
  readonly number: number
  readonly params: Params
  /** Lost trials are not told of. */
  readonly state: 'running' | 'paused' | 'complete' | 'pruned' | 'exploded' | 'failed'
  /** The result; null as long as there is none. */
  readonly value: number | null
  /** The values reported after each epoch, from the first on. */
  readonly reports?: readonly number[]
}

/** Samplers and pruners of the same name and settings behave in the same way, others do not. */
export interface Settings {
  readonly [option: string]: Json
}

export type Direction = 'minimize' | 'maximize'

export interface Asked {
  readonly space: Space
  readonly trials: readonly TrialSeen[]
  readonly direction: Direction
  /** The study's, 0 to 2⁵³ − 1. */
  readonly seed: number
  /** The new trial's. */
  readonly number: number
  /** Whether a finite space may give parameters that a trial has had. Default false. */
  readonly repeats?: boolean
}

export interface Sampler {
  readonly name: string
  /** All of its options, defaults filled in, as JSON can hold them: what `study.json` says of it beside the name. */
  readonly settings: Settings
  /** @throws `GRADUS_INVALID_ARGUMENT` where it cannot search this space */
  check?(space: Space): void
  /** null: all points of a finite space are taken. */
  suggest(asked: Asked): Params | null | Promise<Params | null>
  /** Of a sampler whose trials go on from the checkpoints of others. */
  readonly inherit?: Inheritance
}

export interface Inheritance {
  /** The number of the complete trial whose checkpoint the new one, as it is suggested, begins with; null: none. */
  parentOf(asked: Asked): number | null
  /** A parent is at most so many numbers below its heir: so long its checkpoint stays. */
  readonly reach: number
}

export interface Ended {
  /** Its place in the list of trials. */
  readonly place: number
  readonly number: number
  readonly point: Point
  readonly loss: number
  /** It had no finite result of its own. */
  readonly failed: boolean
}

/** Trials that fit the space, as the models of samplers want them. */
export interface Observed {
  /** Ended ones in order of number: the smaller the loss, the better. */
  readonly ended: readonly Ended[]
  /** Running and paused ones, which have no result yet. */
  readonly pending: readonly Pending[]
}

export interface Pending {
  readonly place: number
  readonly point: Point
}

/**
 * Losses are values, negated where they are maximized. Exploded and failed trials have the worst loss so far, pruned ones that
 * of their last report.
 */
export function observed({ space, trials, direction }: Pick<Asked, 'space' | 'trials' | 'direction'>): Observed {
  const sign = direction === 'maximize' ? -1 : 1
  const ended: Writable<Ended>[] = []
  const pending: Pending[] = []
  let worst = Number.NEGATIVE_INFINITY
  let isInOrder = true
  for (let place = 0; place < trials.length; place++) {
    const trial = trials[place]!
    const point = space.find(trial.params)
    if (point === null) continue
    const { number, state } = trial
    if (state === 'running' || state === 'paused') {
      pending.push({ place, point })
      continue
    }
    const loss = sign * (resultOf(trial) ?? Number.NaN)
    const failed = !Number.isFinite(loss)
    if (!failed && loss > worst) worst = loss
    isInOrder &&= ended.length === 0 || ended.at(-1)!.number < number
    ended.push({ place, number, point, loss, failed })
  }
  // Where nothing but failures is known, all of them are the same.
  if (!Number.isFinite(worst)) worst = 0
  for (const one of ended) if (one.failed) one.loss = worst
  return { ended: isInOrder ? ended : ended.sort((a, b) => a.number - b.number), pending }
}

type Writable<Of> = { -readonly [Name in keyof Of]: Of[Name] }

/** The value that an ended trial is judged by, or null where it has none. */
function resultOf({ state, value, reports }: TrialSeen): number | null {
  if (state === 'complete') return value
  return state === 'pruned' ? (reports?.at(-1) ?? value) : null
}
