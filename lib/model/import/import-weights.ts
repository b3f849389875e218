/** Weights that were trained with another library. */
import { oneOf } from '../../checks.js'
import { invalidArgument } from '../../errors.js'
import type { FileSource } from '../../files.js'
import { type Shape, sizeOf } from '../../layers/shape.js'
import type { DataType, FloatArray } from '../../native.js'
import { needed, optionsOf } from '../../options.js'
import type { SafetensorsReader } from '../file.js'
import { checkIdle } from '../idle.js'
import { Model } from '../model.js'
import { badFile } from '../safetensors.js'
import { checkFinite, isReadable, withTensors } from '../tensors.js'
import { beginWith } from '../weights.js'
import { type Origin, unitsOf, type Wanted } from './conventions.js'
import { checkNames, type Match, match, type Names } from './match.js'

export interface ImportWeightsOptions {
  /** What wrote the file, which says how its weights are called and laid out. */
  from: Origin
  /**
   * Layer or weight of the model → layer or weight of the file: `{ conv2d1: 'features.0' }` or
   * `{ 'conv2d1.weight': 'features.0.weight', 'conv2d1.bias': 'features.0.bias' }`. What is not named goes by shape and order.
   */
  names?: Names | undefined
}

const readOptions = optionsOf<ImportWeightsOptions>()(
  'importWeights',
  { from: needed(oneOf('pytorch', 'keras')), names: [checkRecord, {}] },
  ['model', 'file'],
)

/**
 * Fills a model with weights of PyTorch or Keras from a safetensors file (F32, F64, F16 or BF16): each layer with what has
 * its kind and shapes, several alike in their order. A file that has its tensors by name, as the format's own library
 * writes them, tells the order only by numbers in the names (`conv2` before `conv10`); where it does not, `names` must. What
 * the model has no place for is left alone, as are custom layers and `normalization()`.
 *
 * Of PyTorch, whose images are channels first, a {@link dense} after {@link flatten}, or before a {@link reshape} to images,
 * is put into this order. Give `batchNorm` the `epsilon` that theirs has (PyTorch 1e-5, Keras 1e-3) and 1 − PyTorch's
 * momentum: neither is in the file. Everything is checked first: after an error nothing has changed. The optimizer's state stays.
 *
 * @returns which tensor each weight was read from
 * @throws GRADUS_BAD_FILE naming a layer that nothing, or too much, in the file fits; GRADUS_INVALID_ARGUMENT, GRADUS_BUSY
 * @example
 * // safetensors.torch.save_file(net.state_dict(), 'net.safetensors')
 * await importWeights(model, 'net.safetensors', { from: 'pytorch' })
 */
export async function importWeights(
  model: Model,
  file: FileSource | ArrayBuffer,
  options: ImportWeightsOptions,
): Promise<Record<string, string>> {
  if (!(model instanceof Model)) throw invalidArgument('model', 'a model', model)
  const { from, names } = readOptions(options)
  const units = unitsOf(model.parts().lowered, from)
  checkNames(names, units)
  checkIdle(model.program)
  const { matches, read } = await withTensors(file, async (tensors) => {
    const matches = match(units, tensors.header, names, from)
    const read: FloatArray[] = []
    for (const one of matches) read.push(await readWeight(tensors, one, model.dtype))
    return { matches, read }
  })
  checkIdle(model.program)
  for (const [i, { wanted }] of matches.entries()) beginWith(model.program, wanted.parameter, read[i]!)
  return Object.fromEntries(matches.map(({ wanted, tensor }) => [wanted.name, tensor]))
}

async function readWeight(tensors: SafetensorsReader, { wanted, tensor }: Match, dtype: DataType): Promise<FloatArray> {
  const place = tensors.header.tensors.get(tensor)!
  if (!isReadable(place)) throw badFile(`tensor "${tensor}" is ${place.dtype}; floats are read: F32, F64, F16, BF16`)
  const empty = () => new (dtype === 'float32' ? Float32Array : Float64Array)(sizeOf(wanted.shape))
  const theirs = empty()
  for await (const { first, data } of tensors.pieces(tensor)) {
    theirs.set(data, first)
    checkFinite(tensor, theirs.subarray(first, first + data.length), first, dtype)
  }
  return arranged(theirs, wanted, empty())
}

/** Element by element of ours: where theirs is. */
function arranged(theirs: FloatArray, { shape, shapes, axes, rows, columns }: Wanted, ours: FloatArray): FloatArray {
  if (!rows && !columns && axes.every((axis, i) => axis === i)) return theirs
  const strides = stridesOf(shapes[0]!)
  const steps = axes.map((axis) => strides[axis]!)
  const last = shape.length - 1
  const index = shape.map(() => 0)
  for (let i = 0; i < ours.length; i++) {
    let at = 0
    for (let axis = 0; axis <= last; axis++) {
      const order = axis === last ? columns : axis === last - 1 ? rows : undefined
      at += (order ? order[index[axis]!]! : index[axis]!) * steps[axis]!
    }
    ours[i] = theirs[at]!
    for (let axis = last; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0
  }
  return ours
}

const stridesOf = (shape: Shape): number[] => shape.map((_, i) => sizeOf(shape.slice(i + 1)))

function checkRecord(argument: string, value: unknown): Names {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument(argument, 'a record of names', value)
  }
  for (const [name, theirs] of Object.entries(value)) {
    if (typeof theirs !== 'string') throw invalidArgument(`${argument}["${name}"]`, 'a name in the file', theirs)
  }
  return { ...value } as Names
}
