import { setImmediate as nextTick } from 'node:timers/promises'
import type { FloatArray, NativeProgram } from '../native.js'
import { inTurn } from './turn.js'

/** All parameters, those that are not trained included, and what there is of an average; nothing else of the optimizer. */
const placesOf = ({ arenas, parameters }: NativeProgram): [arena: string, parameter: number][] =>
  arenas
    .filter((arena) => arena === 'parameters' || arena === 'average')
    .flatMap((arena) => parameters.map((_, i): [string, number] => [arena, i]))

/** Copies, for {@link restoreWeights}. */
export function copyWeights(program: NativeProgram): Promise<FloatArray[]> {
  return inTurn(program, async () => {
    const copies: FloatArray[] = []
    for (const [arena, i] of placesOf(program)) {
      if (copies.length > 0) await nextTick()
      copies.push(program.read(arena, i))
    }
    return copies
  })
}

export function restoreWeights(program: NativeProgram, weights: FloatArray[]): Promise<void> {
  return inTurn(program, async () => {
    const places = placesOf(program)
    for (const [number, data] of weights.entries()) {
      if (number > 0) await nextTick()
      const [arena, i] = places[number]!
      program.write(arena, i, data)
    }
  })
}
