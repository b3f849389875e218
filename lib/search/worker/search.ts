/** A study under way, as one worker sees it: the trials, the plan, and the stage that all are at. */
import { GradusError } from '../../errors.js'
import {
  bestOf,
  hasEnded,
  type JsonObject,
  makePlan,
  makeStage,
  makeStudy,
  type NumberedPlan,
  readPlan,
  readStages,
  type StudyModule,
  StudyReader,
  type Trial,
} from '../../study/index.js'
import type { StudyDefinition } from '../definition/define-study.js'
import { describeStudy } from '../definition/describe.js'
import type { Reports } from '../pruners/pruner.js'
import type { TrialSeen } from '../samplers/sampler.js'
import type { ParameterRecord } from '../space/parameter.js'
import { checkSpace, type Space } from '../space/space.js'
import { nextStage } from '../stages/next-stage.js'
import { bestFileOf, bestTrialOf } from './best-file.js'
import { FreeTrials, isWaiting } from './free-trials.js'
import { seenOf } from './seen.js'

export interface OpenSearchOptions {
  /** The file that defines the study; null of one that was defined in a program. */
  readonly module?: StudyModule | null | undefined
  /** Whether the file may have changed since. Default false. */
  readonly allowChanged?: boolean | undefined
  /** Whether another space than the folder's becomes the plan's. Default false. */
  readonly extend?: boolean | undefined
}

/** Where all workers are. */
export interface CurrentStage {
  /** From 1. */
  readonly number: number
  /** Of this stage. */
  readonly trials: number
  readonly epochs: number | null
  readonly space: Space
  /** Whether there is none after it. */
  readonly isLast: boolean
}

/** Milliseconds. */
const every = { ended: 250, waiting: 50 }
/** Looks at so many trials under way take little time; at more, this share of it. Of those that wait, some more seldom. */
const few = 32
const shareOfHeld = 1 / 10

/** Results of other studies come behind all of this one's. */
const firstForeign = 1e9

export class Search {
  readonly path: string
  readonly definition: StudyDefinition
  readonly reader: StudyReader
  readonly #foreign: readonly TrialSeen[]
  readonly #free: FreeTrials
  readonly #lookedAt = { ended: Number.NEGATIVE_INFINITY, waiting: Number.NEGATIVE_INFINITY }
  /** When trials under way are due again. */
  #heldAt = Number.NEGATIVE_INFINITY
  #plan: NumberedPlan
  #stage: CurrentStage

  private constructor(
    parts: Pick<Search, 'path' | 'definition' | 'reader'> & { foreign: TrialSeen[]; free: FreeTrials },
    plan: NumberedPlan,
    stage: CurrentStage,
  ) {
    this.path = parts.path
    this.definition = parts.definition
    this.reader = parts.reader
    this.#foreign = parts.foreign
    this.#free = parts.free
    this.#plan = plan
    this.#stage = stage
  }

  /**
   * Makes the study's folder, or goes on with it.
   *
   * @throws `GRADUS_INVALID_ARGUMENT` when it holds something else, or the study has changed; `GRADUS_BAD_FILE`
   */
  static async open(path: string, definition: StudyDefinition, options: OpenSearchOptions = {}): Promise<Search> {
    const { module = null, allowChanged, extend = false } = options
    const wanted = describeStudy(definition, module)
    const { description } = await makeStudy(path, wanted, {
      allowChanged: allowChanged || extend,
      // Looked at just below.
      mayDiffer: ['space'],
    })
    const plan = await followed(path, definition, await readPlan(path, description), description, extend)
    const free = new FreeTrials()
    const reader = await StudyReader.open(path, { onTrial: free.see })
    const foreign: TrialSeen[] = []
    for (const folder of definition.startFrom) {
      const { trials } = await StudyReader.open(folder)
      for (const seen of trials.filter(hasEnded).map(seenOf)) {
        if (seen !== null) foreign.push({ ...seen, number: firstForeign + foreign.length })
      }
    }
    const stage = await stageOf(reader.path, definition, plan)
    return new Search({ path: reader.path, definition, reader, foreign, free }, plan, stage)
  }

  get stage(): CurrentStage {
    return this.#stage
  }

  get plan(): NumberedPlan {
    return this.#plan
  }

  /** All that there are, in order of number. */
  get trials(): readonly Trial[] {
    return this.reader.trials
  }

  /** The number that a new one gets. */
  get nextNumber(): number {
    return (this.trials.at(-1)?.number ?? -1) + 1
  }

  /** Those that a worker may be at, or of which its claim cannot be read, by number. */
  get held(): Trial[] {
    return this.reader.held.filter((trial) => !hasEnded(trial) && !isWaiting(trial))
  }

  /** The first that waits for no pruner, as it is now; null where none does. */
  async firstFree(): Promise<Trial | null> {
    for (;;) {
      const trial = this.#free.first(this.reader)
      if (trial === null) return null
      await this.reader.refresh({ ended: false, waiting: false, held: false, trial: trial.number })
      if (this.reader.trial(trial.number) === trial) return trial
    }
  }

  /** Trials of the stage that all are at. */
  get ofStage(): readonly Trial[] {
    if (this.#stage.isLast && this.#stage.number === 1) return this.trials
    return this.trials.filter(({ suggestion }) => (suggestion?.stage ?? 1) === this.#stage.number)
  }

  /** What samplers are told: trials of this stage, and of other studies. */
  get seen(): TrialSeen[] {
    const own = this.ofStage.map(seenOf).filter((seen) => seen !== null)
    return [...own, ...this.#foreign]
  }

  /** What pruners are told. */
  get reports(): Reports {
    const trials = this.ofStage.map(seenOf).filter((seen) => seen !== null)
    return { trials, direction: this.definition.direction, epochs: this.#stage.epochs ?? Number.POSITIVE_INFINITY }
  }

  /** The checkpoint with which trials of a stage begin; null where they begin with weights of their own. */
  async initialFor(stage: number): Promise<string | null> {
    if (this.definition.initial === null || stage === 1) return null
    const before = this.trials.filter(
      ({ state, suggestion }) => state === 'complete' && suggestion?.stage === stage - 1,
    )
    const [best] = bestOf(
      before.flatMap((trial) => bestTrialOf(trial) ?? []),
      this.definition.direction,
    )
    const found = best && (await bestFileOf(this.reader.trial(best.trial)!, this.definition.metric))
    return found?.path ?? null
  }

  /**
   * Looks for what has changed; now and then also among trials that wait, which others take, and among those that have ended,
   * which a person may have retried.
   *
   * @param trial one that is looked at in any case; where many are under way, others have their turn less often
   */
  async refresh(trial?: number): Promise<void> {
    const from = performance.now()
    const { heldCount, waitingCount } = this.reader
    const [ended, waiting] = [this.#isDue('ended', from), waitingCount <= few || this.#isDue('waiting', from)]
    const isDue = heldCount <= few || from >= this.#heldAt
    await this.reader.refresh({ ended, waiting, held: isDue, trial })
    const now = performance.now()
    if (isDue) this.#heldAt = now + (now - from) / shareOfHeld
  }

  #isDue(what: keyof typeof every, now: number): boolean {
    const isDue = now - this.#lookedAt[what] >= every[what]
    if (isDue) this.#lookedAt[what] = now
    return isDue
  }

  /** Looks whether more is wanted now. */
  async refreshPlan(): Promise<void> {
    const plan = await readPlan(this.path, this.reader.study)
    if (plan.number === this.#plan.number) return
    this.#plan = plan
    this.#stage = await stageOf(this.path, this.definition, plan)
  }

  /**
   * Begins the next stage, as what this one found says; of several workers all come to the same.
   *
   * @returns what it looks at and why, in lines, to the worker that was first; null where this stage was the last
   */
  async advance(): Promise<readonly string[] | null> {
    if (this.#stage.isLast) return null
    const number = this.#stage.number + 1
    const record = nextStage(
      this.definition,
      this.#stage,
      this.ofStage.map(seenOf).filter((seen) => seen !== null),
    )
    let isFirst = false
    const there = await makeStage(this.path, { number, record: record as unknown as JsonObject }, () => {
      isFirst = true
    })
    this.#stage = await stageOf(this.path, this.definition, this.#plan)
    return isFirst ? ((there.why as string[] | undefined) ?? []) : []
  }
}

/** The plan with what the definition wants beyond it. */
async function followed(
  path: string,
  definition: StudyDefinition,
  plan: NumberedPlan,
  { space: begun }: { space: JsonObject },
  extend: boolean,
): Promise<NumberedPlan> {
  const wanted = plainSpace(definition)
  const isSame = JSON.stringify(wanted) === JSON.stringify(plan.space ?? begun)
  if (!isSame && !extend) {
    const message =
      `dir: ${path} was begun with another space:\n  there: ${JSON.stringify(plan.space ?? begun)}\n  now:   ${JSON.stringify(wanted)}\n` +
      'give another dir, or extend (--extend): trials that fit the new space count in it'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'dir', expected: 'a study of this space' })
  }
  const trials = Math.max(plan.trials, definition.trials)
  if (isSame && trials === plan.trials) return plan
  const next = { trials, space: isSame ? plan.space : wanted }
  if (await makePlan(path, plan, next)) return { ...next, number: plan.number + 1 }
  // Somebody was first: what is there now counts.
  return await followed(path, definition, await readPlan(path, { trials: plan.trials }), { space: begun }, extend)
}

const plainSpace = ({ space }: StudyDefinition): JsonObject => JSON.parse(JSON.stringify(space.parameters))

/** By the records that are there. */
async function stageOf(path: string, definition: StudyDefinition, plan: NumberedPlan): Promise<CurrentStage> {
  const { stages, epochs, space } = definition
  if (stages === null) return { number: 1, trials: plan.trials, epochs, space, isLast: true }
  const begun = await readStages(path)
  const number = Math.min(stages.length, begun.length + 1)
  const isLast = number === stages.length
  const before = stages.slice(0, number - 1).reduce((sum, { trials }) => sum + trials, 0)
  const { trials, epochs: ofStage } = stages[number - 1]!
  const record = begun.find((stage) => stage.number === number)?.record
  return {
    number,
    trials: isLast ? Math.max(trials, plan.trials - before) : trials,
    epochs: ofStage,
    space: record ? checkSpace(record.parameters as unknown as ParameterRecord, `stages/${number}.json`) : space,
    isLast,
  }
}
