/** A model made again from its file. */
import { checkBoolean } from '../checks.js'
import { restoreConventions } from '../data/conventions.js'
import { GradusError } from '../errors.js'
import type { FileSource } from '../files.js'
import type { FloatArray } from '../native.js'
import { optionsOf } from '../options.js'
import { version } from '../version.js'
import { checkGraph } from './build.js'
import { restoreCompileOptions } from './compile.js'
import { type CustomPartsByName, type CustomPartsGiven, partsOf } from './custom-parts.js'
import { restoreNetwork } from './definition.js'
import type { SafetensorsReader } from './file.js'
import { parseShallow, short } from './json-reader.js'
import { Model } from './model.js'
import { badFile, type Header } from './safetensors.js'
import { ensembleFormat, entriesOf, formatVersion, isOfRun, stateArenas } from './save.js'
import { checkEntry, checkFinite, withTensors } from './tensors.js'
import { beginWith } from './weights.js'

/** Of a model with parts of one's own, these: a file holds no functions. */
export interface LoadOptions extends CustomPartsByName {
  /** False: the model is not compiled again, and needs none of its losses, optimizers and metrics. Default true. */
  compile?: boolean | undefined
}

/** For lists of options. */
export const loadRules = {
  compile: [checkBoolean, true],
  layers: [partsOf('layers'), {}],
  losses: [partsOf('losses'), {}],
  optimizers: [partsOf('optimizers'), {}],
  metrics: [partsOf('metrics'), {}],
  regularizers: [partsOf('regularizers'), {}],
} as const

const readOptions = optionsOf<LoadOptions>()('loadModel', loadRules)

/**
 * Reads a model that `model.save` or `model.toBuffer` wrote, compiled again if it was, with the optimizer's state if that was
 * saved. Only custom parts need code: they are given by the names that they were made with.
 *
 * @param file - a path, a file URL, or the bytes themselves
 * @throws GRADUS_BAD_FILE naming what is wrong with the file, GRADUS_MISSING_FUNCTIONS naming the part that must be given
 * @example
 * const model = await loadModel('models/iris.safetensors')
 * const other = await loadModel(await response.arrayBuffer(), { layers: { meanPool } })
 */
export async function loadModel(file: FileSource | ArrayBuffer, options: LoadOptions = {}): Promise<Model> {
  const read = readOptions(options)
  return withTensors(file, (tensors) => loadFrom(tensors, read))
}

/** A file of one model, or the part of a file that is one. */
export type ModelFile = Pick<SafetensorsReader, 'header' | 'pieces'>

/** The model, of a file that can be read. */
export async function loadFrom(file: ModelFile, options: ReturnType<typeof readOptions>): Promise<Model> {
  const { metadata } = file.header
  checkFormat(metadata)
  const definition = parse('model', metadata.model)
  const training = options.compile && metadata.training !== undefined ? parse('training', metadata.training) : undefined
  const own = metadata.metadata === undefined ? undefined : parse('metadata', metadata.metadata)
  const model = make(definition, metadata.version, options, own)
  if (metadata.conventions !== undefined) {
    Object.assign(model.conventions, restoreConventions(parse('conventions', metadata.conventions)))
  }
  // Before anything is allocated: what the model asks for must lie in the file.
  const { dtype, parameters } = model.descriptor
  for (const { name, shape } of parameters) checkEntry(file.header, name, shape, dtype)
  try {
    if (training !== undefined) model.compile(restoreCompileOptions(training, options))
    const step = options.compile ? checkStep(metadata) : undefined
    await readTensors(model, file, step !== undefined, !options.compile)
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

function checkFormat({ format, version: writer }: Header['metadata']): void {
  if (format === formatVersion) return
  if (format === undefined)
    throw badFile('no saved model: its metadata have no format; model.loadWeights() reads weights alone')
  if (format === ensembleFormat) throw badFile('it holds an ensemble: loadEnsemble() reads it')
  if (/^gradus \d+$/.test(format)) {
    const newer = `was written by a newer Gradus${writer === undefined ? '' : `, ${short(writer)}`}`
    throw badFile(`it ${newer}: its format is "${format}", and this is ${version}, which reads "${formatVersion}"`)
  }
  throw badFile(`its format is ${short(format)}, not the "${formatVersion}" of a saved model`)
}

/** The model without its weights. */
function make(definition: unknown, writer: string | undefined, parts: CustomPartsGiven, metadata: unknown): Model {
  try {
    const { frozen, ...network } = restoreNetwork(definition, parts)
    return new Model({ ...checkGraph(network), frozen }, { initialize: false, metadata })
  } catch (error) {
    if (!(error instanceof GradusError) || writer === undefined || writer === version) throw error
    throw new GradusError(error.code, `${error.message}; Gradus ${short(writer)} wrote it, and this is ${version}`, {
      cause: error,
    })
  }
}

/** Weights, and with the optimizer the arenas beside them; nothing else may lie in the file. */
async function readTensors(
  model: Model,
  file: ModelFile,
  withOptimizer: boolean,
  withoutTraining: boolean,
): Promise<void> {
  const { dtype, parameters } = model.descriptor
  const entries = entriesOf(['parameters', ...(withOptimizer ? stateArenas(model.program) : [])], parameters)
  for (const { name, shape } of entries) checkEntry(file.header, name, shape, dtype)
  const wanted = new Set(entries.map(({ name }) => name))
  const extra = [...file.header.tensors.keys()].find(
    (name) => !wanted.has(name) && !isOfRun(name) && !(withoutTraining && name.includes('/')),
  )
  if (extra !== undefined) throw badFile(`tensor ${JSON.stringify(extra)} belongs to nothing in the model`)
  for (const { arena, i, name } of entries) {
    for await (const { first, data } of file.pieces(name)) {
      const values = data as FloatArray
      if (arena === 'parameters' || arena === 'average') checkFinite(name, values, first, dtype)
      if (arena === 'parameters') beginWith(model.program, i, values, first)
      else model.program.write(arena, i, values, first)
    }
  }
}

export function checkStep({ step, training }: Header['metadata']): number | undefined {
  if (step === undefined) return undefined
  if (!/^\d{1,16}$/.test(step) || !Number.isSafeInteger(Number(step))) {
    throw badFile('the step in the metadata is not a whole number')
  }
  if (training === undefined) throw badFile('the metadata have a step, but no training that it could be of')
  return Number(step)
}

/** None in files of before there was one: then momenta were one and the same. */
export function checkProduct({ momentumProduct }: Header['metadata']): number | undefined {
  if (momentumProduct === undefined) return undefined
  const product = Number(momentumProduct)
  if (momentumProduct.trim() === '' || !(product >= 0 && product <= 1)) {
    throw badFile('the momentumProduct in the metadata is not a number from 0 to 1')
  }
  return product
}

/** @throws GRADUS_BAD_FILE naming the entry */
export function parse(entry: string, json: string | undefined): unknown {
  if (json === undefined) throw badFile(`the metadata have no entry "${entry}"`)
  try {
    return parseShallow(json)
  } catch (error) {
    if (error instanceof GradusError) throw badFile(`entry "${entry}" of the metadata: ${error.message}`, error)
    throw badFile(`entry "${entry}" of the metadata is not JSON`, error)
  }
}
