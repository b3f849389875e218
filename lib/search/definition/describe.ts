/** What a folder is told of a study. */
import type { JsonObject, StudyDescription, StudyModule } from '../../study/index.js'
import { version } from '../../version.js'
import type { StudyDefinition } from './define-study.js'

/** Samplers and pruners by their names and settings. */
interface Described {
  readonly name: string
  readonly settings?: JsonObject | undefined
}

const described = ({ name, settings }: Described): JsonObject => ({ name, ...settings })

/** What two studies of one folder may not differ in, and what is good to know. */
export function describeStudy(definition: StudyDefinition, module: StudyModule | null): StudyDescription {
  const { metric, direction, epochs, space, sampler, pruner, stages, seed } = definition
  const { trials, folds, repeats, reproducible, parallel, initial, startFrom } = definition
  return {
    ...{ metric, direction, epochs, trials, seed, module },
    space: space.parameters as unknown as JsonObject,
    sampler: described(sampler),
    pruner: pruner && described(pruner),
    stages: stages as unknown as JsonObject[] | null,
    details: { folds, repeats, reproducible, ...(reproducible && { parallel }), initial, startFrom },
    versions: { gradus: version, node: process.versions.node },
  }
}
