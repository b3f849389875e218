/** Metrics of how often each class was right, was chosen, and both: counted once for all of them. */
import { callOf, factory } from '../call.js'
import { checkNotNegativeInteger, checkOneOf } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { optionsOf } from '../options.js'
import type { Metric, Outputs } from './metric.js'

export interface AverageOptions {
  /**
   * `'macro'` (default): the mean over the classes, each counting the same; classes that are neither right nor chosen in any
   * example are left out. `'weighted'`: the mean over the classes by how many examples each has. `'micro'`: of the counts of
   * all classes together.
   */
  average?: 'macro' | 'micro' | 'weighted' | undefined
  /** Of this class alone, from 0; of several yes-or-no outputs of this output. Instead of `average`. */
  class?: number | undefined
}

/** As in history: `precision`, `microPrecision`, `weightedPrecision`, `precisionOfClass2`. */
export type AveragedName<Name extends string, Options extends AverageOptions> = Options extends {
  class: infer Class extends number
}
  ? `${Name}OfClass${Class}`
  : Options extends { average: infer Average extends 'micro' | 'weighted' }
    ? `${Average}${Capitalize<Name>}`
    : Name

/** Σ weight where the class is right, where it was chosen, where both, and of all examples. */
interface Counts {
  readonly right: number
  readonly chosen: number
  readonly both: number
  readonly all: number
}

/** 0 / 0 counts as 0, as in scikit-learn. */
const share = (part: number, whole: number): number => (whole > 0 ? part / whole : 0)
const precisionOf = ({ both, chosen }: Counts) => share(both, chosen)
const recallOf = ({ both, right }: Counts) => share(both, right)
const f1Of = ({ both, right, chosen }: Counts) => share(2 * both, right + chosen)
const specificityOf = ({ both, right, chosen, all }: Counts) =>
  share(Math.max(0, all - right - chosen + both), all - right)

/**
 * Of the examples taken for a class the share that are of it: true positives / (true + false positives). The mean over the
 * classes unless `average` or `class` says otherwise; of a single yes-or-no output that of yes. 0 for a class never chosen.
 *
 * @example metrics: ['precision', precision({ average: 'micro' }), precision({ class: 3 })]
 * @function
 */
export const precision = factory(
  'precision',
  1,
  <const Options extends AverageOptions = Record<never, never>>(options?: Options) =>
    averaged('precision', precisionOf, options),
)

/**
 * Of the examples of a class the share that were taken for it: its sensitivity. Options as of {@link precision}.
 * @function
 */
export const recall = factory(
  'recall',
  1,
  <const Options extends AverageOptions = Record<never, never>>(options?: Options) =>
    averaged('recall', recallOf, options),
)

/** The harmonic mean of precision and recall of a class. Options as of {@link precision}. @function */
export const f1 = factory('f1', 1, <const Options extends AverageOptions = Record<never, never>>(options?: Options) =>
  averaged('f1', f1Of, options),
)

/**
 * Of the examples that are not of a class the share that were not taken for it. Options as of {@link precision}.
 * @function
 */
export const specificity = factory(
  'specificity',
  1,
  <const Options extends AverageOptions = Record<never, never>>(options?: Options) =>
    averaged('specificity', specificityOf, options),
)

const counted = { descriptor: { kind: 'class_counts' }, fits: ['classes', 'answers'], better: 'larger' } as const

/**
 * The mean over the classes that have examples of the share of them that are right: each class counts the same, however
 * rare it is. Of yes-or-no outputs the classes are yes and no, and it is the mean over the outputs.
 * @function
 */
export const balancedAccuracy = factory(
  'balancedAccuracy',
  0,
  (): Metric<'balancedAccuracy', number> => ({
    ...counted,
    call: callOf('balancedAccuracy'),
    name: 'balancedAccuracy',
    finish(sums, outputs) {
      const counts = countsOf(sums)
      if (outputs === 'classes' && counts.length > 1)
        return meanOf(counts.filter(({ right }) => right > 0).map(recallOf))
      return meanOf(counts.map(bothSides))
    },
  }),
)

function bothSides(counts: Counts): number {
  const { right, all } = counts
  return meanOf([...(right > 0 ? [recallOf(counts)] : []), ...(right < all ? [specificityOf(counts)] : [])])
}

const readOptions = optionsOf<AverageOptions>()('precision', {
  average: (argument, value) =>
    value === undefined ? value : checkOneOf(argument, value, ['macro', 'micro', 'weighted'] as const),
  class: (argument, value) => (value === undefined ? value : checkNotNegativeInteger(argument, value)),
})

function averaged<Name extends string, const Options extends AverageOptions>(
  name: Name,
  of: (counts: Counts) => number,
  options?: Options,
): Metric<AveragedName<Name, Options>, number> {
  const { average = 'macro', class: one } = readOptions(options, name)
  if (one !== undefined && options?.average !== undefined) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `${name}: expected average or class, received both`)
  }
  const capital = name.charAt(0).toUpperCase() + name.slice(1)
  const called = one !== undefined ? `${name}OfClass${one}` : average === 'macro' ? name : `${average}${capital}`
  return {
    ...counted,
    call: options ? callOf(name, options) : callOf(name),
    name: called as AveragedName<Name, Options>,
    check(argument, { outputs, size }) {
      if (one === undefined || one < size) return
      const what = outputs === 'classes' ? 'classes' : 'outputs'
      throw invalidArgument(`${argument}.class`, `one of the ${size} ${what}, from 0 to ${size - 1}`, one)
    },
    finish(sums, outputs) {
      const counts = countsOf(sums)
      return one === undefined ? averageOf[average](counts, of, outputs) : of(counts[one]!)
    },
  }
}

const averageOf = {
  macro: (counts: Counts[], of: (counts: Counts) => number, outputs: Outputs) =>
    meanOf((outputs === 'classes' ? counts.filter(({ right, chosen }) => right > 0 || chosen > 0) : counts).map(of)),
  weighted: (counts: Counts[], of: (counts: Counts) => number) =>
    share(
      counts.reduce((sum, one) => sum + one.right * of(one), 0),
      counts.reduce((sum, one) => sum + one.right, 0),
    ),
  micro: (counts: Counts[], of: (counts: Counts) => number) => {
    const sum = (key: keyof Counts) => counts.reduce((total, one) => total + one[key], 0)
    return of({ right: sum('right'), chosen: sum('chosen'), both: sum('both'), all: sum('all') })
  },
}

const meanOf = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** sums: Σ weight; then for each class three. */
function countsOf(sums: Float64Array): Counts[] {
  return Array.from({ length: (sums.length - 1) / 3 }, (_, i) => {
    const [right, chosen, both] = sums.subarray(1 + 3 * i, 4 + 3 * i)
    return { right: right!, chosen: chosen!, both: both!, all: sums[0]! }
  })
}
