/**
 * A trial that has ended, as a master's cache has it: its numbers are at hand, its records are read when somebody asks for one. The
 * numbers of ten thousand are there in the time that the records of a few hundred take.
 */
import { parseObject } from '../json.js'
import { trialPath } from './layout.js'
import { type Change, changeOf, type EndState } from './records.js'
import { readTrial, type Trial, trialOf } from './trial.js'
import { at, epochsIn, parametersIn, type Row, recordsIn, stateIn, valuesIn, wordIn, workerIn } from './trial-row.js'
import { Fields, isObject, type Json, type JsonObject } from './values.js'

export class CachedTrial implements Trial {
  readonly number: number
  readonly state: EndState
  readonly next: number
  readonly problem = null
  readonly #study: string
  /** Either of them: where the records of all have been read, the file's bytes are needed no more. */
  #row: Row | null
  #read: Trial | null = null

  /** @param row - one that is sound */
  constructor(row: Row) {
    this.number = wordIn(row, at.number)
    this.state = stateIn(row)
    this.next = wordIn(row, at.next)
    this.#study = row.rows.path
    this.#row = row
  }

  get path(): string {
    return trialPath(this.#study, this.number)
  }

  get stage(): number {
    return this.#row ? wordIn(this.#row, at.stage) : this.#records.stage
  }

  get epoch(): number {
    return this.#row ? wordIn(this.#row, at.epoch) : this.#records.epoch
  }

  get value(): number {
    return this.#row ? wordIn(this.#row, at.value) : this.#records.value
  }

  get begunAt(): number {
    return this.#row ? wordIn(this.#row, at.begunAt) : this.#records.begunAt
  }

  get changedAt(): number {
    return this.#row ? wordIn(this.#row, at.changedAt) : this.#records.changedAt
  }

  get worker(): string {
    return this.#row ? workerIn(this.#row) : this.#records.worker
  }

  get epochs(): readonly number[] {
    return this.#row ? epochsIn(this.#row) : this.#records.epochs
  }

  get values(): readonly number[] {
    return this.#row ? valuesIn(this.#row) : this.#records.values
  }

  get suggestion(): Trial['suggestion'] {
    return this.#records.suggestion
  }

  get claim(): Trial['claim'] {
    return this.#records.claim
  }

  get last(): Trial['last'] {
    return this.#records.last
  }

  get takeovers(): number {
    return this.#records.takeovers
  }

  get changes(): Trial['changes'] {
    return this.#records.changes
  }

  putNumbers(key: string, into: Float64Array): boolean {
    if (this.#row?.rows.key !== key || this.#row.rows.parameters !== into.length) return false
    parametersIn(this.#row, into)
    return true
  }

  get #records(): Trial {
    this.#read ??= this.#readRecords(this.#row!)
    this.#row = null
    return this.#read
  }

  #readRecords(row: Row): Trial {
    const { number, path, next } = this
    try {
      const changes = changesOf(recordsIn(row), path)
      const told = { highest: next - 1, problem: null, curve: { epochs: epochsIn(row), values: valuesIn(row) } }
      const trial = trialOf({ number, path }, changes, told)
      if (trial.suggestion !== null && trial.state === this.state) return trial
    } catch {
      // Nothing of ours: its folder says it.
    }
    return readTrial(number, path)
  }
}

function changesOf(text: string, where: string): Map<number, Change> {
  const fields = Fields.of(parseObject(text, where) as JsonObject, where, ['changes'])
  return new Map(fields.list('changes').map((entry) => changeIn(entry, where)))
}

function changeIn(entry: Json, where: string): [number, Change] {
  const [number, change] = Array.isArray(entry) ? entry : []
  if (!Number.isSafeInteger(number) || !isObject(change)) throw new SyntaxError('it is no change')
  return [number, changeOf(Fields.of(change, where))]
}
