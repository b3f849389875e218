/** The data of one call of `fit`: opened, and what they mean settled with the model. */
import { type Conventions, sameClasses } from '../data/conventions.js'
import { someOf } from '../data/labels.js'
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import { adaptFirst } from './adapt.js'
import { resolveClassWeights } from './class-weights.js'
import type { FitSettings } from './options.js'
import { openSource, requirementsOf, type Source, splitSource } from './source.js'
import type { TrainTarget } from './target.js'

/** The other one of two examples is any row of the epoch. */
function checkMixing({ rows }: Source, { augment }: FitSettings): void {
  const mixing = augment?.find(({ mixes }) => mixes)
  if (rows !== null || !mixing) return
  const message = `augment: expected data in memory beside ${mixing.call[0]}, received a stream`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

export class FitData {
  readonly #target: TrainTarget
  readonly #settings: FitSettings
  readonly #signal: AbortSignal
  /** What the data mean: the model's copied, and what these data settle. */
  readonly #conventions: Conventions
  #validationConventions: Conventions = {}
  readonly #opened: Source[] = []

  constructor(target: TrainTarget, settings: FitSettings, signal: AbortSignal) {
    this.#target = target
    this.#settings = settings
    this.#signal = signal
    this.#conventions = { ...target.conventions }
  }

  /** The sources of training and validation. */
  async open(data: Data): Promise<[Source, Source | null]> {
    const { validation, validationSplit } = this.#settings
    const training = await this.#open(data, this.#conventions)
    checkMixing(training, this.#settings)
    if (validationSplit !== undefined) return await splitSource(training, validationSplit)
    this.#validationConventions = { ...this.#conventions }
    if (validation === undefined) return [training, null]
    return [training, await this.#open(validation, this.#validationConventions, 'validation')]
  }

  async #open(data: Data, conventions: Conventions, argument?: string): Promise<Source> {
    const settles = conventions === this.#conventions
    const needs = { ...requirementsOf(this.#target), conventions, settles, argument }
    const source = await openSource(data, needs, this.#signal)
    this.#opened.push(source)
    if (source.rows !== 0) return source
    const message = `${argument ?? 'data'}: expected at least one example, received none`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }

  /** The model keeps what its training data mean. Of a stream that is known once its first piece is there. */
  async settle(training: Source): Promise<void> {
    const { classes } = this.#conventions
    const { classes: others = classes } = this.#validationConventions
    if (classes && others && !sameClasses(classes, others)) {
      const lists = `${someOf(classes)}, received ${someOf(others)}`
      throw new GradusError(
        'GRADUS_INVALID_ARGUMENT',
        `validation: expected the classes of the training data, ${lists}`,
      )
    }
    Object.assign(this.#target.conventions, this.#conventions)
    const { givenClassWeights } = this.#settings
    const signal = this.#signal
    await adaptFirst(this.#target, training, { signal })
    this.#settings.classWeights = await resolveClassWeights(this.#target, givenClassWeights, training, signal)
  }

  /** Of a run that goes on: what its data have meant so far. */
  adopt(conventions: Conventions): void {
    Object.assign(this.#conventions, conventions)
    Object.assign(this.#target.conventions, conventions)
  }

  close(): void {
    for (const source of this.#opened) source.close()
  }
}
