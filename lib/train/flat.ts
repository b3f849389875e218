/** The trainable weights of a program as one vector: one parameter after the other, as `hessianVector` lays them out. */
import type { NativeProgram } from '../native.js'

export interface FlatParameter {
  readonly number: number
  readonly name: string
  readonly shape: readonly number[]
  /** Where its elements begin. */
  readonly first: number
  readonly size: number
}

export function flatParameters(program: NativeProgram): FlatParameter[] {
  let first = 0
  return program.parameters.flatMap(({ name, shape, size, trainable }, number) => {
    if (!trainable) return []
    first += size
    return [{ number, name, shape, first: first - size, size }]
  })
}

export function readFlat(program: NativeProgram, arena: string): Float64Array {
  const parameters = flatParameters(program)
  const flat = new Float64Array(parameters.reduce((sum, { size }) => sum + size, 0))
  for (const { number, first } of parameters) flat.set(program.read(arena, number), first)
  return flat
}

export function writeFlat(program: NativeProgram, arena: string, flat: Float64Array): void {
  for (const { number, first, size } of flatParameters(program)) {
    program.write(arena, number, flat.subarray(first, first + size))
  }
}
