/** What a schedule is, how two become one, and how one is looked at. */
import { inspect } from 'node:util'
import { checkBoolean, checkFinite, checkFunction, checkOneOf, checkPositive } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { optionsOf } from '../options.js'
import { type PlotSize, plotLine, plotRules } from '../plot.js'

export type TimeUnit = 'step' | 'epoch'

/**
 * A number over time: a learning rate, a momentum, a weight decay. `fit` takes any function of this kind; `t` counts epochs
 * or updates from 0, `initial` is the optimizer's own value. An epoch has one value: `t` is a whole number.
 */
export interface Schedule {
  (t: number, initial: number): number
  /** Which one it is: `cosine`, `warmup followedBy cosine`. Of one's own: undefined. */
  readonly kind?: string | undefined
  /** What `t` counts. Without it: epochs, or in `followedBy` what the schedule before it counts. */
  readonly unit?: TimeUnit | undefined
  /** Of a schedule that goes by how training goes: the schedule for one run. A run that goes on keeps the one it had. */
  begin?(): Schedule
  /** A column of the epochs' records that it goes by: `fit` makes sure that there is one of this name. */
  readonly monitor?: string | undefined
  /** Told of each finished epoch, after validation. */
  observe?(epoch: Observation): void
  /** What it remembers of them, for a checkpoint, and goes on from: plain values. One without begins anew. */
  state?(): unknown
  restore?(state: unknown): void
}

export interface Observation {
  /** Time done, in the schedule's unit. */
  readonly t: number
  /** A column of the epoch's record, default `valLoss`, or `loss` without validation; and which of its values are good. */
  watch(column?: string): { value: number; mode: 'min' | 'max' }
}

/** Made by one of the schedules, such as {@link cosine}. */
export interface TimedSchedule extends Schedule {
  /** When it has come to its end, in its unit; its value then stays. Undefined: never. */
  readonly duration?: number
  /**
   * This schedule to its end, then `next` with its own t from 0 on.
   *
   * @throws `GRADUS_INVALID_ARGUMENT` when this one has no end, or `next` counts another unit
   * @example warmup({ length: 500, unit: 'step' }).followedBy(cosine({ length: 20_000, unit: 'step' }))
   */
  followedBy(next: Schedule): TimedSchedule
  /** Prints the schedule in the terminal, and returns what it printed. */
  plot(options?: SchedulePlotOptions): string
}

export interface SchedulePlotOptions extends PlotSize {
  /** To what time; default the schedule's duration, or 100. */
  length?: number | undefined
  /** The optimizer's own value; default 1. */
  initial?: number | undefined
  /** Only returns the plot. Default false. */
  quiet?: boolean | undefined
}

/** What every schedule takes. */
export interface Timed {
  /** What the schedule counts. Default `epoch`. */
  unit?: TimeUnit | undefined
}

type Running = Pick<Schedule, 'begin' | 'observe' | 'monitor' | 'state' | 'restore'>

export const checkUnit = (argument: string, unit: unknown): TimeUnit =>
  checkOneOf<TimeUnit>(argument, unit, ['step', 'epoch'])

/** Of {@link Timed}, for lists of options. */
export const timedRules = { unit: checkUnit } as const

export function timed(
  kind: string,
  unit: TimeUnit | undefined,
  formula: (t: number, initial: number) => number,
  duration?: number,
): TimedSchedule {
  return complete(formula, { kind, unit: unit ?? 'epoch', duration })
}

export function complete(
  formula: (t: number, initial: number) => number,
  { unit, duration, ...running }: Pick<Schedule, 'kind' | 'unit'> & { duration?: number | undefined } & Running,
): TimedSchedule {
  const schedule: TimedSchedule = Object.assign((t: number, initial: number) => formula(t, initial), {
    ...running,
    unit,
    duration,
    plot: (options?: SchedulePlotOptions) => plotSchedule(schedule, options),
    followedBy: (next: Schedule) => follow(schedule, next),
    toString: () => inWords(schedule),
    [inspect.custom]: () => inWords(schedule),
  })
  return schedule
}

/** `Schedule(30 epochs: 1, 0.5, 0)`: where the optimizer's own value is 1, at its begin, its middle and its end. */
function inWords(schedule: TimedSchedule): string {
  const { unit = 'epoch', duration } = schedule
  const length = duration !== undefined && Number.isFinite(duration) ? duration : null
  const values = (length === null ? [0, 10, 100] : [0, Math.floor(length / 2), length]).map((t) => {
    const value = Number(schedule(t, 1).toPrecision(4))
    return length === null ? `${value} at ${t}` : String(value)
  })
  return `Schedule(${length === null ? `${unit}s` : `${length} ${unit}s`}: ${values.join(', ')})`
}

function follow(first: TimedSchedule, next: Schedule): TimedSchedule {
  checkFunction('followedBy', next)
  const { unit, duration } = first
  if (duration === undefined) {
    const message = 'followedBy: expected a schedule that comes to an end before it, received one without a length'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  if (next.unit !== undefined && next.unit !== unit) {
    throw invalidArgument('followedBy', `a schedule by '${unit}', as the one before it`, next.unit)
  }
  const { duration: rest } = next as Partial<TimedSchedule>
  const { begin, observe, monitor, state, restore } = next
  return complete((t, initial) => (t < duration ? first(t, initial) : next(t - duration, initial)), {
    kind: `${first.kind} followedBy ${next.kind ?? 'a function'}`,
    unit,
    duration: rest === undefined ? undefined : duration + rest,
    monitor,
    begin: begin && (() => follow(first, begin.call(next))),
    state: state && (() => state.call(next)),
    restore: restore && ((memory) => restore.call(next, memory)),
    observe:
      observe &&
      (({ t, watch }) => {
        if (t > duration) observe.call(next, { t: t - duration, watch })
      }),
  })
}

const readPlot = optionsOf<SchedulePlotOptions>()('plot', {
  ...plotRules,
  length: checkPositive,
  initial: [checkFinite, 1],
  quiet: [checkBoolean, false],
})

function plotSchedule(schedule: TimedSchedule, options: SchedulePlotOptions = {}): string {
  const { duration = 100, unit = 'epoch' } = schedule
  const { length = Number.isFinite(duration) ? duration : 100, initial, quiet, ...size } = readPlot(options)
  // Whole times only: those are what training asks for.
  const at = (x: number) => schedule(Math.min(Math.floor(x * length), Math.ceil(length) - 1), initial)
  const plot = plotLine({ at, ends: ['0', `${length} ${unit}s`] }, size)
  if (!quiet) process.stdout.write(`${plot}\n`)
  return plot
}
