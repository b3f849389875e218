/** What the schedules of a run say of its next updates. */
import { checkNotNegativeInteger } from '../checks.js'
import { GradusError } from '../errors.js'
import { orNull, readMemory } from '../memory.js'
import type { NativeProgram } from '../native.js'
import { anything } from '../options.js'
import type { Schedule } from '../schedules/schedule.js'
import { Averaging } from './averaging.js'
import type { EpochRecord } from './history.js'
import { modeOf, monitored } from './monitor.js'
import type { Settings } from './settings.js'
import type { TrainTarget } from './target.js'

/** One entry an update; momenta and weight decays where they are scheduled, average decays where an average follows updates. The names are those of the native call. */
export interface Annealed {
  readonly learningRates: Float64Array
  readonly momenta?: Float64Array
  readonly weightDecays?: Float64Array
  readonly averageDecays?: Float64Array
}

interface Scheduled {
  readonly schedule: Schedule
  readonly initial: number
  readonly check: (value: number, when: string) => number
}

type Role = 'schedule' | 'momentumSchedule' | 'weightDecaySchedule'

/** What `begin` of a schedule gave for the program's last run: a run that goes on goes on with it. */
const begun = new WeakMap<NativeProgram, Map<Role, { given: Schedule; running: Schedule }>>()

interface Memory {
  /** The program's count that schedules by step take for 0; null before the first update. */
  origin: number | null
  /** The last epoch at whose end the average of the weights followed them. */
  averagedEpoch: number
  /** What each schedule remembers, or null. */
  schedules: Partial<Record<Role, unknown>>
}

const checks = {
  origin: orNull(checkNotNegativeInteger),
  averagedEpoch: checkNotNegativeInteger,
  schedules: (argument: string, value: unknown) =>
    readMemory<Memory['schedules']>(argument, value, {
      schedule: anything,
      momentumSchedule: anything,
      weightDecaySchedule: anything,
    }),
}

export class Annealing {
  readonly #target: TrainTarget
  readonly #isContinued: boolean
  readonly #learningRate: Scheduled
  readonly #momentum: Scheduled | undefined
  readonly #weightDecay: Scheduled | undefined
  readonly #averaging: Averaging
  /** What the schedules take for step 0: known when the first turn comes. */
  #origin: number | null = null

  constructor(target: TrainTarget, settings: Settings, goesOn: boolean) {
    const { learningRate, momentum, weightDecay } = target.optimizer
    const scheduled = (role: Role, initial: number, check: Scheduled['check']): Scheduled | undefined => {
      const given = settings[role]
      return given && { schedule: this.#begin(role, given), initial, check }
    }
    this.#target = target
    this.#averaging = new Averaging(target)
    this.#isContinued = goesOn
    const own: Schedule = (_, initial) => initial
    const rate = scheduled('schedule', learningRate, checkRate)
    this.#learningRate = rate ?? { schedule: own, initial: learningRate, check: checkRate }
    this.#momentum = scheduled('momentumSchedule', momentum!, checkMomentum)
    this.#weightDecay = scheduled('weightDecaySchedule', weightDecay, checkWeightDecay)
  }

  #begin(role: Role, given: Schedule): Schedule {
    if (!given.begin) return given
    const { program } = this.#target
    const ofProgram = begun.get(program) ?? new Map()
    const before = this.#isContinued ? ofProgram.get(role) : undefined
    const running = before?.given === given ? before.running : given.begin()
    begun.set(program, ofProgram.set(role, { given, running }))
    return running
  }

  /** For the next `count` updates. A refused one leaves its values to the update after it. */
  next(epoch: number, count: number): Annealed {
    const step = this.#stepsDone()
    const values = ({ schedule, initial, check }: Scheduled) => {
      const at = (t: number) => check(schedule(t, initial), `${schedule.unit ?? 'epoch'} ${t}`)
      return schedule.unit === 'step'
        ? Float64Array.from({ length: count }, (_, i) => at(step + i))
        : new Float64Array(count).fill(at(epoch))
    }
    return {
      learningRates: values(this.#learningRate),
      momenta: this.#momentum && values(this.#momentum),
      weightDecays: this.#weightDecay && values(this.#weightDecay),
      averageDecays: this.#averaging.next(step, count),
    }
  }

  /** After the last update of an epoch, from 1, and before its validation. */
  endEpoch(epoch: number, threads: number): Promise<void> {
    return this.#averaging.endEpoch(epoch, threads)
  }

  /** Whether there is an average of weights of training after so many epochs. */
  hasAverage(epochs: number): boolean {
    return this.#averaging.hasBegun(epochs, this.#stepsDone())
  }

  observe(record: EpochRecord): void {
    const watch = (column?: string) => {
      const { name, value } = monitored(record, column)
      return { value, mode: modeOf(name, this.#target) }
    }
    for (const [, { schedule }] of this.#scheduled) {
      schedule.observe?.({ t: schedule.unit === 'step' ? this.#stepsDone() : record.epoch, watch })
    }
  }

  state(): Memory {
    const schedules = this.#scheduled.map(([role, { schedule }]) => [role, schedule.state?.() ?? null])
    const { epoch } = this.#averaging
    return { origin: this.#origin, averagedEpoch: epoch, schedules: Object.fromEntries(schedules) }
  }

  restore(state: unknown): void {
    const { origin, averagedEpoch, schedules } = readMemory<Memory>('the schedules', state, checks)
    this.#origin = origin
    this.#averaging.restore(averagedEpoch)
    for (const [role, { schedule }] of this.#scheduled) {
      const memory = schedules[role] ?? null
      if (memory !== null) schedule.restore?.(memory)
    }
  }

  get #scheduled(): [Role, Scheduled][] {
    const all = {
      schedule: this.#learningRate,
      momentumSchedule: this.#momentum,
      weightDecaySchedule: this.#weightDecay,
    }
    return (Object.entries(all) as [Role, Scheduled | undefined][]).flatMap(([role, one]) => (one ? [[role, one]] : []))
  }

  /** A run that goes on continues the count of the run before; a new one starts its schedules afresh. */
  #stepsDone(): number {
    const { step } = this.#target.program
    this.#origin ??= this.#isContinued ? 0 : step
    return step - this.#origin
  }
}

const checked =
  (option: string, expected: string, accept: (value: number) => boolean) =>
  (value: number, when: string): number => {
    if (Number.isFinite(value) && accept(value)) return value
    const message = `${option}: expected ${expected}, received ${value} for ${when}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }

const checkRate = checked('schedule', 'a learning rate from 0 up', (rate) => rate >= 0)
const checkMomentum = checked('momentumSchedule', 'a momentum from 0 to less than 1', (m) => m >= 0 && m < 1)
const checkWeightDecay = checked('weightDecaySchedule', 'a weight decay from 0 up', (decay) => decay >= 0)
