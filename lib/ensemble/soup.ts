import { oneOf } from '../checks.js'
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import { formatShape, sameShape } from '../layers/shape.js'
import { Model } from '../model/model.js'
import type { Weights } from '../model/weights.js'
import { anything, optionsOf, unknownName } from '../options.js'
import { passRules } from '../train/calls.js'
import type { EvaluateOptions } from '../train/evaluate.js'
import { recomputeStatistics, statisticsOf } from '../train/statistics.js'
import { short } from '../words.js'
import { checkNotTraining } from './held.js'
import { checkMembers, conventionsOf, programsOf } from './members.js'
import { SharedData } from './shared-data.js'

export interface SoupOptions extends EvaluateOptions {
  /**
   * `'greedy'`, the default: from the best member on, each that does not make the mean worse on the data. `'uniform'`: the mean of
   * all.
   */
  kind?: 'greedy' | 'uniform' | undefined
  /** By what means are compared: `'loss'`, the default, or one of the members' metrics by its name. */
  metric?: string | undefined
  /**
   * What the members were trained on; inputs are enough. Needed with {@link batchNorm} alone, whose statistics are made anew over it:
   * a mean of them is none of the mean's.
   */
  statistics?: Data | undefined
}

const readOptions = optionsOf<SoupOptions>()(
  'soup',
  {
    kind: [oneOf('greedy', 'uniform'), 'greedy'],
    metric: [anything<string>, 'loss'],
    statistics: anything<Data | undefined>,
    ...passRules,
  },
  ['members', 'data'],
)

/** See `soup` of the index. */
export async function soup(members: readonly Model[], data: Data, options: SoupOptions = {}): Promise<Model> {
  const { kind, metric, statistics, ...pass } = readOptions(options)
  const models = checkMembers(members) as readonly Model[]
  checkSameNetwork(models)
  checkStatistics(models[0]!, statistics)
  const by = yardstickOf(models[0]!, metric)
  const shared = new SharedData()
  try {
    const held = shared.of(data, 'data')
    const seen = statistics === undefined ? undefined : shared.of(statistics, 'statistics')
    const score = async (model: Model) => (await model.evaluate(held, pass))[metric] as number
    const alone: number[] = []
    for (const model of models) alone.push(await score(model))
    const cook = async (parts: readonly number[]): Promise<Soup> => {
      const model = await meanOf(
        parts.map((part) => models[part]!),
        models,
        seen,
        pass,
      )
      return { model, parts, score: await score(model).catch((error) => disposed(model, error)) }
    }
    const kitchen: Kitchen = { alone, cook, isWorse: by.isWorse, metric }
    return (await (kind === 'uniform' ? uniform(kitchen) : greedy(kitchen))).model
  } finally {
    shared.dispose()
  }
}

interface Soup {
  readonly model: Model
  /** Numbers of the members, rising. */
  readonly parts: readonly number[]
  readonly score: number
}

interface Kitchen {
  /** The score of each member. */
  readonly alone: readonly number[]
  readonly metric: string
  cook(parts: readonly number[]): Promise<Soup>
  isWorse(score: number, than: number): boolean
}

async function uniform({ alone, metric, cook, isWorse }: Kitchen): Promise<Soup> {
  const best = ranked(alone, isWorse)[0]!
  const soup = await cook([...alone.keys()])
  if (!isWorse(soup.score, alone[best]!)) return soup
  soup.model.dispose()
  const mean = `the mean of the weights of ${alone.length} members has ${metric} ${short(soup.score)} on the data`
  throw worse(`${mean}, and its best part, members[${best}], ${short(alone[best]!)}`)
}

/** Wortsman et al. 2022, recipe 1. */
async function greedy({ alone, metric, cook, isWorse }: Kitchen): Promise<Soup> {
  const [best, ...others] = ranked(alone, isWorse) as [number, ...number[]]
  let soup = { ...(await cook([best])), score: alone[best]! }
  let refused: { other: number; score: number } | null = null
  for (const other of others) {
    const next = await cook([...soup.parts, other].sort((a, b) => a - b)).catch((error) => disposed(soup.model, error))
    const isRefused = isWorse(next.score, soup.score)
    ;(isRefused ? next : soup).model.dispose()
    if (!isRefused) soup = next
    else if (refused === null || isWorse(refused.score, next.score)) refused = { other, score: next.score }
  }
  if (soup.parts.length > 1 || refused === null) return soup
  soup.model.dispose()
  const mean = `members[${best}] alone has ${metric} ${short(soup.score)} on the data`
  throw worse(`${mean}, and its mean with members[${refused.other}], the best there is, ${short(refused.score)}`)
}

function worse(numbers: string): GradusError {
  const why = 'weights can be averaged where one run, or one beginning, has led to them'
  return new GradusError('GRADUS_WORSE_SOUP', `soup: ${numbers}; ${why}; ensemble(members) averages predictions`)
}

/** Best first; of equal ones the first. */
const ranked = (alone: readonly number[], isWorse: Kitchen['isWorse']): number[] =>
  [...alone.keys()].sort(
    (a, b) => Number(isWorse(alone[a]!, alone[b]!)) - Number(isWorse(alone[b]!, alone[a]!)) || a - b,
  )

function disposed(model: Model, error: unknown): never {
  model.dispose()
  throw error
}

/** A model of its own, whose weights are the means of these in float64. */
async function meanOf(
  parts: readonly Model[],
  all: readonly Model[],
  statistics: Data | undefined,
  pass: EvaluateOptions,
): Promise<Model> {
  const [first] = parts as [Model]
  const { network, compiled } = first.parts()
  const model = new Model(network, { initialize: false, metadata: first.metadata })
  try {
    model.compile(compiled!)
    model.setWeights(meanWeights(parts.map((part) => part.getWeights())))
    Object.assign(model.conventions, conventionsOf(all))
    // A mean of one is that one.
    if (statistics !== undefined && parts.length > 1) await recomputeStatistics(model, statistics, pass)
    return model
  } catch (error) {
    return disposed(model, error)
  }
}

function meanWeights(parts: readonly Weights[]): Weights {
  const [first] = parts as [Weights]
  const means = Object.entries(first).map(([name, { shape, data }]) => {
    const mean = new Float64Array(data.length)
    for (const part of parts) {
      const { data } = part[name]!
      for (let i = 0; i < mean.length; i++) mean[i]! += data[i]!
    }
    return [name, { shape, data: mean.map((sum) => sum / parts.length) }]
  })
  return Object.fromEntries(means)
}

/** Weights of the same names stand for the same only in the same network. */
function checkSameNetwork(models: readonly Model[]): void {
  checkNotTraining(programsOf(models))
  const [first, ...others] = models.map((model) => model.parts().lowered.descriptor)
  const planOf = ({ nodes, output }: NonNullable<typeof first>) => JSON.stringify([nodes, output])
  for (const [i, other] of others.entries()) {
    const place = `members[${i + 1}]: expected the network of members[0]`
    const differing = [...first!.parameters, ...other.parameters].find(({ name }) => {
      const [one, two] = [first!, other].map(({ parameters }) =>
        parameters.find((parameter) => parameter.name === name),
      )
      return !one || !two || !sameShape(one.shape, two.shape)
    })
    if (differing) {
      const of = other.parameters.find(({ name }) => name === differing.name)
      const received = of ? `one with ${of.name} of ${formatShape(of.shape)}` : `one without ${differing.name}`
      throw new GradusError('GRADUS_SHAPE_MISMATCH', `${place}, whose weights are averaged, received ${received}`)
    }
    if (planOf(first!) === planOf(other)) continue
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `${place}, received one with other layers`)
  }
}

function checkStatistics(model: Model, statistics: Data | undefined): void {
  const [number] = statisticsOf(model.program)
  if (number === undefined || statistics !== undefined) return
  const { name } = model.program.parameters[number]!
  const expected = `expected the data that the members were trained on, over which ${name} is made anew`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `statistics: ${expected}, received none`)
}

function yardstickOf(model: Model, name: string): Pick<Kitchen, 'isWorse'> {
  const { metrics } = model
  const metric = metrics.find((one) => one.name === name)
  if (name !== 'loss' && metric?.better === undefined) {
    const known = ['loss', ...metrics.filter(({ better }) => better).map((one) => one.name)]
    throw unknownName('metric', `one of ${known.map((one) => `'${one}'`).join(', ')}`, name, known)
  }
  const sign = metric?.better === 'larger' ? -1 : 1
  // What is no number is worse than any.
  return { isWorse: (score, than) => !Number.isNaN(than) && !(sign * score <= sign * than) }
}
