/** How much the examples of each class count in the loss. */
import { setImmediate as nextTick } from 'node:timers/promises'
import { isRecord } from '../call.js'
import { isNumberArray } from '../data/column.js'
import { someOf } from '../data/labels.js'
import { describe, GradusError, invalidArgument } from '../errors.js'
import { didYouMean, nearest } from '../suggest.js'
import type { Source } from './source.js'
import type { TrainTarget } from './target.js'

/** As `fit` takes them; classes that are not named count 1. */
export type ClassWeights = 'balanced' | ArrayLike<number> | Readonly<Record<string, number>>

/** What can be said before the data are open. */
export function checkClassWeights(target: TrainTarget, weights: unknown): ClassWeights | undefined {
  const { loss } = target
  if (weights === undefined) return undefined
  if (loss.targets === 'dense') {
    throw invalidArgument('classWeights', `a loss on class numbers, which ${loss.kind} is not`, weights)
  }
  if (weights !== 'balanced' && !Array.isArray(weights) && !isNumberArray(weights) && !isRecord(weights)) {
    const meant = typeof weights === 'string' ? didYouMean(weights, ['balanced']) : ''
    const hint = weights instanceof Map ? '; Object.fromEntries(map) makes a record of it' : meant
    const expected = "'balanced', an array with a weight for each class, or a record such as { 2: 10 } or { cat: 10 }"
    const message = `classWeights: expected ${expected}, received ${describe(weights)}${hint}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  for (const [key, weight] of entriesOf(weights as ClassWeights)) {
    if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0) {
      throw invalidArgument(`classWeights[${key}]`, 'a number from 0 up', weight)
    }
    if (typeof key === 'number') numberOf(key, classesOf(target), [])
  }
  return weights as ClassWeights
}

function entriesOf(weights: ClassWeights): [string | number, unknown][] {
  if (weights === 'balanced') return []
  const isList = Array.isArray(weights) || isNumberArray(weights)
  return isList ? [...Array.from(weights as ArrayLike<number>).entries()] : Object.entries(weights)
}

/** One weight for each class. @throws the signal's reason when it fires */
export async function resolveClassWeights(
  target: TrainTarget,
  weights: ClassWeights | undefined,
  training: Source,
  signal?: AbortSignal,
): Promise<Float64Array | undefined> {
  if (weights === undefined) return undefined
  const classes = classesOf(target)
  if (weights === 'balanced') return balanced(await countLabels(training, classes, signal))
  const resolved = new Float64Array(classes).fill(1)
  for (const [key, weight] of entriesOf(weights)) {
    resolved[numberOf(key, classes, target.conventions.classes ?? [])] = weight as number
  }
  return resolved
}

const classesOf = ({ outputShape }: TrainTarget): number => outputShape.at(-1) ?? 1

function numberOf(key: string | number, classes: number, names: readonly string[]): number {
  if (typeof key === 'string' && names.includes(key)) return names.indexOf(key)
  const number = key === '' ? Number.NaN : Number(key)
  if (Number.isInteger(number) && number >= 0 && number < classes) return number
  const named = names.length > 0 ? `names of classes (${someOf(names)}) or ` : ''
  const near = nearest(String(key), names)
  const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`
  const expected = `${named}class numbers from 0 to ${classes - 1}`
  const received = Number.isNaN(number) ? JSON.stringify(key) : String(key)
  const message = `classWeights: expected ${expected}, received ${received}${hint}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** n / (classes · count) over the classes that there are, so that each has the same share of the whole. */
function balanced(counts: Float64Array): Float64Array {
  const rows = counts.reduce((sum, count) => sum + count, 0)
  const present = counts.filter((count) => count > 0).length
  return counts.map((count) => (count > 0 ? rows / (present * count) : 1))
}

/** Labels read before the event loop has its turn. */
const sliceRows = 1 << 16

async function countLabels(training: Source, classes: number, signal?: AbortSignal): Promise<Float64Array> {
  if (training.rows === null) {
    const message = "classWeights: 'balanced' counts the labels of data in memory; for a stream give the weights"
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const counts = new Float64Array(classes)
  for await (const piece of training.pieces()) {
    for (let first = 0; first < piece.size; first += sliceRows) {
      if (first > 0) await nextTick()
      signal?.throwIfAborted()
      const labels = piece.read('target', 0, first, Math.min(sliceRows, piece.size - first))
      if (!(labels instanceof Int32Array))
        throw invalidArgument('classWeights', 'targets that are class numbers', 'others')
      for (const label of labels) counts[label]!++
    }
  }
  return counts
}
