/** Members that are read from files, and belong to their ensemble. */
import type { FileSource } from '../files.js'
import { type LoadOptions, loadModel } from '../model/load.js'
import type { Model } from '../model/model.js'
import { anything } from '../options.js'
import { type Combine, Ensemble } from './ensemble.js'

/** Of models with parts of one's own, these, as for {@link loadModel}; and how the predictions become one. */
export interface LoadedOptions extends Omit<LoadOptions, 'compile'> {
  /** How the members' predictions become one; see {@link EnsembleOptions}. */
  combine?: Combine | undefined
}

/** Each is checked by whom it is for. */
export const loadedRules = {
  combine: anything<Combine | undefined>,
  layers: anything<LoadOptions['layers']>,
  losses: anything<LoadOptions['losses']>,
  optimizers: anything<LoadOptions['optimizers']>,
  metrics: anything<LoadOptions['metrics']>,
  regularizers: anything<LoadOptions['regularizers']>,
} as const

/** In order. When one cannot be read, those before it are disposed of. */
export async function loadMembers(files: readonly FileSource[], options: LoadedOptions): Promise<Ensemble> {
  const { combine, layers = {}, losses = {}, optimizers = {}, metrics = {}, regularizers = {} } = options
  const members: Model[] = []
  try {
    for (const file of files) members.push(await loadModel(file, { layers, losses, optimizers, metrics, regularizers }))
    return new Ensemble(members, { combine }, { ownsMembers: true })
  } catch (error) {
    for (const member of members) member.dispose()
    throw error
  }
}
