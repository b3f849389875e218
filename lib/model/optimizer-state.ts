/** The state of an optimizer out of the file of another model, which has gone on from there with other settings. */
import type { Call } from '../call.js'
import type { FileSource } from '../files.js'
import type { FloatArray } from '../native.js'
import { customName } from './custom-parts.js'
import { checkProduct, checkStep, parse } from './load.js'
import type { Model } from './model.js'
import { entriesOf, stateArenas } from './save.js'
import { checkEntry, withTensors } from './tensors.js'

/**
 * Slots, average of the weights and count of updates, of a model whose parameters are those of the file: what its next update
 * makes of a gradient is what the file's own optimizer would, but for learning rate, momentum and whatever else it was given.
 *
 * @returns whether the file has them: it was saved with an optimizer of the same kind, which has these slots
 * @throws `GRADUS_BAD_FILE`
 */
export const loadOptimizerState = (model: Model, file: FileSource): Promise<boolean> =>
  withTensors(file, async (tensors) => {
    const { header } = tensors
    const { program, descriptor } = model
    const step = checkStep(header.metadata)
    const own = model.parts().compiled?.optimizer.call
    if (step === undefined || own === undefined) return false
    const { optimizer } = parse('training', header.metadata.training) as { optimizer?: unknown }
    const entries = entriesOf(stateArenas(program), descriptor.parameters)
    if (!isSameRule(own, optimizer) || !entries.every(({ name }) => header.tensors.has(name))) return false
    for (const { name, shape } of entries) checkEntry(header, name, shape)
    for (const { arena, i, name } of entries) {
      for await (const { first, data } of tensors.pieces(name)) program.write(arena, i, data as FloatArray, first)
    }
    program.step = step
    const product = checkProduct(header.metadata)
    if (product !== undefined) program.momentumProduct = product
    return true
  })

/** The function that makes it, and of a custom one its name. */
const isSameRule = (own: Call, other: unknown): boolean =>
  Array.isArray(other) && other[0] === own[0] && customName(other as unknown as Call) === customName(own)
