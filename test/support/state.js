// A program's state as plain values, and back.
import { native } from '../../dist/native.js'

const elements = { float32: Float32Array, float64: Float64Array }

/** All arenas but the gradients, or those named. */
export async function stateOf(program, arenas) {
  const snapshot = new native.Snapshot(program, arenas)
  await program.exportState(snapshot)
  const state = plainState(snapshot)
  snapshot.dispose()
  return state
}

export function plainState(snapshot) {
  const { step, momentumProduct, watching, length, dtype } = snapshot
  const read = (arena) => {
    const to = new elements[dtype](length)
    snapshot.read(arena, 0, to)
    return to
  }
  const arenas = Object.fromEntries(snapshot.arenas.map((arena) => [arena, read(arena)]))
  return { step, momentumProduct, watching, arenas }
}

/** Makes the program what `stateOf` has told. */
export async function goOnFrom(program, { arenas, ...numbers }) {
  const snapshot = new native.Snapshot(program)
  Object.assign(snapshot, numbers)
  for (const arena of snapshot.arenas) snapshot.write(arena, 0, arenas[arena])
  await program.importState(snapshot).finally(() => snapshot.dispose())
}
