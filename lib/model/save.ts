/** What a model's file says: weights by name, and in the metadata all that makes the model again. */
import { basename, extname } from 'node:path'
import { checkBoolean } from '../checks.js'
import type { Conventions } from '../data/conventions.js'
import { describe, GradusError } from '../errors.js'
import { checkPath } from '../files.js'
import { sizeOf } from '../layers/shape.js'
import { type NativeProgram, type NativeSnapshot, native } from '../native.js'
import { optionsOf } from '../options.js'
import { inTurn } from '../train/turn.js'
import { version } from '../version.js'
import { type Compiled, defineCompiled } from './compile.js'
import { checkNames } from './custom-parts.js'
import { define } from './definition.js'
import type { Lowered, Network } from './lower.js'
import { checkMetadata } from './metadata.js'
import type { StoredData, Tensor } from './safetensors.js'

/**
 * Entry `format` of the metadata. Next to it: `sha256` of the whole file, with zeros in its own place; `version` of the writer,
 * `model`, if compiled `training`, with the optimizer `step` and `momentumProduct`, and `metadata` of the user's own. A
 * checkpoint has `run` as well, and tensors below `run/`.
 */
export const formatVersion = 'gradus 1'

/** That of several models in one file: see lib/ensemble/save.ts. */
export const ensembleFormat = 'gradus ensemble 1'

export interface SaveOptions {
  /** True: with the optimizer's state, so that training can go on as if never interrupted. Default false. */
  optimizer?: boolean | undefined
  /**
   * Whatever else belongs to the model, as plain JSON: names, a vocabulary, where the data came from. {@link Model.metadata}
   * of the loaded model. Default: that of the model, if it was loaded with any.
   */
  metadata?: unknown
}

/** For lists of options. */
export const saveRules = { optimizer: [checkBoolean, false], metadata: checkMetadata } as const

export const readSaveOptions = optionsOf<SaveOptions>()('save', saveRules)

/** Endings of model files that other programs read, and safetensors is none of. */
const foreignEndings = [
  'h5',
  'hdf5',
  'keras',
  'onnx',
  'pt',
  'pth',
  'pb',
  'tflite',
  'json',
  'pkl',
  'pickle',
  'npy',
  'npz',
]

/** A path whose name does not promise another format. */
export function checkModelPath(argument: string, file: unknown): string {
  const path = checkPath(argument, file)
  const ending = extname(path).slice(1).toLowerCase()
  if (!foreignEndings.includes(ending)) return path
  const better = `${basename(path, extname(path))}.safetensors`
  const why = `a safetensors file is written, which no reader of .${ending} files takes`
  const message = `${argument}: expected a name such as "${better}", received ${describe(path)}; ${why}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** What else a file can hold: the arenas of the optimizer's slots, of each trained weight, and the average of all. */
export const stateArenas = (program: NativeProgram): string[] =>
  program.arenas.filter((arena) => arena !== 'parameters' && arena !== 'gradients')

/** Whether an arena holds something of this parameter that is not 0 for ever. */
export const isStored = (arena: string, { trainable }: { readonly trainable: boolean }): boolean =>
  trainable || arena === 'parameters' || arena === 'average'

export const entryName = (arena: string, parameter: string): string =>
  arena === 'parameters' ? parameter : `${arena}/${parameter}`

/** What a file holds of these arenas: a tensor for each parameter that has something there. */
export const entriesOf = (arenas: readonly string[], parameters: Lowered['descriptor']['parameters']) =>
  arenas.flatMap((arena) =>
    parameters.flatMap((parameter, i) =>
      isStored(arena, parameter) ? [{ arena, i, shape: parameter.shape, name: entryName(arena, parameter.name) }] : [],
    ),
  )

/** Whether a tensor is not the model's, but what a checkpoint keeps of its run. */
export const isOfRun = (name: string): boolean => name.startsWith('run/') || name.startsWith('callback/')

export interface Packed {
  tensors: Tensor[]
  metadata: Record<string, string>
}

export interface Parts {
  readonly network: Network
  readonly lowered: Lowered
  readonly compiled: Compiled | undefined
  readonly conventions: Conventions
  readonly metadata: unknown
}

/** What the file will hold, copied in the program's turn, so that it is of one moment between steps; gone when `use` is done. */
export async function packModel<Result>(
  of: Parts & { readonly program: NativeProgram; readonly optimizer: boolean },
  use: (packed: Packed) => Promise<Result>,
): Promise<Result> {
  checkNames(define(of.network).layers)
  const snapshot = new native.Snapshot(of.program, ['parameters', ...(of.optimizer ? stateArenas(of.program) : [])])
  try {
    await inTurn(of.program, () => of.program.exportState(snapshot))
    return await use(packState(of, snapshot, of.optimizer))
  } finally {
    snapshot.dispose()
  }
}

/** The same of a state that was taken before, which must stay as it is until the tensors are written. */
export function packState(of: Parts, state: NativeSnapshot, withOptimizer: boolean): Packed {
  const { compiled, conventions } = of
  const metadata: Record<string, string> = { format: formatVersion, version, model: JSON.stringify(define(of.network)) }
  if (Object.keys(conventions).length > 0) metadata.conventions = JSON.stringify(conventions)
  if (compiled) metadata.training = JSON.stringify(defineCompiled(compiled))
  if (of.metadata !== undefined) metadata.metadata = JSON.stringify(of.metadata)
  if (withOptimizer) {
    metadata.step = String(state.step)
    metadata.momentumProduct = String(state.momentumProduct)
  }
  const { parameters } = of.lowered.descriptor
  const tensors = state.arenas.flatMap((arena) => {
    let end = 0
    return parameters.flatMap((parameter) => {
      const { name, shape } = parameter
      const begin = end
      end += sizeOf(shape)
      const data = storedIn(state, arena, begin, end)
      return isStored(arena, parameter) ? { name: entryName(arena, name), shape, data } : []
    })
  })
  return { tensors, metadata }
}

/** Elements of an arena, from `first` up to `end`. */
function storedIn(state: NativeSnapshot, arena: string, first: number, end: number): StoredData {
  const [dtype, Elements] =
    state.dtype === 'float64' ? (['F64', Float64Array] as const) : (['F32', Float32Array] as const)
  const size = Elements.BYTES_PER_ELEMENT
  return {
    dtype,
    byteLength: (end - first) * size,
    copy: (begin, { buffer, byteOffset, length }) =>
      state.read(arena, first + begin / size, new Elements(buffer as ArrayBuffer, byteOffset, length / size)),
  }
}
