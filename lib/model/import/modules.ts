/** The tensors of a file, as the modules of the network that they were written from. */
import type { Shape } from '../../layers/shape.js'
import type { Header } from '../safetensors.js'

/** `features.0` with `weight` and `bias`. */
export interface Module {
  readonly name: string
  readonly tensors: ReadonlyMap<string, { readonly name: string; readonly shape: Shape }>
}

export interface Modules {
  readonly list: readonly Module[]
  /** Whether the file has them by name, which says nothing of their order in the network but for the numbers in it. */
  readonly areSorted: boolean
}

/** What a layer counts with, and has no use for elsewhere. */
const counters = ['num_batches_tracked', 'seed', 'seed_generator_state']

export function modulesOf({ tensors }: Header): Modules {
  const names = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end).map(([name]) => name)
  const modules = new Map<string, { name: string; tensors: Map<string, { name: string; shape: Shape }> }>()
  for (const name of names) {
    const [module, role] = split(name)
    if (counters.includes(role)) continue
    const known = modules.get(module) ?? { name: module, tensors: new Map() }
    modules.set(module, known)
    known.tensors.set(role, { name, shape: tensors.get(name)!.shape })
  }
  const list = [...modules.values()]
  const areSorted = isSorted(names, tensors)
  return { list: areSorted ? list.sort((a, b) => byNumbers(a.name, b.name)) : list, areSorted }
}

/** At the last `.` or `/`; Keras of old had `:0` after the name. */
function split(name: string): [module: string, role: string] {
  const plain = name.replace(/:\d+$/, '')
  const at = Math.max(plain.lastIndexOf('.'), plain.lastIndexOf('/'))
  return [plain.slice(0, Math.max(0, at)), plain.slice(at + 1)]
}

/** As the library of the format writes them: by dtype, and of one dtype by name. */
function isSorted(names: readonly string[], tensors: Header['tensors']): boolean {
  return names.every((name, i) => {
    const before = names[i - 1]
    return before === undefined || tensors.get(before)!.dtype !== tensors.get(name)!.dtype || before < name
  })
}

/** Runs of digits count as numbers: `conv2` comes before `conv10`, and `conv2d` before `conv2d_1`. */
function byNumbers(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => name.split(/(\d+)/))
  for (const [i, part] of left!.entries()) {
    const other = right![i]
    if (other === undefined) return 1
    const difference = i % 2 ? Number(part) - Number(other) : part < other ? -1 : Number(part > other)
    if (difference !== 0) return difference
  }
  return left!.length - right!.length
}

/** What is left of a name without its numbers: of one kind only these tell the order. */
export const withoutNumbers = ({ name }: Module): string => name.replaceAll(/_?\d+/g, '#').replace(/#$/, '')
