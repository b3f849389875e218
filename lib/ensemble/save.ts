/** What an ensemble's file says: each member's tensors and metadata under its number, and how they become one. */
import type { Model } from '../model/model.js'
import { ensembleFormat, type Packed, type SaveOptions } from '../model/save.js'
import { version } from '../version.js'

/** Entry `ensemble` of the metadata. Beside it are `format`, `version`, `metadata` of the user's own, and the members. */
export interface EnsembleDefinition {
  readonly combine: string
  /** One for each member. */
  readonly weights: readonly number[]
  readonly temperature: number
}

/** Of the names of a member's tensors. Its metadata are the entry `member` and its number. */
export const prefixOf = (member: number): string => `${member}/`
export const entryOf = (member: number): string => `member${member}`

/** What the file will hold, as long as `use` takes; each member is of one moment between its steps. */
export async function packEnsemble<Values extends object, Result>(
  members: readonly Model<Values>[],
  definition: EnsembleDefinition,
  { optimizer, metadata }: SaveOptions,
  use: (packed: Packed) => Promise<Result>,
): Promise<Result> {
  const all: Packed = {
    tensors: [],
    metadata: { format: ensembleFormat, version, ensemble: JSON.stringify(definition) },
  }
  if (metadata !== undefined) all.metadata.metadata = JSON.stringify(metadata)
  const packFrom = async (number: number): Promise<Result> => {
    const member = members[number]
    if (!member) return use(all)
    return member.pack({ optimizer }, (packed) => {
      all.metadata[entryOf(number)] = JSON.stringify(packed.metadata)
      for (const tensor of packed.tensors) all.tensors.push({ ...tensor, name: prefixOf(number) + tensor.name })
      return packFrom(number + 1)
    })
  }
  return packFrom(0)
}
