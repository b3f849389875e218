import { checkSeed } from '../checks.js'
import { permutation } from '../data/random.js'
import type { Data } from '../data/stream.js'
import { GradusError, invalidArgument } from '../errors.js'
import { anything, optionsOf } from '../options.js'
import { passRules } from '../train/calls.js'
import { links } from '../train/classes.js'
import type { EvaluateOptions } from '../train/evaluate.js'
import { figuresByCount } from './curve.js'
import { Ensemble } from './ensemble.js'
import { EnsembleReport, type MemberReport, type PredictorReport } from './ensemble-report.js'
import { disagreementOf, type Figures, figuresOf } from './figures.js'
import { fitTemperature } from './fit-temperature.js'
import { combinedScores, growing, weighedIn } from './growing.js'
import { type Held, holdOut, rowsOfHeld } from './held.js'
import { type Task, taskOf } from './task.js'

export interface ReportOptions extends EvaluateOptions {
  /**
   * Data to fit the temperatures on: then all figures are of all examples of `data`. Default: temperatures are fitted on one half of
   * the examples of `data`, drawn by `seed`, and all figures are of the other half, which they have not seen.
   */
  calibration?: Data | undefined
  /** Of the halves, and of the orders in which the curve takes the members; 0 to 2⁵³ − 1. Default 0. */
  seed?: number | undefined
  /** One for each member. Default: `seed 1`, … where their seeds differ, else `member 1`, … */
  names?: readonly string[] | undefined
}

const readOptions = optionsOf<ReportOptions>()(
  'report',
  {
    ...passRules,
    calibration: anything<Data | undefined>,
    seed: [checkSeed, 0],
    names: anything<readonly string[] | undefined>,
  },
  ['ensemble', 'data'],
)

/** As `report` of the index says. */
export async function report(ensemble: Ensemble, data: Data, options?: ReportOptions): Promise<EnsembleReport> {
  if (!(ensemble instanceof Ensemble)) throw invalidArgument('ensemble', 'an ensemble', ensemble)
  const { calibration, seed, names: given, ...passed } = readOptions(options)
  const names = given === undefined ? namesOf(ensemble) : checkNames(given, ensemble)
  const hasProbabilities = links[ensemble.loss.kind] !== undefined
  const asked = (data: Data, argument?: string) => holdOut(ensemble.members, data, passed, argument)
  const whole = await asked(data)
  const isHalved = hasProbabilities && calibration === undefined
  const [shown, fitted] = isHalved ? halves(whole, seed) : [whole, await fittedOn()]
  return await describe(ensemble, shown, fitted, { names, seed, signal: passed.signal })

  async function fittedOn(): Promise<Held | null> {
    if (calibration === undefined) return null
    if (hasProbabilities) return await asked(calibration, 'calibration')
    throw invalidArgument(
      'calibration',
      `none with ${ensemble.loss.call[0]}, which makes no probabilities`,
      calibration,
    )
  }
}

/** The rows shown, and those that temperatures are fitted on. */
function halves(held: Held, seed: number): [Held, Held] {
  if (held.rows < 2) {
    const message = 'data: expected at least two examples, one to fit the temperature on, received 1'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const order = permutation(held.rows, seed)
  const first = Math.ceil(held.rows / 2)
  const parts: [Held, Held] = [rowsOfHeld(held, order.subarray(0, first)), rowsOfHeld(held, order.subarray(first))]
  if (parts.every(({ weights }) => weights.some((weight) => weight > 0))) return parts
  const expected = 'some above 0 in each half of the examples'
  const message = `data.sampleWeights: expected ${expected}, received zeros alone; give calibration data`
  throw new GradusError('GRADUS_INVALID_DATA', message)
}

interface Told {
  readonly names: readonly string[]
  readonly seed: number
  readonly signal: AbortSignal | undefined
}

async function describe(
  ensemble: Ensemble,
  held: Held,
  fitted: Held | null,
  { names, seed, signal }: Told,
): Promise<EnsembleReport> {
  const { weights, temperature } = ensemble
  const [task, fittedTask] = [taskOf(held), fitted && taskOf(fitted)]
  const told = (of: (held: Held) => Float64Array, before = 1): PredictorReport => ({
    ...figuresOf(task, of(held), before),
    ...(fitted && fittedTask && { calibrated: calibrated(task, of(held), fittedTask, of(fitted)) }),
  })
  const { outputs } = held
  const disagreement = outputs.map((one) =>
    outputs.map((other) => (one === other ? 0 : disagreementOf(task, one, other))),
  )
  const members: MemberReport[] = outputs.map((_, i) => ({
    name: names[i]!,
    weight: weights[i]!,
    ...told(({ outputs }) => outputs[i]!),
    disagreement: meanOf(disagreement[i]!.filter((_, j) => j !== i)),
  }))
  const counted = weighedIn(ensemble)
  const asked = { task, growing: growing(ensemble, held), temperature, members: counted, seed, signal }
  const byCount = await figuresByCount(asked)
  const alone = meanFigures(counted.map((i) => figuresOf(task, outputs[i]!)))
  return new EnsembleReport({
    rows: held.rows,
    calibrationRows: fitted?.rows ?? 0,
    ensemble: told((held) => combinedScores(ensemble, held), temperature),
    members,
    disagreement,
    curve: [alone, ...byCount].map((figures, i) => ({ count: i + 1, ...figures })),
  })
}

/** With the temperature fitted on other rows. */
function calibrated(
  task: Task,
  scores: Float64Array,
  on: Task,
  fittedScores: Float64Array,
): NonNullable<PredictorReport['calibrated']> {
  const { temperature, bound } = fitTemperature(on, fittedScores)
  const { logLoss, calibrationError } = figuresOf(task, scores, temperature)
  return { temperature, bound, logLoss: logLoss!, calibrationError: calibrationError! }
}

function meanFigures(all: readonly Figures[]): Figures {
  const names = Object.keys(all[0]!) as (keyof Figures)[]
  return Object.fromEntries(names.map((name) => [name, meanOf(all.map((figures) => figures[name]!))]))
}

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

function namesOf({ members }: Ensemble): string[] {
  const seeds = new Set(members.map(({ seed }) => seed))
  if (seeds.size === members.length && seeds.size > 1) return members.map(({ seed }) => `seed ${seed}`)
  return members.map((_, i) => `member ${i + 1}`)
}

function checkNames(names: unknown, { members }: Ensemble): readonly string[] {
  const fits =
    Array.isArray(names) && names.length === members.length && names.every((name) => typeof name === 'string')
  if (!fits) throw invalidArgument('names', `${members.length} names, one for each member`, names)
  return names as string[]
}
