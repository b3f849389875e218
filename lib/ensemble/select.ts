import { inspect } from 'node:util'
import { checkPositiveInteger, checkSeed } from '../checks.js'
import { permutation } from '../data/random.js'
import type { Data } from '../data/stream.js'
import { GradusError, invalidArgument } from '../errors.js'
import type { AskedMetric } from '../model/compile.js'
import type { Model } from '../model/model.js'
import { anything, optionsOf } from '../options.js'
import { passRules } from '../train/calls.js'
import type { EvaluateOptions } from '../train/evaluate.js'
import { short } from '../words.js'
import { Ensemble } from './ensemble.js'
import { baggedCounts, type Library, mostPicked, worthOf } from './greedy.js'
import { type Held, holdOut, rowsOfHeld } from './held.js'
import { judged, yardstick } from './scorer.js'

export interface SelectOptions extends EvaluateOptions {
  /** Members of the result at most, and picks in each bag. Default 10. */
  size?: number | undefined
  /** Each bag begins with at most so many of its best, as many as are best together. Default 5. */
  start?: number | undefined
  /** Picked in so many bags of some of the members each; weights are how often. Default 20. */
  bags?: number | undefined
  /** The share of the members in a bag, up to 1. Default 0.5. */
  fraction?: number | undefined
  /** Of the bags and of the halves of the data. Default 0. */
  seed?: number | undefined
  /** What is to be best: `'loss'`, which of probabilities is minus the log-likelihood, or a metric. Default `'loss'`. */
  metric?: AskedMetric | 'loss' | undefined
  /** Data to report on; all of `data` then chooses. Default: a half of the rows, by the seed, chooses, the other reports. */
  test?: Data | undefined
}

const readOptions = optionsOf<SelectOptions>()(
  'select',
  {
    size: [checkPositiveInteger, 10],
    start: [checkPositiveInteger, 5],
    bags: [checkPositiveInteger, 20],
    fraction: [checkWholeShare, 0.5],
    seed: [checkSeed, 0],
    metric: [anything<AskedMetric | 'loss'>, 'loss'],
    test: anything<Data>,
    ...passRules,
  },
  ['ensemble', 'data'],
)

function checkWholeShare(argument: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 1) return value
  throw invalidArgument(argument, 'a number over 0, up to 1', value)
}

/** What {@link select} has chosen, and how good it is on rows that did not choose it. Prints as a sentence. */
export class Selection {
  /** The chosen members, weighted by how often they were picked. They belong to whom they belonged before. */
  readonly ensemble: Ensemble
  /** Which they are among those given, and how often each was picked; most often first. */
  readonly members: readonly { readonly index: number; readonly count: number }[]
  /** What they were compared by, and whether large or small values are good. */
  readonly metric: string
  readonly better: 'larger' | 'smaller'
  /** Of the selection on the rows that it was chosen by. */
  readonly chosenScore: number
  /** Of the selection on the others; likewise of the member that was best where they were chosen, and of all members together. */
  readonly score: number
  readonly bestMemberScore: number
  readonly allScore: number
  /** How many rows chose, and how many the scores are of. */
  readonly chosenOn: number
  readonly reportedOn: number

  /** @internal */
  constructor(found: Omit<Selection, 'toString' | typeof inspect.custom>) {
    this.ensemble = found.ensemble
    this.members = found.members
    this.metric = found.metric
    this.better = found.better
    this.chosenScore = found.chosenScore
    this.score = found.score
    this.bestMemberScore = found.bestMemberScore
    this.allScore = found.allScore
    this.chosenOn = found.chosenOn
    this.reportedOn = found.reportedOn
  }

  toString(): string {
    const { members, metric } = this
    const others = `best member ${short(this.bestMemberScore)}, all together ${short(this.allScore)}`
    const rows = `${this.reportedOn} rows, chosen by ${this.chosenOn} others`
    return `Selection(${members.length} members, ${metric} ${short(this.score)} on ${rows}; ${others})`
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

/** See `select` of the index. */
export async function select(
  from: Ensemble | readonly Model[],
  data: Data,
  options: SelectOptions = {},
): Promise<Selection> {
  const whole = from instanceof Ensemble ? from : new Ensemble(from)
  const { members, combine } = whole
  const { size, metric, test, bags, fraction, start, seed, ...pass } = readOptions(options)
  const by = yardstick(members, metric)
  const [choosing, reporting] = await halves(members, data, test, seed, pass)
  const chooser = judged(choosing, combine, by)
  const reporter = judged(reporting, combine, by)
  try {
    const counts = await baggedCounts(chooser, { bags, fraction, seed, picks: size, start })
    const picked = mostPicked(counts, size)
    const together = picked.flatMap(({ index, count }) => new Array<number>(count).fill(index))
    const all = members.map((_, index) => index)
    const best = await bestOf(chooser, all)
    const score = async (of: typeof chooser, some: readonly number[]) => of.value(await worthOf(of, some))
    return new Selection({
      ensemble: new Ensemble(
        picked.map(({ index }) => members[index]!),
        { combine, weights: picked.map(({ count }) => count) },
      ),
      ...{ members: picked, metric: by.name, better: by.better },
      ...{ chosenScore: await score(chooser, together), score: await score(reporter, together) },
      ...{ bestMemberScore: await score(reporter, [best]), allScore: await score(reporter, all) },
      ...{ chosenOn: choosing.rows, reportedOn: reporting.rows },
    })
  } finally {
    chooser.dispose()
    reporter.dispose()
  }
}

async function bestOf(library: Library, members: readonly number[]): Promise<number> {
  let best = { member: 0, worth: Number.NEGATIVE_INFINITY }
  for (const member of members) {
    const worth = await worthOf(library, [member])
    if (worth > best.worth) best = { member, worth }
  }
  return best.member
}

type Pass = Parameters<typeof holdOut>[2]

/** The rows that choose and those that report. */
async function halves(
  members: readonly Model[],
  data: Data,
  test: Data | undefined,
  seed: number,
  pass: Pass,
): Promise<[Held, Held]> {
  const held = await holdOut(members, data, pass)
  if (test !== undefined) return [held, await holdOut(members, test, pass, 'test')]
  if (held.rows < 2) {
    const message = `data: expected at least 2 examples, a half to choose by and a half to report on, received ${held.rows}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const order = permutation(held.rows, seed)
  const half = Math.ceil(held.rows / 2)
  return [rowsOfHeld(held, order.subarray(0, half)), rowsOfHeld(held, order.subarray(half))]
}
