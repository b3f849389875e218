/** What a trial has of a space's parameters, as numbers in their order. */
import { createHash } from 'node:crypto'
import { parametersOf, type StudyParameter } from './parameters.js'
import type { Trial } from './trial.js'
import type { JsonObject } from './values.js'

/** A space laid flat. */
export interface FlatSpace {
  /** Spaces of one key are the same. */
  readonly key: string
  readonly parameters: readonly StudyParameter[]
}

export const flatSpace = (space: JsonObject): FlatSpace => ({
  key: createHash('sha256').update(JSON.stringify(space)).digest('hex'),
  parameters: parametersOf(space),
})

/** Puts a number a parameter there, as its `read` gives it. */
export function putNumbers(trial: Trial, { key, parameters }: FlatSpace, into: Float64Array): void {
  if (trial.putNumbers?.(key, into)) return
  const { suggestion } = trial
  for (const [i, { read }] of parameters.entries()) into[i] = suggestion ? read(suggestion.params) : Number.NaN
}
