/** Layers that take their numbers from the data before training: normalization. */
import { setImmediate as nextTick } from 'node:timers/promises'
import { product } from '../data/column.js'
import { Moments } from '../data/moments.js'
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { FloatArray, NativeDataset } from '../native.js'
import { optionsOf } from '../options.js'
import { checkSignal } from './calls.js'
import { isInTraining } from './in-training.js'
import { inputRequirements, openSource, type Source } from './source.js'
import type { TrainTarget } from './target.js'
import { inTurn } from './turn.js'

type AdaptTarget = Pick<TrainTarget, 'program' | 'inputs' | 'outputShape' | 'conventions' | 'normalizations'>

/**
 * Before the first training: the means and variances of the training data. Nothing for a model that has been adapted.
 *
 * @param options - `hasTurn`: whether the caller has the program to itself already
 * @throws the signal's reason when it fires
 */
export async function adaptFirst(
  target: AdaptTarget,
  training: Source,
  { signal, hasTurn = false }: { signal?: AbortSignal | undefined; hasTurn?: boolean | undefined } = {},
): Promise<void> {
  const [first] = target.normalizations
  if (!first || target.conventions.isAdapted) return
  if (training.rows === null) {
    const advice = 'call await model.adapt(data) first, on the stream or on a part of it'
    throw new GradusError(
      'GRADUS_INVALID_ARGUMENT',
      `${first.layer}: expected data in memory to take mean and variance from, received a stream; ${advice}`,
    )
  }
  const write = await momentsOf(target, training.pieces({ signal }), signal)
  await (hasTurn ? write() : inTurn(target.program, write))
}

export interface AdaptOptions {
  /** Ends the call; the promise rejects with the signal's reason, and the model is as it was. */
  signal?: AbortSignal | undefined
}

const readAdaptOptions = optionsOf<AdaptOptions>()('adapt', { signal: checkSignal }, ['data'])

/** What `model.adapt` does. */
export async function adaptTo(target: AdaptTarget, data: Data, options?: AdaptOptions): Promise<void> {
  if (target.normalizations.length === 0) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', 'adapt: expected a model with normalization(), received none')
  }
  if (isInTraining(target.program)) {
    throw new GradusError('GRADUS_BUSY', 'the model is being fitted: await run.done first')
  }
  const { signal } = readAdaptOptions(options)
  signal?.throwIfAborted()
  const source = await openSource(data, inputRequirements(target))
  try {
    await inTurn(target.program, await momentsOf(target, source.pieces(), signal))
  } finally {
    source.close()
  }
}

/** Mean and variance of all pieces, and what writes them into the model. */
async function momentsOf(
  target: AdaptTarget,
  pieces: AsyncIterable<NativeDataset>,
  signal?: AbortSignal,
): Promise<() => void> {
  const { normalizations, inputs, program } = target
  const widths = normalizations.map(({ input, per }) => widthOf(inputs[input]!.shape, per))
  const moments = widths.map((width) => new Moments(width))
  for await (const piece of pieces) {
    signal?.throwIfAborted()
    for (const [i, { input }] of normalizations.entries()) {
      await forEachSlice(piece, input, product(inputs[input]!.shape), (values) => {
        signal?.throwIfAborted()
        moments[i]!.add(values)
      })
    }
  }
  const found = moments.map((all, i) => all.finish(argumentOf(target, normalizations[i]!.input)))
  return () => {
    for (const [i, { mean, variance }] of normalizations.entries()) {
      program.write('parameters', mean, spread(found[i]!.mean, program.parameters[mean]!.size))
      program.write('parameters', variance, spread(found[i]!.variance, program.parameters[variance]!.size))
    }
    target.conventions.isAdapted = true
  }
}

const widthOf = (shape: readonly number[], per: 'feature' | 'channel' | 'all'): number =>
  per === 'all' ? 1 : per === 'channel' ? (shape.at(-1) ?? 1) : product(shape)

const argumentOf = ({ inputs }: AdaptTarget, input: number) => (inputs.length > 1 ? `x.${inputs[input]!.name}` : 'x')

const spread = (numbers: Float64Array, size: number): Float64Array =>
  numbers.length === size ? numbers : new Float64Array(size).fill(numbers[0]!)

/** Numbers read before the event loop has its turn. */
const sliceNumbers = 1 << 16

async function forEachSlice(
  piece: NativeDataset,
  input: number,
  elements: number,
  use: (values: FloatArray) => void,
): Promise<void> {
  const rows = Math.max(1, Math.floor(sliceNumbers / elements))
  for (let first = 0; first < piece.size; first += rows) {
    if (first > 0) await nextTick()
    use(piece.read('input', input, first, Math.min(rows, piece.size - first)) as FloatArray)
  }
}
