import { checkPositive, checkShareOrEnd } from '../checks.js'
import { Dataset } from '../data/dataset.js'
import { checkExamples, type Examples } from '../data/examples.js'
import { type Data, isStream, piecesOf, type StreamPlace } from '../data/stream.js'
import { GradusError, invalidArgument } from '../errors.js'
import { formatShape, sameShape } from '../layers/shape.js'
import { softmaxCrossEntropy } from '../losses/index.js'
import { Model } from '../model/model.js'
import { anything, optionsOf } from '../options.js'
import type { AnyValues } from '../train/history.js'
import type { FitOptions } from '../train/options.js'
import type { Run } from '../train/run.js'
import { Ensemble } from './ensemble.js'
import { isPredictor } from './is-predictor.js'
import type { Predictor } from './predictor.js'
import { type Lesson, mixedTargets, namesOf } from './soft-targets.js'

export interface DistillOptions<Values extends object = AnyValues> {
  /** The labels' share of the targets, from 0 to 1; the rest is the teacher's. 0: no labels are needed. Default 0.1. */
  hardShare?: number | undefined
  /**
   * T, of softmaxCrossEntropy alone: the teacher's probabilities are softmax of its scores / T, and the student learns by
   * `softmaxCrossEntropy({ temperature: T })`. Default: that of the student's loss, which is 1 unless it says otherwise.
   */
  temperature?: number | undefined
  /** What `fit` of the student is told: epochs, validation, callbacks, dir, resume, … */
  fit?: FitOptions<Values, Model<Values>> | undefined
}

const readOptions = optionsOf<DistillOptions>()(
  'distill',
  { hardShare: [checkShareOrEnd, 0.1], temperature: checkPositive, fit: anything<FitOptions | undefined> },
  ['teacher', 'student', 'data'],
)

/**
 * Trains a student, one small model, on what a teacher, a large one or an ensemble, makes of the examples: most of the gain for
 * the student's cost. Targets are hardShare · label + (1 − hardShare) · p̄, with p̄ the teacher's probabilities at a temperature
 * (Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network"; there labels are learnt at temperature 1, here
 * at the same as the rest). With {@link binaryCrossEntropy} p̄ are probabilities of yes; of quantities the values are mixed.
 *
 * The teacher predicts examples in memory once, before the first step; of a stream each piece as it comes, in each epoch. It is
 * left as it is. Same teacher, student, data and options: the same bits, also for a run that goes on by `fit: { dir, resume }`.
 *
 * A student whose loss has another temperature than the one given is compiled anew with it, its optimizer beginning anew, and keeps
 * that loss: its `evaluate().loss` is then T² · that of scores / T. The metric `logLoss` and probabilities are those at 1, and
 * `compile` sets another loss at any time.
 *
 * Validation data are taken as they are, with labels; `validationSplit` holds out targets as the student learns them.
 *
 * @returns the run of the student's `fit`, which can be awaited and iterated
 * @throws GRADUS_INVALID_ARGUMENT, GRADUS_SHAPE_MISMATCH where teacher and student do not fit, GRADUS_NOT_COMPILED; those of `fit`
 * @example
 * const history = await distill(together, student, train, { hardShare: 0.1, fit: { epochs: 20, validation } })
 */
export function distill<Values extends object = AnyValues>(
  teacher: Predictor,
  student: Model<Values>,
  data: Data,
  options: DistillOptions<Values> = {},
): Run<Values> {
  const given: unknown = teacher
  if (!isPredictor(given)) throw invalidArgument('teacher', 'a model or an ensemble', given)
  if (!(student instanceof Model)) throw invalidArgument('student', 'a compiled model', student)
  const { hardShare, temperature: asked, fit } = readOptions(options as DistillOptions)
  checkPair(given, student as unknown as Model)
  const temperature = temperatureOf(student as unknown as Model, asked)
  const taught = lessonsOf(data, {
    teacher: given,
    hardShare,
    temperature,
    dtype: student.dtype,
    threads: fit?.threads,
  })
  recompile(student as unknown as Model, temperature)
  return student.fit(taught, fit as FitOptions<Values, Model<Values>>)
}

function checkPair(teacher: Model | Ensemble, student: Model): void {
  const members: readonly unknown[] = teacher instanceof Ensemble ? teacher.members : [teacher]
  if (members.includes(student)) {
    throw new GradusError(
      'GRADUS_INVALID_ARGUMENT',
      'student: expected a model that is no part of the teacher, received one',
    )
  }
  const [own, wanted] = [student.loss, teacher.loss]
  if (own.targets === 'labels') {
    const expected = 'a loss on numbers shaped as the output, such as softmaxCrossEntropy()'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `student: expected ${expected}, received ${own.call[0]}`)
  }
  if (own.outputs !== wanted.outputs || own.probabilities !== wanted.probabilities) {
    const message = `student: expected a loss on the same kind of outputs as the teacher's ${wanted.call[0]}, received ${own.call[0]}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  if (sameShape(student.outputShape, teacher.outputShape)) return
  const [shape, expected] = [student.outputShape, teacher.outputShape].map((shape) => formatShape(shape))
  throw new GradusError(
    'GRADUS_SHAPE_MISMATCH',
    `student: expected the teacher's output shape ${expected}, received ${shape}`,
  )
}

function temperatureOf({ loss }: Model, asked: number | undefined): number {
  if (loss.kind === 'softmax_cross_entropy') return asked ?? loss.parameter ?? 1
  if (asked === undefined || asked === 1) return 1
  throw invalidArgument('temperature', `none with ${loss.call[0]}, which has no temperature`, asked)
}

function recompile(student: Model, temperature: number): void {
  const { compiled } = student.parts()
  if (compiled?.loss.kind !== 'softmax_cross_entropy' || (compiled.loss.parameter ?? 1) === temperature) return
  const { optimizer, metrics } = compiled
  student.compile({ loss: softmaxCrossEntropy({ temperature }), optimizer, metrics })
}

/** The data with the targets to be. */
function lessonsOf(data: Data, lesson: Lesson): Data {
  if (isStream(data)) {
    return async function* taught(place: StreamPlace) {
      const { epoch, skip } = place
      for await (const piece of piecesOf(data, { epoch, skip })) yield await mixedTargets(piece, lesson)
    }
  }
  if (!(data instanceof Dataset)) checkExamples('data', data)
  const { x, classes, sampleWeights }: Examples = data instanceof Dataset ? data.examples : data
  const names = namesOf(lesson.teacher) ?? (data instanceof Dataset ? data.classes : classes)
  return new Dataset(
    { x, classes: names, sampleWeights },
    { temporary: true, later: (signal) => mixedTargets(data, lesson, signal) },
  )
}
