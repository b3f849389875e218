/** Which pixels the score of a class depends on. */
import { checkPositiveInteger } from '../checks.js'
import { type ColumnData, openColumn } from '../data/column.js'
import { Dataset } from '../data/dataset.js'
import type { Examples } from '../data/examples.js'
import type { DeviceName } from '../devices.js'
import { GradusError, invalidArgument } from '../errors.js'
import { customLoss } from '../losses/custom.js'
import { trainable } from '../model/compile.js'
import { copyModel, type ModelCopy } from '../model/copy.js'
import { checkStill } from '../model/idle.js'
import { Model } from '../model/model.js'
import type { FloatArray } from '../native.js'
import { sgd } from '../optimizers/index.js'
import { optionsOf } from '../options.js'
import { checkSignal, resolveThreads } from '../train/calls.js'
import { requirementsOf } from '../train/source.js'
import { callInTurn } from '../train/turn.js'
import { countExamples, examplesOf, sliceExamples } from './subset.js'

export interface SaliencyOptions {
  /** Default: all cores. `GRADUS_THREADS` overrides. */
  threads?: number | undefined
  /** Ends it; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

const readOptions = optionsOf<SaliencyOptions>()('saliency', { threads: checkPositiveInteger, signal: checkSignal }, [
  'model',
  'x',
  'labels',
])

/** Examples at once: their values are all kept for the way back. */
const atOnce = 64

/** As many numbers as pixels for each example. */
export interface Saliency {
  /** (examples, ...): of an image of (height, width, channels) its height and width, else the shape of the input. */
  readonly shape: readonly number[]
  /** In the model's dtype. */
  readonly data: FloatArray
}

/**
 * How much the score of a class changes with each pixel of an image: |∂ score / ∂ pixel|, of several channels the largest
 * (Simonyan et al. 2014). In evaluation: without dropout, batch norm by its running averages. The model does not change.
 *
 * @param x - images, as `predict` takes them, for a model with one input of real numbers
 * @param labels - of each the class whose score is meant: its number, or its name where the model has `classes`
 * @throws GRADUS_INVALID_ARGUMENT for models of several inputs or without two scores or more, GRADUS_BUSY; those of the data
 * @example
 * const { data, shape } = await saliency(model, images, labels) // shape [rows, 32, 32]
 */
export async function saliency(
  model: Model,
  x: Examples['x'],
  labels: NonNullable<Examples['y']>,
  options: SaliencyOptions = {},
): Promise<Saliency> {
  const { threads, signal } = readOptions(options)
  checkModel(model)
  signal?.throwIfAborted()
  const copy = copyOf(model)
  const { inputs } = copy
  const { shape } = inputs[0]!
  const isImage = shape.length === 3
  const channels = isImage ? shape[2]! : 1
  try {
    const examples = examplesOf({ x, y: labels, classes: model.classes })
    const rows = countExamples(examples, inputs)
    checkCount(examples.y!, rows)
    const pixels = shape.reduce((product, length) => product * length, 1) / channels
    const data = new (model.dtype === 'float32' ? Float32Array : Float64Array)(rows * pixels)
    for (let first = 0; first < rows; first += atOnce) {
      const part = sliceExamples(examples, first, Math.min(first + atOnce, rows), inputs)
      const gradient = await gradientOf(copy, part, resolveThreads(threads), signal)
      largest(gradient, channels, data.subarray(first * pixels))
    }
    return { shape: [rows, ...(isImage ? shape.slice(0, 2) : shape)], data }
  } finally {
    copy.dispose()
  }
}

function checkModel(model: unknown): asserts model is Model {
  if (!(model instanceof Model)) throw invalidArgument('model', 'a model', model)
  const { inputs, outputShape } = model
  if (inputs.length !== 1 || inputs[0]!.kind !== 'real') {
    const received = inputs.length === 1 ? 'one of row numbers' : `${inputs.length} of them`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `model: expected one input of real numbers, received ${received}`)
  }
  if (outputShape.length === 1 && outputShape[0]! > 1) return
  const received = `the output shape [${outputShape.join(', ')}]`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `model: expected two scores or more, received ${received}`)
}

function checkCount(labels: ColumnData, rows: number): void {
  const count = openColumn('labels', labels, 1, 1).rows
  if (count === rows) return
  const message = `labels: expected one for each of ${rows} examples, received ${count}`
  throw new GradusError('GRADUS_SHAPE_MISMATCH', message)
}

/** The score of the label. Passes take the mean over the batch, which is undone here. */
const score = customLoss({
  name: 'score',
  targets: 'labels',
  forward: (output, labels, { batch }) =>
    output.slice(0, batch).map((_, row) => output[(row * output.length) / batch + labels[row]!]!),
  backward(output, labels, { batch }) {
    const slope = output.slice().fill(0)
    const classes = output.length / batch
    for (let row = 0; row < batch; row++) slope[row * classes + labels[row]!] = batch
    return slope
  },
})

function copyOf(model: Model): ModelCopy {
  const { lowered } = model.parts()
  const compiled = { loss: score, optimizer: sgd(), metrics: [], device: model.device as DeviceName }
  const descriptor = trainable(lowered.descriptor, compiled)
  const inputs = descriptor.inputs.map((input) => ({ ...input, differentiated: true }))
  return copyModel({ ...descriptor, inputs }, checkStill(model.program), lowered, compiled, model.conventions)
}

async function gradientOf(
  copy: ModelCopy,
  part: Examples,
  threads: number,
  signal: AbortSignal | undefined,
): Promise<FloatArray> {
  const examples = new Dataset(part, { temporary: true })
  try {
    const dataset = await examples.resident(requirementsOf(copy))
    const call = { dataset, training: false, randomness: false, threads, term: 'data' as const }
    await callInTurn(copy.program, signal, () => copy.program.gradient(call))
    signal?.throwIfAborted()
    return copy.program.inputGradient(0)
  } finally {
    examples.dispose()
  }
}

function largest(gradient: FloatArray, channels: number, to: FloatArray): void {
  for (let i = 0; i < gradient.length; i++) {
    const pixel = Math.floor(i / channels)
    to[pixel] = Math.max(to[pixel]!, Math.abs(gradient[i]!))
  }
}
