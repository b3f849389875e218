/** What a model's file says: weights by name, and in the metadata all that makes the model again. */
import type { Conventions } from '../data/conventions.js'
import { GradusError } from '../errors.js'
import { sizeOf } from '../layers/shape.js'
import type { NativeProgram } from '../native.js'
import { inTurn } from '../train/turn.js'
import { type Compiled, defineCompiled } from './compile.js'
import { define } from './definition.js'
import { writeSafetensors } from './file.js'
import type { Lowered, Network } from './lower.js'
import type { Tensor } from './safetensors.js'

/** Entry `format` of the metadata. Next to it: `model`, and if compiled `training`, and with the optimizer `step` and `momentumProduct`. */
export const formatVersion = 'gradus 1'

/** What else a file can hold for each trained weight: the arenas of the optimizer's slots and of the running average. */
export const stateArenas = (program: NativeProgram): string[] =>
  program.arenas.filter((arena) => arena !== 'parameters' && arena !== 'gradients')

export const entryName = (arena: string, parameter: string): string =>
  arena === 'parameters' ? parameter : `${arena}/${parameter}`

/** Copies everything in the program's turn, so that what is written is of one moment between steps, then writes. */
export async function saveModel(
  file: string,
  network: Network,
  { descriptor: { parameters }, custom }: Lowered,
  program: NativeProgram,
  compiled: Compiled | undefined,
  conventions: Conventions,
  withOptimizer: boolean,
): Promise<void> {
  const functions = [...custom.layers.values(), compiled?.loss.custom, compiled?.optimizer.custom].find((part) => part)
  if (functions || custom.regularizers.size) {
    const name = functions?.name ?? 'a custom regularizer'
    const message = `save: a file cannot hold the functions of ${name}; write getWeights() yourself`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const metadata: Record<string, string> = { format: formatVersion, model: JSON.stringify(define(network)) }
  if (conventions.classes) metadata.conventions = JSON.stringify(conventions)
  if (compiled) metadata.training = JSON.stringify(defineCompiled(compiled))
  const arenas = ['parameters', ...(withOptimizer ? stateArenas(program) : [])]
  const state = await inTurn(program, () => program.exportState(arenas))
  if (withOptimizer) {
    metadata.step = String(state.step)
    metadata.momentumProduct = String(state.momentumProduct)
  }
  const tensors: Tensor[] = arenas.flatMap((arena) => {
    let end = 0
    return parameters.flatMap(({ name, shape, trainable }) => {
      const begin = end
      end += sizeOf(shape)
      const data = state.arenas[arena]!.subarray(begin, end)
      return arena === 'parameters' || trainable ? { name: entryName(arena, name), shape, data } : []
    })
  })
  await writeSafetensors(file, tensors, metadata)
}
