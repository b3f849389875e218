/** A model made again from its file. */
import { restoreConventions } from '../data/conventions.js'
import { GradusError } from '../errors.js'
import { checkPath, fileError, nameOf, openFile } from '../files.js'
import { formatShape, sameShape } from '../layers/shape.js'
import type { FloatArray } from '../native.js'
import { checkGraph } from './build.js'
import { restoreCompileOptions } from './compile.js'
import { restoreNetwork } from './definition.js'
import { SafetensorsFile } from './file.js'
import { Model } from './model.js'
import { badFile, type Header } from './safetensors.js'
import { entryName, formatVersion, stateArenas } from './save.js'
import { beginWith } from './weights.js'

/**
 * Reads a model that `model.save` wrote, compiled again if it was, with the optimizer's state if that was saved. No code
 * of the model's own is needed.
 *
 * @param file - a path or a file URL
 * @throws GRADUS_BAD_FILE naming what is wrong with the file
 */
export async function loadModel(file: string | URL): Promise<Model> {
  const path = checkPath('file', file)
  const opened = await openFile(path)
  try {
    return await load(await SafetensorsFile.read(opened))
  } catch (error) {
    throw aboutFile(path, error)
  } finally {
    await opened.handle.close()
  }
}

/** What does not fit in a file is the file's fault, whichever check found it. */
function aboutFile(path: string, error: unknown): GradusError {
  if (!(error instanceof GradusError)) return fileError(path, error)
  const isOfSystem = ['GRADUS_OUT_OF_MEMORY', 'GRADUS_OUT_OF_THREADS', 'GRADUS_TOO_LARGE'].includes(error.code)
  return new GradusError(isOfSystem ? error.code : 'GRADUS_BAD_FILE', `${nameOf(path)}: ${error.message}`, {
    cause: error,
  })
}

async function load(file: SafetensorsFile): Promise<Model> {
  const { metadata } = file.header
  if (metadata.format !== formatVersion) {
    throw badFile(`its format is ${JSON.stringify(metadata.format)}, not the "${formatVersion}" of a saved model`)
  }
  const network = checkGraph(restoreNetwork(parse('model', metadata.model)))
  const model = new Model(network, { initialize: false })
  if (metadata.conventions !== undefined) {
    Object.assign(model.conventions, restoreConventions(parse('conventions', metadata.conventions)))
  }
  const { dtype, parameters } = model.descriptor
  // Before anything is allocated: what the model asks for must lie in the file.
  for (const { name, shape } of parameters) checkEntry(file.header, name, shape, dtype)
  try {
    if (metadata.training !== undefined) model.compile(restoreCompileOptions(parse('training', metadata.training)))
    const step = checkStep(metadata)
    const arenas = ['parameters', ...(step === undefined ? [] : stateArenas(model.program))]
    const entries = arenas.flatMap((arena) =>
      parameters.flatMap(({ name, shape, trainable }, i) =>
        arena === 'parameters' || trainable ? { arena, i, shape, name: entryName(arena, name) } : [],
      ),
    )
    for (const { name, shape } of entries) checkEntry(file.header, name, shape, dtype)
    const wanted = new Set(entries.map(({ name }) => name))
    const extra = [...file.header.tensors.keys()].find((name) => !wanted.has(name))
    if (extra !== undefined) throw badFile(`tensor ${JSON.stringify(extra)} belongs to nothing in the model`)
    for (const { arena, i, name } of entries) {
      for await (const { first, data } of file.pieces(name)) {
        if (arena === 'parameters') beginWith(model.program, i, data as FloatArray, first)
        else model.program.write(arena, i, data as FloatArray, first)
      }
    }
    if (step !== undefined) {
      model.program.step = step
      const product = checkProduct(metadata)
      if (product !== undefined) model.program.momentumProduct = product
    }
    return model
  } catch (error) {
    model.dispose()
    throw error
  }
}

function checkEntry({ tensors }: Header, name: string, shape: number[], dtype: 'float32' | 'float64'): void {
  const tensor = tensors.get(name)
  if (!tensor) throw badFile(`there is no tensor "${name}", which the model needs`)
  if (!sameShape(tensor.shape, shape)) {
    throw badFile(
      `tensor "${name}" is of shape ${formatShape(tensor.shape)}, and the model needs ${formatShape(shape)}`,
    )
  }
  const needed = dtype === 'float32' ? 'F32' : 'F64'
  if (tensor.dtype !== needed) throw badFile(`tensor "${name}" is ${tensor.dtype}, and the model needs ${needed}`)
}

function checkStep({ step, training }: Readonly<Record<string, string>>): number | undefined {
  if (step === undefined) return undefined
  if (!/^\d{1,16}$/.test(step) || !Number.isSafeInteger(Number(step))) {
    throw badFile('the step in the metadata is not a whole number')
  }
  if (training === undefined) throw badFile('the metadata have a step, but no training that it could be of')
  return Number(step)
}

/** None in files of before there was one: then momenta were one and the same. */
function checkProduct({ momentumProduct }: Readonly<Record<string, string>>): number | undefined {
  if (momentumProduct === undefined) return undefined
  const product = Number(momentumProduct)
  if (momentumProduct.trim() === '' || !(product >= 0 && product <= 1)) {
    throw badFile('the momentumProduct in the metadata is not a number from 0 to 1')
  }
  return product
}

function parse(entry: string, json: string | undefined): unknown {
  if (json === undefined) throw badFile(`the metadata have no entry "${entry}"`)
  try {
    return JSON.parse(json)
  } catch (error) {
    throw badFile(`entry "${entry}" of the metadata is not JSON`, error)
  }
}
