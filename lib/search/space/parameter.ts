/** What a search may vary, in plain data: a file holds a space as these objects. */
import type { Json } from '../../call.js'

/** How far a range may be widened where the best value found lies at its border. */
export interface Limits {
  /**
   * The range never goes below. Default: a range of numbers that are not negative stays so, one of positive integers stays
   * at 1 and above; else there is no limit.
   */
  least?: number | undefined
  /** The range never goes above. Default: 0 where no number of the range is positive; else there is no limit. */
  most?: number | undefined
}

export interface UniformOptions extends Limits {
  /** Only low, low + step, low + 2·step, … as a person would write them; high must be one of them. Default: all numbers. */
  step?: number | undefined
}

export interface IntegerOptions extends Limits {
  /**
   * Each k has the share of [k − ½, k + ½] in the logarithm: 1 to 10 are as likely as 10 to 100. From 1 up, and without
   * `step`. Default false.
   */
  log?: boolean | undefined
  /** Only low, low + step, low + 2·step, …; high must be one of them. Default 1. */
  step?: number | undefined
}

export interface Range {
  readonly low: number
  readonly high: number
  readonly least?: number
  readonly most?: number
}
/** Made by {@link uniform}. */
export interface UniformParameter extends Range {
  readonly kind: 'uniform'
  readonly step?: number
}
/** Made by {@link logUniform}. */
export interface LogUniformParameter extends Range {
  readonly kind: 'logUniform'
}
/** Made by {@link integer}. */
export interface IntegerParameter extends Range {
  readonly kind: 'integer'
  readonly step?: number
  readonly log?: boolean
}
/** Made by {@link choice} of a list of values. */
export interface ChoiceParameter<Value extends Json = Json> {
  readonly kind: 'choice'
  readonly values: readonly Value[]
}
/** Made by {@link choice} of branches, each of which has parameters of its own. */
export interface BranchesParameter<Branches extends BranchRecord = BranchRecord> {
  readonly kind: 'branches'
  readonly branches: Branches
}
export type Parameter =
  | UniformParameter
  | LogUniformParameter
  | IntegerParameter
  | ChoiceParameter
  | BranchesParameter<BranchRecord>

/** Parameters by their names. */
export interface ParameterRecord {
  readonly [name: string]: Parameter
}
/** The parameters of each branch, by the branch's name. */
export interface BranchRecord {
  readonly [branch: string]: ParameterRecord
}

/** How far a range may be widened, the defaults of {@link Limits} resolved: infinite where there is no limit. */
export function limitsOf({
  kind,
  low,
  high,
  least,
  most,
  ...rest
}: Exclude<Parameter, ChoiceParameter | BranchesParameter>): {
  least: number
  most: number
} {
  const isPositive = kind === 'logUniform' || ('log' in rest && rest.log === true)
  const floor = kind === 'integer' && low >= 1 ? 1 : low >= 0 ? 0 : Number.NEGATIVE_INFINITY
  return {
    // No widening on a logarithm comes to 0, and no integer on one below 1.
    least: least ?? (isPositive && kind !== 'integer' ? Number.MIN_VALUE : floor),
    most: most ?? (high <= 0 ? 0 : Number.POSITIVE_INFINITY),
  }
}
