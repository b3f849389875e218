/** What a free worker does next: takes over, goes on, takes up what the pruner promotes, or begins a new trial. */
import { GradusError } from '../../errors.js'
import {
  type Beats,
  createTrial,
  endTrial,
  hasEnded,
  type Initial,
  type JsonObject,
  type LeaseJudge,
  rangesOf,
  type Trial,
  takeTrial,
} from '../../study/index.js'
import { isThere } from '../../study/trial.js'
import { Draws, streams } from '../space/draws.js'
import { bestFileOf } from './best-file.js'
import { whenThereIsRoom } from './room.js'
import type { Claimed } from './run-trial.js'
import type { Search } from './search.js'
import { asPending } from './seen.js'

export interface Picker {
  readonly search: Search
  readonly judge: LeaseJudge
  readonly beats: Beats
  /** What the worker is called. */
  readonly worker: string
  /** Of the worker: fires when it is to end. */
  readonly signal: AbortSignal
  /** What its claims say of where they are trained. */
  readonly details?: JsonObject | undefined
  /** What the claim of a master that is gone says, whose trial is still trained; null of any other trial. */
  adopts?(trial: Trial): JsonObject | null
  /** Told of what a person should know. */
  note(text: string): void
}

/** A trial; `wait`: others are at work, on which it depends what comes; or the search is over. */
export type Picked = Claimed | 'wait' | 'done' | 'exhausted'

export async function pick(picker: Picker): Promise<Picked> {
  for (;;) {
    const { search } = picker
    await search.refresh()
    await search.refreshPlan()
    const running = search.held
    const taken = (await takeOver(picker, running)) ?? (await goOn(picker)) ?? (await promoted(picker))
    if (taken === 'again') continue
    if (taken !== null) return taken
    const begun = await beginNew(picker)
    if (begun === 'again') continue
    if (typeof begun === 'object') return begun
    // Others may end as lost, or be promoted by what comes.
    if (begun === 'wait' || running.length > 0) return 'wait'
    const last = await bestThatWaits(picker)
    if (last === 'again') continue
    if (last !== null) return last
    const lines = await search.advance()
    if (lines === null) return begun
    for (const line of lines) picker.note(line)
  }
}

type Taken = Claimed | 'again' | null

/** Trials whose workers are gone: the oldest one first. */
async function takeOver(picker: Picker, running: readonly Trial[]): Promise<Taken> {
  const { search, judge } = picker
  judge.keep(running)
  for (const trial of running) {
    if (!judge.isStale(trial)) continue
    const adopted = picker.adopts?.(trial) ?? null
    if (adopted !== null) return await take(picker, trial, { details: adopted, adopts: true })
    const { retries } = search.definition
    if (trial.suggestion !== null && trial.takeovers < retries) return await take(picker, trial)
    const reason = trial.suggestion === null ? trial.problem : `its worker was lost ${retries + 1} times`
    await endTrial(trial, { state: 'lost', reason })
    return 'again'
  }
  return null
}

/** What was interrupted, or put there by a person. */
async function goOn(picker: Picker): Promise<Taken> {
  const first = await picker.search.firstFree()
  return first && (await take(picker, first))
}

async function promoted(picker: Picker): Promise<Taken> {
  const { pruner } = picker.search.definition
  const next = pruner?.next?.(picker.search.reports) ?? null
  const trial = next && picker.search.reader.trial(next.trial)
  return trial ? await take(picker, trial, { epochs: next.epochs }) : null
}

/** Where the pruner has let none come to the end, the best that waits does. */
async function bestThatWaits(picker: Picker): Promise<Taken> {
  const { search } = picker
  const { ofStage, definition } = search
  if (ofStage.some(({ state }) => state === 'complete')) return null
  const sign = definition.direction === 'maximize' ? -1 : 1
  const waiting = ofStage.filter(({ state, values }) => state === 'paused' && values.length > 0)
  const [best] = waiting.sort(
    (a, b) => b.values.length - a.values.length || sign * (a.values.at(-1)! - b.values.at(-1)!) || a.number - b.number,
  )
  return best ? await take(picker, best) : null
}

interface TakeOptions {
  readonly epochs?: number
  readonly details?: JsonObject
  readonly adopts?: boolean
}

async function take(picker: Picker, trial: Trial, options: TakeOptions = {}): Promise<Claimed | 'again'> {
  const { search, beats, worker, signal } = picker
  const { suggestion } = trial
  const { adopts, epochs, details = picker.details } = options
  const budget = epochs ?? search.stage.epochs
  // A full disk is waited for with the claim: another one would count as one more worker that the trial was lost with.
  const copying = (copy: () => Promise<void>) => whenThereIsRoom(copy, signal)
  const held = suggestion && (await takeTrial(trial, { worker, budget, beats, details, adopts }, copying))
  if (held) return { held, params: suggestion.params, stage: suggestion.stage, before: trial }
  await search.refresh(trial.number)
  return 'again'
}

/**
 * A trial of the next number: who gets the number has known all trials below it, so that no two of a finite space have the same
 * parameters.
 */
export async function beginNew({
  search,
  beats,
  worker,
  details,
}: Pick<Picker, 'search' | 'beats' | 'worker' | 'details'>): Promise<
  Claimed | 'again' | 'wait' | 'done' | 'exhausted'
> {
  const { definition, stage, nextNumber: number } = search
  if (search.ofStage.length >= stage.trials) return 'done'
  const { reproducible, parallel, sampler, direction, seed, repeats } = definition
  const isKnown = (trial: { number: number }) => trial.number < number - parallel || trial.number >= number
  if (reproducible && search.trials.some((trial) => isKnown(trial) && !hasEnded(trial))) return 'wait'
  const trials = reproducible ? search.seen.map((trial) => (isKnown(trial) ? trial : asPending(trial))) : search.seen
  const asked = { space: stage.space, trials, direction, seed, number, repeats }
  const params = await sampler.suggest(asked)
  if (params === null) return 'exhausted'
  const initial = await initialOf(search, number, sampler.inherit?.parentOf(asked) ?? null)
  if (initial === 'again') return 'again'
  const ended = search.ofStage.filter((trial) => hasEnded(trial) && (!reproducible || isKnown(trial)))
  const suggestion = {
    ...{ params, stage: stage.number, suggestedBy: sampler.name },
    seed: new Draws(seed, number, streams.training).below(2 ** 31),
    results: rangesOf(ended.map((trial) => trial.number)),
  }
  try {
    const held = await createTrial(search.path, number, suggestion, {
      ...{ worker, budget: stage.epochs, beats, initial, details },
    })
    return held === null ? 'again' : { held, params, stage: stage.number, before: null }
  } catch (error) {
    // Removed meanwhile, as others have gone on.
    if (initial !== undefined && !isThere(initial.path)) return 'again'
    throw error
  }
}

/** The checkpoint of the trial that a new one goes on from, if there is one. @throws `GRADUS_INVALID_ARGUMENT` where that has none */
async function initialOf(search: Search, number: number, trial: number | null): Promise<Initial | 'again' | undefined> {
  if (trial === null) return undefined
  const { sampler, metric } = search.definition
  const file = await bestFileOf(search.reader.trial(trial)!, metric)
  if (file !== null) return { trial, epoch: file.epoch, path: file.path }
  await search.refresh()
  if (search.nextNumber !== number) return 'again'
  const message = `sampler: ${sampler.name} goes on from trial ${trial}, which has no checkpoint; expected trials that use fit, or keep checkpoints`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'sampler' })
}

/** How many trials in a row may fail, where none has come to an end before, until there is no use in going on. */
const mostFailures = 5

/** @throws `GRADUS_SEARCH_FAILED` with the text of the first, when all that have ended have failed, and that are enough */
export function checkFailures({ trials }: Search): void {
  const first: Trial[] = []
  // Of thousands that have ended, or wait, no more than these are of interest.
  for (const trial of trials) {
    if (hasEnded(trial) && first.push(trial) === mostFailures) break
  }
  if (first.length < mostFailures || first.some(({ state }) => state !== 'failed')) return
  const record = first[0]!.last?.record
  const text = record?.type === 'result' ? record.reason : null
  const message = `the first ${mostFailures} trials have all failed; that of trial ${first[0]!.number}: ${text ?? 'no text'}`
  throw new GradusError('GRADUS_SEARCH_FAILED', message)
}
