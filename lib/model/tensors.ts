/** Tensors of a file that somebody else may have written. */
import { isAnyArrayBuffer, isUint8Array } from 'node:util/types'
import { GradusError, invalidArgument } from '../errors.js'
import { checkPath, type FileSource, fileError, nameOf } from '../files.js'
import { formatShape, sameShape } from '../layers/shape.js'
import type { DataType, FloatArray } from '../native.js'
import { openBytes, SafetensorsReader } from './file.js'
import { short } from './json-reader.js'
import { badFile, type Header, type TensorPlace } from './safetensors.js'

/** Opens a safetensors file, or reads bytes as one. Whatever check finds that it does not fit, errors name it. */
export async function withTensors<Result>(
  file: unknown,
  work: (tensors: SafetensorsReader) => Promise<Result>,
): Promise<Result> {
  const source = checkSource(file)
  const bytes = await openBytes(source)
  try {
    const tensors = await SafetensorsReader.open(bytes)
    await tensors.checkHash()
    return await work(tensors)
  } catch (error) {
    throw aboutFile(source, error)
  } finally {
    await bytes.close()
  }
}

function checkSource(file: unknown): string | Uint8Array {
  if (isUint8Array(file)) return file
  if (isAnyArrayBuffer(file)) return new Uint8Array(file)
  if (typeof file === 'string' || (typeof file === 'object' && file !== null)) return checkPath('file', file)
  throw invalidArgument('file', 'a path, a file URL or the bytes of a file', file)
}

const faultsOfFile = ['GRADUS_BAD_FILE', 'GRADUS_INVALID_ARGUMENT', 'GRADUS_SHAPE_MISMATCH', 'GRADUS_BAD_DESCRIPTOR']

function aboutFile(source: FileSource, error: unknown): GradusError {
  if (!(error instanceof GradusError)) return fileError(source, error)
  const code = faultsOfFile.includes(error.code) ? 'GRADUS_BAD_FILE' : error.code
  return new GradusError(code, `${nameOf(source)}: ${error.message}`, { cause: error })
}

export function checkFinite(name: string, values: FloatArray, first: number, dtype: DataType): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue
    throw badFile(`tensor ${short(name)}, element ${first + i}: expected a finite ${dtype}, received ${values[i]}`)
  }
}

/** What becomes a weight of either dtype. */
const readable = ['F32', 'F64', 'F16', 'BF16']
export const isReadable = ({ dtype }: TensorPlace): boolean => readable.includes(dtype)

/** Of the right shape, and unless it will be converted of the right dtype. */
export function checkEntry({ tensors }: Header, name: string, shape: readonly number[], dtype?: DataType): void {
  const tensor = tensors.get(name)
  if (!tensor) throw badFile(`there is no tensor "${name}", which the model needs`)
  if (!sameShape(tensor.shape, shape)) {
    throw badFile(
      `tensor "${name}" is of shape ${formatShape(tensor.shape)}, and the model needs ${formatShape(shape)}`,
    )
  }
  const needed = dtype === undefined ? readable : dtype === 'float32' ? ['F32'] : ['F64']
  if (needed.includes(tensor.dtype)) return
  throw badFile(`tensor "${name}" is ${tensor.dtype}, and the model needs ${needed.join(' or ')}`)
}
