/** Calls a trial's function, once for each fold, with all that it is given. */
import { GradusError } from '../../errors.js'
import { makeFolders, withFileErrors } from '../../files.js'
import type { JsonObject } from '../../study/index.js'
import { initialPath } from '../../study/layout.js'
import type { StudyDefinition } from '../definition/define-study.js'
import type { TrialContext } from '../definition/trial-function.js'
import type { Params } from '../space/space.js'
import type { Claimed, Training } from './run-trial.js'
import type { Search } from './search.js'
import type { TrialControl } from './trial-control.js'
import { TrialFit } from './trial-fit.js'

/** What is to be trained, in whatever process. */
export interface TrialOrder {
  readonly number: number
  readonly params: Params
  readonly seed: number
  /** Of a whole trial; null where the trial says how many. */
  readonly epochs: number | null
  /** The checkpoint to begin with; null of weights of its own. */
  readonly initial: string | null
  /** Whether that is its parent's, from which its optimizer goes on as well. */
  readonly isHeir: boolean
  /** Whether it may have been begun before. */
  readonly resume: boolean
  /** The directory of its run. */
  readonly dir: string
  readonly threads: number
}

/** What came of it. */
export interface TrialValue {
  readonly value: number
  /** Of the value. */
  readonly epoch: number
  readonly details: JsonObject
}

/** In this process. */
export const trainHere =
  (threads: number): Training =>
  async (search, claimed, control) => {
    const { held } = claimed
    const order = { ...(await orderOf(search, claimed)), dir: held.run, threads }
    return await trainTrial(search.definition, order, control)
  }

/** What a claimed trial is made of, wherever it is trained. */
export async function orderOf(
  search: Search,
  { held, params, before, stage }: Claimed,
): Promise<Omit<TrialOrder, 'dir' | 'threads'>> {
  const { seed, parent } = (before?.suggestion ?? held.record.suggestion)!
  const initial = parent ? initialPath(held.path) : await search.initialFor(stage)
  const isHeir = parent !== undefined
  return { number: held.number, params, seed, epochs: search.stage.epochs, initial, isHeir, resume: before !== null }
}

/** @throws what the trial throws; `GRADUS_INVALID_ARGUMENT` where it gives no value */
export async function trainTrial(
  definition: StudyDefinition,
  order: TrialOrder,
  control: TrialControl,
): Promise<TrialValue> {
  const { folds } = definition
  if (folds === 1) return await trainFold(definition, order, control, 0)
  const values: number[] = []
  for (let fold = 0; fold < folds; fold++) {
    values.push((await trainFold(definition, order, control, fold)).value)
    if (fold + 1 > control.last.epoch) await control.report(meanOf(values), { epoch: fold + 1 })
  }
  const mean = meanOf(values)
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (folds - 1))
  return { value: mean, epoch: folds, details: { folds: values, spread } }
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

async function trainFold(
  { metric, direction, folds, trial }: StudyDefinition,
  order: TrialOrder,
  control: TrialControl,
  fold: number,
): Promise<TrialValue> {
  const { number, params, seed, epochs, initial, isHeir, resume, threads } = order
  control.throwIfEnded()
  const dir = folds === 1 ? order.dir : `${order.dir}/fold-${fold + 1}`
  const fit = new TrialFit({ control, metric, direction, dir, threads, initial, isHeir, epochs, reports: folds === 1 })
  const context: TrialContext = {
    ...{ number, params, epochs, dir, initial, fold, threads, resume },
    seed: seed + fold,
    signal: control.signal,
    report: (value, record) => control.report(value, record),
    fit: fit.fit,
  }
  // For whatever the trial keeps there. Not synced: what is in it after a loss of power is all that counts.
  if (folds === 1) await withFileErrors(dir, () => makeFolders(dir), 'written')
  const returned = await trial(context)
  control.throwIfEnded()
  const best = fit.best
  if (typeof returned === 'number')
    return { value: returned, epoch: best?.epoch ?? control.last.epoch, details: bestDetails(best?.epoch) }
  if (best !== null) return { ...best, details: bestDetails(best.epoch) }
  const expected = `a number, or a call of fit with ${metric} among its records`
  const message = `trial: expected ${expected}, and it returned ${returned === undefined ? 'nothing' : typeof returned}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

const bestDetails = (epoch: number | undefined): JsonObject => (epoch === undefined ? {} : { bestEpoch: epoch })
