/** What a model's file says: weights by name, and in the metadata all that makes the model again. */
import type { NativeProgram } from '../native.js'
import { type Compiled, defineCompiled } from './compile.js'
import { define } from './definition.js'
import { writeSafetensors } from './file.js'
import type { Lowered, Network } from './lower.js'
import type { Tensor } from './safetensors.js'

/** Entry `format` of the metadata. Next to it: `model`, and if compiled `training`, and with the optimizer `step`. */
export const formatVersion = 'gradus 1'

/** What else a file can hold for each trained weight: the arenas of the optimizer's slots and of the running average. */
export const stateArenas = (program: NativeProgram): string[] =>
  program.arenas.filter((arena) => arena !== 'parameters' && arena !== 'gradients')

export const entryName = (arena: string, parameter: string): string =>
  arena === 'parameters' ? parameter : `${arena}/${parameter}`

/** Copies everything now, so that what is written is of one moment, then writes. */
export async function saveModel(
  file: string,
  network: Network,
  { descriptor: { parameters } }: Lowered,
  program: NativeProgram,
  compiled: Compiled | undefined,
  withOptimizer: boolean,
): Promise<void> {
  const tensors: Tensor[] = []
  for (const arena of ['parameters', ...(withOptimizer ? stateArenas(program) : [])]) {
    parameters.forEach(({ name, shape, trainable }, i) => {
      if (arena !== 'parameters' && !trainable) return
      tensors.push({ name: entryName(arena, name), shape, data: program.read(arena, i) })
    })
  }
  const metadata: Record<string, string> = { format: formatVersion, model: JSON.stringify(define(network)) }
  if (compiled) metadata.training = JSON.stringify(defineCompiled(compiled))
  if (withOptimizer) metadata.step = String(program.step)
  await writeSafetensors(file, tensors, metadata)
}
