import type { Data } from '../data/stream.js'
import { GradusError, invalidArgument } from '../errors.js'
import type { Model } from '../model/model.js'
import { optionsOf } from '../options.js'
import { passRules } from '../train/calls.js'
import { links } from '../train/classes.js'
import type { EvaluateOptions } from '../train/evaluate.js'
import type { AnyValues } from '../train/history.js'
import { Ensemble } from './ensemble.js'
import { figuresOf } from './figures.js'
import { fitTemperature } from './fit-temperature.js'
import { combinedScores } from './growing.js'
import { holdOut } from './held.js'
import { isPredictor } from './is-predictor.js'
import type { Predictor } from './predictor.js'
import { type Task, taskOf } from './task.js'

/** What {@link calibrate} found; of the examples that it was given. */
export interface Calibration {
  /** By which the scores are divided: above 1 where the predictor was too sure of itself. */
  readonly temperature: number
  /**
   * `'lowest'` (0.05) or `'highest'` (20) where likelihood would still grow beyond: everything is right, or the scores say nothing of
   * what is right, and these examples do not tell a temperature. Else null.
   */
  readonly bound: 'lowest' | 'highest' | null
  /** How many there were. */
  readonly rows: number
  /** The mean of −log of the probability given to what is right, in nats. */
  readonly logLoss: { readonly before: number; readonly after: number }
  /** Expected calibration error; see {@link EnsembleReport}. */
  readonly calibrationError: { readonly before: number; readonly after: number }
}

/** An ensemble with a temperature, and how that was found. */
export type Calibrated<Values extends object = AnyValues> = Ensemble<Values> & { readonly calibration: Calibration }

const readOptions = optionsOf<EvaluateOptions>()('calibrate', passRules, ['predictor', 'data'])

/** As `calibrate` of the index says. */
export async function calibrate<Values extends object = AnyValues>(
  predictor: Predictor<Values>,
  data: Data,
  options?: EvaluateOptions,
): Promise<Calibrated<Values>> {
  const given: unknown = predictor
  if (!isPredictor(given)) throw invalidArgument('predictor', 'a model or an ensemble', given)
  const passed = readOptions(options)
  if (!links[given.loss.kind]) throw noProbabilities(given)
  const before = given instanceof Ensemble ? given : new Ensemble([given])
  const { members, weights, combine } = before
  const held = await holdOut(members, data, passed)
  const task = taskOf(held)
  checkClasses(task)
  const scores = combinedScores(before, held)
  const { temperature, bound } = fitTemperature(task, scores)
  const [raw, fitted] = [figuresOf(task, scores, before.temperature), figuresOf(task, scores, temperature)]
  const made = new Ensemble(members as readonly Model<Values>[], { temperature, weights, combine })
  const calibration: Calibration = {
    temperature,
    bound,
    rows: task.rows,
    logLoss: { before: raw.logLoss!, after: fitted.logLoss! },
    calibrationError: { before: raw.calibrationError!, after: fitted.calibrationError! },
  }
  return Object.assign(made, { calibration })
}

/** The error where softmax or sigmoid make no probabilities of the scores. */
function noProbabilities({ loss }: Predictor): GradusError {
  const expected = 'one whose loss makes probabilities of scores, softmaxCrossEntropy() or binaryCrossEntropy()'
  return new GradusError('GRADUS_INVALID_ARGUMENT', `predictor: expected ${expected}, received ${loss.call[0]}`)
}

/** Of one class alone every predictor that says nothing else is right. */
function checkClasses(task: Task): void {
  const { rows, kind, columns } = task
  const first = rowThatCounts(task)
  for (let row = first; row < rows; row++) {
    if (task.weightOf(row) === 0) continue
    if (kind === 'classes' && task.classOf(row) !== task.classOf(first)) return
    if (kind !== 'answers') continue
    for (let j = 0; j < columns; j++) if (task.targetOf(row, j) !== task.targetOf(first, 0)) return
  }
  const received =
    kind === 'classes' ? `class ${task.classOf(first)} alone` : `the answer ${task.targetOf(first, 0)} alone`
  throw new GradusError('GRADUS_INVALID_DATA', `data: expected examples of at least two classes, received ${received}`)
}

function rowThatCounts(task: Task): number {
  for (let row = 0; row < task.rows; row++) if (task.weightOf(row) > 0) return row
  return 0
}
