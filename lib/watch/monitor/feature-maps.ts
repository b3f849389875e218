/** What the first convolutions answer to one example. */
import type { Descriptor, FloatArray, NativeProgram, NodeDescriptor } from '../../native.js'
import { native } from '../../native.js'
import type { TrainTarget } from '../../train/target.js'
import type { FeatureMaps } from '../recording/latest.js'
import { stretched } from './images.js'

const mostLayers = 3
const mostMaps = 16
/** Of larger maps every second pixel is shown, or fewer. */
const mostSide = 64

/** Follows a convolution and leaves each map its place. */
const finishing = ['activation', 'batch_norm', 'group_norm']

interface Watched {
  readonly layer: string
  /** The network up to it. */
  readonly program: NativeProgram
  /** By number of its parameter: that of the whole network. */
  readonly parameters: readonly number[]
}

export class FeatureMapWatch {
  readonly #whole: NativeProgram
  readonly #example: FloatArray
  readonly #watched: readonly Watched[]

  private constructor(whole: NativeProgram, example: FloatArray, watched: readonly Watched[]) {
    this.#whole = whole
    this.#example = example
    this.#watched = watched
  }

  /** Null for networks that do not begin with convolutions of images. */
  static open({ program, descriptor }: TrainTarget, example: FloatArray): FeatureMapWatch | null {
    const { inputs, nodes } = descriptor
    const ends = nodes
      .flatMap((node, i) => (node.op === 'convolution' ? [endOf(descriptor, inputs.length + i)] : []))
      .slice(0, mostLayers)
    const watched = ends.flatMap((node) => watch(descriptor, node) ?? [])
    return watched.length > 0 ? new FeatureMapWatch(program, example, watched) : null
  }

  look(): FeatureMaps[] {
    return this.#watched.map(({ layer, program, parameters }) => {
      for (const [to, from] of parameters.entries()) {
        program.write('parameters', to, this.#whole.read('parameters', from))
      }
      const [height, width, maps] = program.outputShape as [number, number, number]
      const values = new (program.dtype === 'float32' ? Float32Array : Float64Array)(height * width * maps)
      program.predictRows(1, 1, values, this.#example)
      return { layer, ...mapsOf(values, height, width, maps) }
    })
  }

  close(): void {
    for (const { program } of this.#watched) program.dispose()
  }
}

/** Where a convolution's norm and activation have been applied, if nothing else takes it before. */
function endOf({ inputs, nodes }: Descriptor, number: number): number {
  let end = number
  for (;;) {
    const takers = nodes.flatMap((node, i) => (node.inputs.includes(end) ? [i] : []))
    if (takers.length !== 1 || !finishing.includes(nodes[takers[0]!]!.op)) return end
    end = inputs.length + takers[0]!
  }
}

/** The network up to a node; null where JavaScript computes some of it, or it is no image. */
function watch(descriptor: Descriptor, end: number): Watched | null {
  const { inputs, nodes } = descriptor
  const needed = new Set<number>([end])
  for (let number = end; number >= inputs.length; number--) {
    if (needed.has(number)) for (const from of nodes[number - inputs.length]!.inputs) needed.add(from)
  }
  const kept = nodes.filter((_, i) => needed.has(inputs.length + i))
  if (kept.some(({ op }) => op === 'custom')) return null
  const numbers = new Map(inputs.map((_, i) => [i, i]))
  for (const node of kept) numbers.set(inputs.length + nodes.indexOf(node), numbers.size)
  const parameters = [...new Set(kept.flatMap((node) => Object.values(node.parameters ?? {})))]
  const program = new native.Program({
    ...{ dtype: descriptor.dtype, seed: 0, initialize: false, inputs },
    nodes: kept.map((node): NodeDescriptor => {
      const own = Object.entries(node.parameters ?? {}).map(([role, number]) => [role, parameters.indexOf(number)])
      return { ...node, inputs: node.inputs.map((from) => numbers.get(from)!), parameters: Object.fromEntries(own) }
    }),
    parameters: parameters.map((number) => ({ ...descriptor.parameters[number]!, customRegularizer: undefined })),
    output: numbers.get(end)!,
  })
  const layer = layerNames(kept, nodes[end - inputs.length]!)
  if (program.outputShape.length === 3) return { layer, program, parameters }
  program.dispose()
  return null
}

/** `conv2d1`, or `conv2d1 … relu1`. */
function layerNames(kept: readonly NodeDescriptor[], end: NodeDescriptor): string {
  const first = kept.findLast(({ op }) => op === 'convolution')!.name
  return first === end.name ? first : `${first} … ${end.name}`
}

/** The first maps one after the other, as bytes. */
function mapsOf(values: FloatArray, height: number, width: number, maps: number): Omit<FeatureMaps, 'layer'> {
  const every = Math.ceil(Math.max(height, width) / mostSide)
  const [rows, columns, count] = [Math.ceil(height / every), Math.ceil(width / every), Math.min(maps, mostMaps)]
  const shown = new Float64Array(count * rows * columns)
  let at = 0
  for (let map = 0; map < count; map++) {
    for (let y = 0; y < height; y += every) {
      for (let x = 0; x < width; x += every) shown[at++] = values[(y * width + x) * maps + map]!
    }
  }
  return { height: rows, width: columns, channels: 1, maps: count, of: maps, ...stretched(shown) }
}
