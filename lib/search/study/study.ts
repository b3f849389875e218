/** A study as a program holds it: trained, asked, and looked at. Its folder is the truth; any number of processes may hold it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { checkBoolean, checkPath, checkPositiveInteger } from '../../checks.js'
import { GradusError, invalidArgument } from '../../errors.js'
import { placeFile } from '../../files.js'
import { type LoadOptions, loadModel } from '../../model/load.js'
import type { Model } from '../../model/model.js'
import { needed, optionsOf } from '../../options.js'
import {
  Beats,
  enqueueTrial,
  type JsonObject,
  makePlan,
  readPlan,
  readStages,
  retryEnded,
  type StudyDescription,
  stopTrial,
  type Trial,
} from '../../study/index.js'
import type { StudyDefinition } from '../definition/define-study.js'
import { rankedTrials } from '../display/result.js'
import type { MasterEnd } from '../master/master.js'
import { Draws, streams } from '../space/draws.js'
import type { ParameterRecord } from '../space/parameter.js'
import { checkSpace, type Params } from '../space/space.js'
import { bestFileOf } from '../worker/best-file.js'
import { beginNew } from '../worker/pick.js'
import { Search } from '../worker/search.js'
import { AskedTrial } from './asked-trial.js'
import { type OptimizeOptions, optimize, readOptimize, type StudyParts } from './optimize.js'
import { type StudyTrial, studyTrial } from './study-trial.js'

/** A model's file, and how good it was. */
export interface StudyFile {
  readonly file: string
  readonly score: number
  readonly trial: number
  readonly epoch: number
}

/** What a final test is given. */
export interface FinalTest {
  readonly model: Model
  readonly params: Params
  readonly trial: number
}

/** Made by {@link createStudy} and {@link openStudy}. */
export class Study {
  readonly #parts: StudyParts
  #search: Search | null = null
  #beats: Beats | null = null

  /** @internal */
  constructor(parts: StudyParts) {
    this.#parts = parts
  }

  /** The study's folder. */
  get dir(): string {
    return this.#parts.reader.path
  }

  /** What `study.json` says. */
  get description(): StudyDescription {
    return this.#parts.reader.study
  }

  /** As they are now, by number. */
  async trials(): Promise<StudyTrial[]> {
    return (await this.#trials()).map(studyTrial)
  }

  /** The complete trial with the best value; null as long as there is none. */
  async best(): Promise<StudyTrial | null> {
    const [best] = rankedTrials(await this.#trials(), this.description.direction)
    return best ? studyTrial(best) : null
  }

  /**
   * Trains until all trials have ended, or the signal fires. It goes on with what is there, whoever has begun it.
   *
   * @returns `'done'`, `'exhausted'` where a finite space has no other parameters, `'paused'` by the signal, or `'crashed'`
   * @throws `GRADUS_SEARCH_FAILED` with the first text where the first five trials fail; `GRADUS_BAD_FILE`; with a queue
   * `GRADUS_NO_QUEUE` where its server does not answer or is unfit, and `GRADUS_MISSING_PACKAGE`
   */
  async optimize(options: OptimizeOptions = {}): Promise<MasterEnd> {
    const definition = this.#needDefinition('optimize')
    const { trials, ...read } = readOptimize(options)
    if (trials !== undefined) await this.#plan(trials)
    return await optimize({ ...this.#parts, definition }, read)
  }

  /**
   * The next trial, for who trains by himself; null when all have been begun, or a finite space has no other parameters.
   *
   * @example
   * for (let trial = await study.ask(); trial; trial = await study.ask()) await trial.tell(objective(trial.params))
   */
  async ask(): Promise<AskedTrial | null> {
    const definition = this.#needDefinition('ask')
    this.#beats ??= new Beats()
    this.#search ??= await Search.open(this.dir, definition, { allowChanged: true })
    const picker = { search: this.#search, beats: this.#beats, worker: 'asked' }
    for (;;) {
      await this.#search.refresh()
      await this.#search.refreshPlan()
      const begun = await beginNew(picker)
      if (typeof begun === 'object') return new AskedTrial(this.#search, begun)
      if (begun === 'done' || begun === 'exhausted') return null
      if (begun === 'wait') await setTimeout(50)
    }
  }

  /** Puts a trial with these parameters before all others, into the stage that the study is at; gives its number. @throws `GRADUS_INVALID_ARGUMENT` */
  async enqueue(params: Params): Promise<number> {
    const { space: planned } = await readPlan(this.dir, this.description)
    const space = checkSpace((planned ?? this.description.space) as unknown as ParameterRecord)
    const checked = space.params(space.point(params)) as JsonObject
    for (;;) {
      const number = ((await this.#trials()).at(-1)?.number ?? -1) + 1
      const seed = new Draws(this.description.seed, number, streams.training).below(2 ** 31)
      const stage = 1 + (await readStages(this.dir)).length
      const suggestion = { params: checked, seed, stage, suggestedBy: 'person', results: [] }
      if (await enqueueTrial(this.dir, number, suggestion, { worker: 'person', budget: null })) return number
    }
  }

  /** Files of the best trials, best first, as `ensemble.fromFiles` takes them. */
  async topFiles(count: number): Promise<StudyFile[]> {
    checkPositiveInteger('count', count)
    const { direction, metric } = this.description
    const files: StudyFile[] = []
    for (const trial of rankedTrials(await this.#trials(), direction)) {
      if (files.length === count) break
      const found = await bestFileOf(trial, metric)
      if (found) files.push({ file: found.path, score: found.value, trial: trial.number, epoch: found.epoch })
    }
    return files
  }

  /** The best models, best first. @throws `GRADUS_BAD_FILE` where no trial keeps a checkpoint */
  async topModels(count: number, options?: LoadOptions): Promise<Model[]> {
    const files = await this.topFiles(count)
    if (files.length === 0) {
      const message = `${this.dir}: no complete trial keeps a checkpoint; those that train by fit do, of the ten best`
      throw new GradusError('GRADUS_BAD_FILE', message)
    }
    return await Promise.all(files.map(({ file }) => loadModel(file, options)))
  }

  /** The model of the best trial's best epoch. @throws as {@link topModels} */
  async bestModel(options?: LoadOptions): Promise<Model> {
    return (await this.topModels(1, options))[0]!
  }

  /**
   * The score on test data of the best trial: taken once in a study's life, as every further look makes validation data of them.
   *
   * @throws `GRADUS_INVALID_ARGUMENT` the second time, with the score of the first
   * @example await study.finalTest(async ({ model }) => (await model.evaluate(test)).accuracy)
   */
  async finalTest(score: (best: FinalTest) => number | Promise<number>): Promise<number> {
    const path = join(this.dir, 'test.json')
    const before = await readFile(path, 'utf8').catch(() => null)
    if (before !== null) throw takenBefore(before)
    const [best] = rankedTrials(await this.#trials(), this.description.direction)
    const model = await this.bestModel()
    const value = await score({ model, params: best!.suggestion!.params, trial: best!.number })
    if (typeof value !== 'number') throw invalidArgument('score', 'a function that gives a number', value)
    const text = `${JSON.stringify({ value, trial: best!.number, time: new Date().toISOString() })}\n`
    if (!(await placeFile(path, (file) => file.writeFile(text)))) throw takenBefore(await readFile(path, 'utf8'))
    return value
  }

  /** Ends a trial: a running one when its worker hears of it. @throws `GRADUS_INVALID_ARGUMENT` where there is none */
  async stop(number: number, why = 'a person'): Promise<void> {
    await stopTrial(await this.#trial(number), { by: 'person', why })
  }

  /** Has a trial wait for a worker again that has ended. @throws as {@link stop} */
  async retry(number: number): Promise<void> {
    await retryEnded(await this.#trial(number))
  }

  /** Lets go of what `ask` holds. */
  async close(): Promise<void> {
    await this.#beats?.close()
    this.#beats = null
    this.#search = null
  }

  async #trials(): Promise<readonly Trial[]> {
    await this.#parts.reader.refresh({ all: true })
    return this.#parts.reader.trials
  }

  async #trial(number: number): Promise<Trial> {
    const trial = (await this.#trials()).find((one) => one.number === number)
    if (trial) return trial
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `number: there is no trial ${number} in ${this.dir}`)
  }

  async #plan(trials: number): Promise<void> {
    for (;;) {
      const plan = await readPlan(this.dir, this.description)
      if (trials <= plan.trials || (await makePlan(this.dir, plan, { trials, space: plan.space }))) return
    }
  }

  #needDefinition(call: string): StudyDefinition {
    const { definition } = this.#parts
    if (definition !== null) return definition
    const message = `${call}: ${this.dir} was opened to look at it; createStudy(definition, { dir }) goes on with it`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
}

function takenBefore(text: string): GradusError {
  const message = `finalTest: it was taken before, and is not taken again: ${text.trim()}`
  return new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

export interface CreateStudyOptions {
  /** The study's folder, made where there is none. */
  dir: string
  /** Whether the study's file may have changed since. Default false. */
  allowChanged?: boolean | undefined
  /** Whether another space takes the place of the folder's; trials that fit it count. Default false. */
  extend?: boolean | undefined
}

const readCreate = optionsOf<CreateStudyOptions>()(
  'createStudy',
  {
    dir: needed(checkPath),
    allowChanged: [checkBoolean, false],
    extend: [checkBoolean, false],
  },
  ['definition'],
)

/** The options as read. */
export const checkCreateOptions = (
  options: CreateStudyOptions,
): { dir: string; allowChanged: boolean; extend: boolean } => readCreate(options)
