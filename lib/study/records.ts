/** What a trial's numbered files say: a claim, a pause, a result. */
import type { ProcessMark } from '../processes.js'
import { Fields, fromNumber, type Json, type JsonObject, studyFormat } from './values.js'

/** How a trial can end. */
export const endStates = ['complete', 'pruned', 'exploded', 'failed', 'stopped', 'lost'] as const
export type EndState = (typeof endStates)[number]

/**
 * Why a process has claimed a trial. `adopted`: the master that had given it to a worker is gone, and that worker trains it still.
 */
const reasons = ['new', 'promoted', 'takenOver', 'adopted', 'retried'] as const
export type ClaimReason = (typeof reasons)[number]

/** Numbers of trials from the first to the last, both with it. */
export type Range = readonly [first: number, last: number]

/** The trial that another goes on from, and its checkpoint. */
export interface Parent {
  readonly trial: number
  /** Of the checkpoint. */
  readonly epoch: number
  /** Of the checkpoint's bytes, in hexadecimal digits. */
  readonly sha256: string
}

/** A trial as somebody suggests it. */
export interface Suggestion {
  readonly params: JsonObject
  /** From which its random numbers come. */
  readonly seed: number
  /** From 1. */
  readonly stage: number
  /** The sampler, or the person. */
  readonly suggestedBy: string
  /** The trials whose results were known. */
  readonly results: readonly Range[]
  /** Of a trial that goes on from another: that one's checkpoint lies in its folder. */
  readonly parent?: Parent
}

/** What a process writes that is to train a trial. */
export interface Claim extends ProcessMark {
  readonly type: 'claim'
  readonly reason: ClaimReason
  /** What the worker is called: `here.1`. */
  readonly worker: string
  /** Nobody else's claim has it. */
  readonly id: string
  /** Epochs after which it pauses or is complete, counted from the trial's begin; null where there are none. */
  readonly budget: number | null
  /** `run.1` is the directory of run 1: the claim that began it. */
  readonly run: number
  /** In `1.json`, for good. */
  readonly suggestion: Suggestion | null
  readonly details: JsonObject | null
  /** Of the writer's clock: for people. */
  readonly time: string
}

/** The trial waits, with all that it needs to go on. */
export interface Paused {
  readonly type: 'paused'
  /** The claim that it ends. */
  readonly of: number
  /** Epochs that are finished; 0 of one that waits for its first. */
  readonly epoch: number
  /** The metric after them. */
  readonly value: number | null
  readonly details: JsonObject | null
  readonly time: string
}

export interface Result {
  readonly type: 'result'
  /** The claim that it ends. */
  readonly of: number
  readonly state: EndState
  readonly epoch: number
  /** Finite where the trial is complete. */
  readonly value: number | null
  /** Why it ended so, in words; of a failed one the error's text. */
  readonly reason: string | null
  readonly details: JsonObject | null
  readonly time: string
}

export type Change = Claim | Paused | Result

export type Written<Record> = Omit<Record, 'type' | 'time'>

/** A record as JSON, of the type that it says. */
export function recordOf(record: Change): object {
  const value = 'value' in record && record.value !== null ? { value: fromNumber(record.value) } : {}
  return { format: studyFormat, ...record, ...value }
}

/** Its line. */
export const recordText = (record: Change): string => `${JSON.stringify(recordOf(record))}\n`

/** @throws `GRADUS_BAD_FILE` naming the file and what is wrong in it */
export const parseChange = (text: string, where: string): Change => changeOf(Fields.parse(text, where))

export function changeOf(fields: Fields): Change {
  const type = fields.oneOf('type', ['claim', 'paused', 'result'] as const)
  if (type === 'claim') return claimOf(fields)
  const ending = {
    of: fields.whole('of', 1),
    epoch: fields.whole('epoch'),
    value: fields.numberOrNull('value'),
    details: fields.objectOrNull('details'),
    time: fields.text('time'),
  }
  if (type === 'paused') return { type, ...ending }
  const state = fields.oneOf('state', endStates)
  if (state === 'complete' && !Number.isFinite(ending.value))
    fields.fail('value', 'a finite number of a complete trial')
  return { type, state, reason: fields.textOrNull('reason'), ...ending }
}

function claimOf(fields: Fields): Claim {
  const suggestion = fields.objectOrNull('suggestion')
  return {
    type: 'claim',
    reason: fields.oneOf('reason', reasons),
    worker: fields.text('worker'),
    id: fields.text('id'),
    process: fields.whole('process', 1),
    host: fields.text('host'),
    boot: fields.textOrNull('boot'),
    started: fields.textOrNull('started'),
    budget: fields.wholeOrNull('budget'),
    run: fields.whole('run', 1),
    suggestion: suggestion && suggestionOf(fields, suggestion),
    details: fields.objectOrNull('details'),
    time: fields.text('time'),
  }
}

function suggestionOf(claim: Fields, value: JsonObject): Suggestion {
  const fields = claim.within('suggestion', value)
  const results = fields.list('results')
  if (!results.every(isRange)) fields.fail('results', 'pairs of trials, the first and the last')
  const parent = fields.objectOrNull('parent')
  return {
    ...(parent && { parent: parentOf(fields, parent) }),
    params: fields.object('params'),
    seed: fields.whole('seed'),
    stage: fields.whole('stage', 1),
    suggestedBy: fields.text('suggestedBy'),
    results: results as unknown as readonly Range[],
  }
}

function parentOf(suggestion: Fields, value: JsonObject): Parent {
  const fields = suggestion.within('parent', value)
  return { trial: fields.whole('trial'), epoch: fields.whole('epoch'), sha256: fields.text('sha256') }
}

const isRange = (value: Json): boolean =>
  Array.isArray(value) && value.length === 2 && value.every((one) => Number.isSafeInteger(one)) && value[0] <= value[1]

/** Numbers, from small to large, as ranges: of the results that were known the gaps are few. */
export function rangesOf(numbers: readonly number[]): Range[] {
  const ranges: [number, number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last && number === last[1] + 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges
}
