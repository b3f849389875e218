/** What a student is to learn: labels and a teacher's probabilities, mixed. */
import { product } from '../data/column.js'
import { Dataset } from '../data/dataset.js'
import type { Examples } from '../data/examples.js'
import { invalidArgument } from '../errors.js'
import type { Model } from '../model/model.js'
import type { DataType, FloatArray } from '../native.js'
import { Ensemble } from './ensemble.js'
import { conventionsOf } from './members.js'
import { logProbabilities } from './observed.js'
import { Task } from './task.js'

export interface Lesson {
  readonly teacher: Model | Ensemble
  /** Of the labels. */
  readonly hardShare: number
  /** Of the teacher's probabilities. */
  readonly temperature: number
  /** The student's. */
  readonly dtype: DataType
  readonly threads?: number | undefined
}

/** The examples with hardShare · label + (1 − hardShare) · what the teacher says as targets, (rows, ...outputShape). */
export async function mixedTargets(data: Dataset | Examples, lesson: Lesson, signal?: AbortSignal): Promise<Examples> {
  const { teacher, hardShare, threads } = lesson
  const { x, y, sampleWeights, classes } = data instanceof Dataset ? data.examples : data
  if (hardShare > 0 && y === undefined) throw invalidArgument('y', 'the targets (hardShare: 0 needs none)', y)
  // Labels that do not count are not looked at.
  const own = () => new Dataset(hardShare > 0 ? { x, y, classes } : { x }, { temporary: true })
  const dataset = data instanceof Dataset ? data : own()
  try {
    const labels = hardShare > 0 ? await labelsOf(dataset, teacher) : null
    signal?.throwIfAborted()
    const { data: scores } = await teacher.predict(dataset, { threads, signal })
    const names = namesOf(teacher) ?? dataset.classes ?? classes
    const shape = [scores.length / product(teacher.outputShape), ...teacher.outputShape]
    return { x, y: { data: mixed(softened(scores, lesson), labels, lesson), shape }, sampleWeights, classes: names }
  } finally {
    if (dataset !== data) dataset.dispose()
  }
}

async function labelsOf(dataset: Dataset, teacher: Model | Ensemble): Promise<Task> {
  const { dtype, inputs, outputShape, loss } = teacher
  const { targets, probabilities, outputs: kind } = loss
  const conventions = conventionsOf(membersOf(teacher))
  const resident = await dataset.resident({ dtype, inputs, outputShape, targets, probabilities, conventions })
  const columns = product(outputShape)
  const given = resident.read('target', 0, 0, resident.size)
  return new Task({ kind, hasProbabilities: probabilities !== undefined, columns, targets: given, weights: null })
}

const membersOf = (teacher: Model | Ensemble): readonly Model[] =>
  teacher instanceof Ensemble ? teacher.members : [teacher]

/** Of the teacher's classes, where it has names for them. */
export const namesOf = (teacher: Model | Ensemble): readonly string[] | undefined =>
  conventionsOf(membersOf(teacher)).classes

/** What the teacher says, in float64: probabilities where the scores stand for some. */
function softened(scores: FloatArray, { teacher, temperature }: Lesson): Float64Array {
  const exact = Float64Array.from(scores)
  const { probabilities } = teacher.loss
  if (probabilities === 'rows') {
    const cooled = exact.map((score) => score / temperature)
    return logProbabilities(cooled, product(teacher.outputShape)).map(Math.exp)
  }
  return probabilities === 'each' ? exact.map((score) => 1 / (1 + Math.exp(-score))) : exact
}

function mixed(soft: Float64Array, labels: Task | null, { teacher, hardShare, dtype }: Lesson): FloatArray {
  const columns = product(teacher.outputShape)
  const targets = new (dtype === 'float32' ? Float32Array : Float64Array)(soft.length)
  for (let i = 0; i < soft.length; i++) {
    const hard = labels === null ? 0 : hardShare * labels.targetOf(Math.floor(i / columns), i % columns)
    targets[i] = hard + (1 - hardShare) * soft[i]!
  }
  return targets
}
