/** An ensemble made again from its file. */
import { isRecord } from '../call.js'
import { GradusError } from '../errors.js'
import type { FileSource } from '../files.js'
import { type LoadOptions, loadFrom, loadRules, type ModelFile, parse } from '../model/load.js'
import type { Model } from '../model/model.js'
import { badFile, type Header } from '../model/safetensors.js'
import { ensembleFormat, formatVersion } from '../model/save.js'
import { withTensors } from '../model/tensors.js'
import { optionsOf } from '../options.js'
import { version } from '../version.js'
import { Ensemble, type EnsembleOptions } from './ensemble.js'
import { entryOf, prefixOf } from './save.js'

const readOptions = optionsOf<LoadOptions>()('loadEnsemble', loadRules)

/**
 * Reads an ensemble that `ensemble.save` or `ensemble.toBuffer` wrote, members and all: `dispose` frees them too. Else as
 * {@link loadModel}.
 *
 * @param file - a path, a file URL, or the bytes themselves
 * @throws GRADUS_BAD_FILE naming what is wrong with the file, GRADUS_MISSING_FUNCTIONS naming the part that must be given
 * @example const together = await loadEnsemble('models/iris-ensemble.safetensors')
 */
export async function loadEnsemble(file: FileSource | ArrayBuffer, options: LoadOptions = {}): Promise<Ensemble> {
  const read = readOptions(options)
  return withTensors(file, (tensors) => load(tensors, read))
}

async function load(file: ModelFile, options: ReturnType<typeof readOptions>): Promise<Ensemble> {
  const { metadata, tensors } = file.header
  checkFormat(metadata)
  const { count, ...definition } = readDefinition(parse('ensemble', metadata.ensemble))
  const own = metadata.metadata === undefined ? undefined : parse('metadata', metadata.metadata)
  const extra = [...tensors.keys()].find((name) => !(Number(/^(0|[1-9]\d*)\//.exec(name)?.[1]) < count))
  if (extra !== undefined) throw badFile(`tensor ${JSON.stringify(extra)} belongs to no member`)
  const members: Model[] = []
  try {
    for (let number = 0; number < count; number++) members.push(await loadMember(file, number, options))
    return new Ensemble(members, definition, { ownsMembers: true, metadata: own })
  } catch (error) {
    for (const member of members) member.dispose()
    throw error
  }
}

async function loadMember(file: ModelFile, number: number, options: ReturnType<typeof readOptions>): Promise<Model> {
  const own = memberFile(file, number)
  try {
    return await loadFrom(own, options)
  } catch (error) {
    if (!(error instanceof GradusError)) throw error
    throw new GradusError(error.code, `member ${number}: ${error.message}`, { cause: error })
  }
}

function checkFormat({ format }: Header['metadata']): void {
  if (format === ensembleFormat) return
  if (format === formatVersion) throw badFile('it holds a model: loadModel() reads it')
  if (format === undefined) throw badFile('no saved ensemble: its metadata have no format')
  throw badFile(`its format is ${JSON.stringify(format)}, and this is ${version}, which reads "${ensembleFormat}"`)
}

/** Their values are checked as those of a user's own call. */
function readDefinition(definition: unknown): EnsembleOptions & { count: number } {
  if (!isRecord(definition) || !Array.isArray(definition.weights)) {
    throw badFile('entry "ensemble" of the metadata has no list of weights')
  }
  return { ...definition, count: definition.weights.length } as EnsembleOptions & { count: number }
}

/** One member's part of the file, as a file of its own. */
function memberFile(file: ModelFile, number: number): ModelFile {
  const prefix = prefixOf(number)
  const metadata = parse(entryOf(number), file.header.metadata[entryOf(number)])
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw badFile(`entry "${entryOf(number)}" of the metadata is no list of entries`)
  }
  const own = [...file.header.tensors].filter(([name]) => name.startsWith(prefix))
  const tensors = new Map(own.map(([name, place]) => [name.slice(prefix.length), place]))
  const header: Header = { ...file.header, metadata: metadata as Record<string, string>, tensors }
  return { header, pieces: (name) => file.pieces(prefix + name) }
}
