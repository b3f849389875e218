/** A model's float64 twin: the same network with the same weights, to be moved about at will. */
import { Dataset } from '../../data/dataset.js'
import type { Data } from '../../data/stream.js'
import { GradusError } from '../../errors.js'
import { randomNormal } from '../../kernels/random.js'
import type { ModelCopy } from '../../model/copy.js'
import type { Model } from '../../model/model.js'
import type { Descriptor, FloatArray, NativeDataset, NativeProgram, ProbeResult } from '../../native.js'
import { adaptFirst } from '../../train/adapt.js'
import { requirementsOf, residentSource } from '../../train/source.js'
import { callInTurn } from '../../train/turn.js'
import { cancelledBiases } from '../cancelled.js'
import { examplesOf, spreadExamples } from '../subset.js'
import { affordableExamples } from './affordable.js'
import { checkDevices } from './devices.js'
import type { CheckSettings } from './options.js'
import { burnIn, passOf } from './passes.js'
import type { CheckedTensor, Evaluation, Point, Term } from './subject.js'

/** Evaluations in one native call, between which progress is told and an abort heard. */
const pointsPerCall = 512

interface Tensor extends CheckedTensor {
  /** As the program counts: the inputs come after the parameters. */
  readonly number: number
}

export class Twin {
  readonly tensors: readonly Tensor[]
  readonly hasKinks: boolean
  readonly #copy: ModelCopy
  readonly #dataset: NativeDataset
  readonly #settings: CheckSettings
  readonly #base: ProbeResult['base']
  readonly #gradients = new Map<string, FloatArray>()
  #direction: { key: string; values: Float64Array } | null = null
  #done = 0

  private constructor(copy: ModelCopy, dataset: NativeDataset, settings: CheckSettings, base: ProbeResult['base']) {
    this.#copy = copy
    this.#dataset = dataset
    this.#settings = settings
    this.#base = base
    this.tensors = tensorsOf(copy, settings)
    this.hasKinks = base.kinked.length > 0 || copy.descriptor.parameters.some(({ l1 = 0 }) => l1 > 0)
  }

  /** Makes the twin, trains it if asked to, takes its gradients, and gives it to `use`; then it is gone. */
  static async use<Result>(
    model: Model,
    data: Data,
    settings: CheckSettings,
    use: (twin: Twin) => Promise<Result>,
  ): Promise<Result> {
    settings.signal?.throwIfAborted()
    const copy = model.copy((descriptor) => doubled(descriptor, settings.checkInput))
    const count = settings.examples ?? affordableExamples(model.parts().lowered)
    const examples = new Dataset(spreadExamples(examplesOf(data), count, copy.inputs))
    try {
      const dataset = await examples.resident(requirementsOf(copy))
      await adaptFirst(copy, residentSource(dataset), { signal: settings.signal })
      await burnIn(copy, dataset, settings)
      await passOnOthers(copy.program, dataset, settings)
      const base = await equalEvaluations(copy.program, dataset, settings)
      await checkDevices(model, examples, settings)
      const twin = new Twin(copy, dataset, settings, base)
      await twin.#takeGradients()
      return await use(twin)
    } finally {
      examples.dispose()
      copy.dispose()
    }
  }

  gradient(tensor: number, term: Term): FloatArray {
    return this.#gradients.get(`${tensor} ${term}`)!
  }

  scale(term: Term): number {
    const { loss, regularizationLoss } = this.#base
    if (term === 'data') return Math.abs(loss)
    return Math.abs(term === 'regularization' ? regularizationLoss : loss + regularizationLoss)
  }

  /** A random direction for a tensor, normally distributed, of length 1. */
  direction(tensor: number, number: number): Float64Array {
    const key = `${tensor} ${number}`
    if (this.#direction?.key !== key) {
      const { seed } = this.#settings
      const values = randomNormal(new Float64Array(this.tensors[tensor]!.size), { seed, stream: tensor, step: number })
      const length = Math.hypot(...chunkNorms(values))
      for (let i = 0; i < values.length; i++) values[i]! /= length
      this.#direction = { key, values }
    }
    return this.#direction.values
  }

  async evaluate(points: readonly Point[]): Promise<Evaluation[]> {
    const { method, onProgress } = this.#settings
    const evaluations: Evaluation[] = []
    const total = this.#done + points.length
    for (let first = 0; first < points.length; ) {
      const part = method === 'directional' ? sameDirection(points, first) : points.slice(first, first + pointsPerCall)
      evaluations.push(...(await this.#probe(part)))
      first += part.length
      this.#done += part.length
      onProgress?.({ done: this.#done, total })
    }
    return evaluations
  }

  async #probe(points: readonly Point[]): Promise<Evaluation[]> {
    const { method, signal } = this.#settings
    const { program, loss } = this.#copy
    const { tensor, element } = points[0]!
    const isDirectional = method === 'directional'
    const result = await callInTurn(program, signal, () =>
      program.probe({
        ...passOf(this.#dataset, this.#settings),
        tensors: Float64Array.from(points, (point) => this.tensors[point.tensor]!.number),
        elements: Float64Array.from(points, (point) => (isDirectional ? 0 : point.element)),
        offsets: Float64Array.from(points, (point) => point.offset),
        direction: isDirectional ? this.direction(tensor, element) : undefined,
      }),
    )
    signal?.throwIfAborted()
    const { loss: losses, penaltyChange, flipped } = result!
    const layers = [...program.opNames, loss.call[0], 'regularizer']
    return Array.from(losses, (data, i) => ({
      data,
      regularization: penaltyChange[i]!,
      kink: flipped[i]! < 0 ? null : layers[flipped[i]!]!,
    }))
  }

  async #takeGradients(): Promise<void> {
    const { program } = this.#copy
    const { signal } = this.#settings
    const parameters = program.parameters.length
    for (const term of new Set(this.tensors.flatMap(({ terms }) => terms))) {
      await callInTurn(program, signal, () => program.gradient({ ...passOf(this.#dataset, this.#settings), term }))
      signal?.throwIfAborted()
      for (const [i, { number, terms }] of this.tensors.entries()) {
        if (!terms.includes(term)) continue
        const isInput = number >= parameters
        const gradient = isInput ? program.inputGradient(number - parameters) : program.read('gradients', number)
        this.#gradients.set(`${i} ${term}`, gradient)
      }
    }
  }
}

function doubled(descriptor: Descriptor, differentiatesInputs: boolean): Descriptor {
  const inputs = descriptor.inputs.map((input) => ({
    ...input,
    differentiated: differentiatesInputs && input.kind === 'real',
  }))
  return { ...descriptor, dtype: 'float64', inputs }
}

function tensorsOf({ program, descriptor }: ModelCopy, { term, checkInput }: CheckSettings): Tensor[] {
  const depths = depthsOf(descriptor)
  const cancelled = cancelledBiases(descriptor)
  const parameters = descriptor.parameters.flatMap((parameter, number): Tensor[] => {
    const { name, trainable, l1 = 0, l2 = 0, customRegularizer } = parameter
    if (!trainable) return []
    const isPenalized = l1 > 0 || l2 > 0 || customRegularizer === true
    const terms: Term[] = term === 'each' ? ['data', 'regularization'] : [term]
    const { size } = program.parameters[number]!
    const users = descriptor.nodes.flatMap((node, i) => (parametersOf(node).includes(number) ? depths.nodes[i]! : []))
    const own = terms.filter((name) => name !== 'regularization' || isPenalized)
    const norm = cancelled.get(number)
    const cancelledBy = norm === undefined ? {} : { cancelledBy: program.opNames[norm]! }
    return own.length ? [{ name, number, size, depth: Math.max(...users, 1), terms: own, ...cancelledBy }] : []
  })
  const inputs = !checkInput || term === 'regularization' ? [] : descriptor.inputs
  const tensors = inputs.flatMap(({ name, kind }, i): Tensor[] => {
    if (kind === 'index') return []
    const size = program.inputGradient(i).length
    return [
      {
        name,
        number: descriptor.parameters.length + i,
        size,
        depth: depths.inputs,
        terms: [term === 'total' ? term : 'data'],
      },
    ]
  })
  if (parameters.length || tensors.length) return [...parameters, ...tensors]
  const message =
    term === 'regularization' ? 'term: the model has no regularizer' : 'model: all of its layers are frozen'
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `${message}, so there is no gradient to check`)
}

type Node = Descriptor['nodes'][number]
const parametersOf = (node: Node): number[] => [
  ...Object.values(node.parameters ?? {}),
  ...((node.operands as number[] | undefined) ?? []),
]

/** Layers with weights on the longest way from each node to the output, the node included. */
function depthsOf({ nodes, inputs, output }: Descriptor): { nodes: number[]; inputs: number } {
  const depths = new Array<number>(inputs.length + nodes.length).fill(0)
  for (let number = output; number >= inputs.length; number--) {
    const node = nodes[number - inputs.length]!
    if (parametersOf(node).length) depths[number]! += 1
    for (const from of node.inputs) depths[from] = Math.max(depths[from]!, depths[number]!)
  }
  return { nodes: depths.slice(inputs.length), inputs: Math.max(1, ...depths.slice(0, inputs.length)) }
}

/** A gradient of the rows in reverse: a layer that keeps something from one pass to the next is found out by it. */
async function passOnOthers(program: NativeProgram, dataset: NativeDataset, settings: CheckSettings): Promise<void> {
  const reversed = dataset.subset(Uint32Array.from({ length: dataset.size }, (_, i) => dataset.size - 1 - i))
  const call = () => program.gradient({ ...passOf(reversed, settings), term: 'total' })
  await callInTurn(program, settings.signal, call)
  settings.signal?.throwIfAborted()
}

/** The function at the weights as they are, which must be one number. */
async function equalEvaluations(
  program: NativeProgram,
  dataset: NativeDataset,
  settings: CheckSettings,
): Promise<ProbeResult['base']> {
  const [tensors, elements, offsets] = [new Float64Array(0), new Float64Array(0), new Float64Array(0)]
  const probe = () => program.probe({ ...passOf(dataset, settings), tensors, elements, offsets })
  const first = (await callInTurn(program, settings.signal, probe))?.base
  const second = (await callInTurn(program, settings.signal, probe))?.base
  settings.signal?.throwIfAborted()
  const { loss, regularizationLoss, hashes } = first!
  if (!Number.isFinite(loss + regularizationLoss)) {
    const message = `the loss is ${loss} and the regularization loss ${regularizationLoss} at these weights`
    throw new GradusError('GRADUS_NON_FINITE', `model: ${message}; a gradient check needs finite ones`)
  }
  const layer = hashes.findIndex((hash, i) => hash !== second!.hashes[i])
  if (layer >= 0 || loss !== second!.loss || regularizationLoss !== second!.regularizationLoss) {
    const name = layer >= 0 ? program.opNames[layer] : loss !== second!.loss ? 'the loss' : 'a regularizer'
    const message = `${name} differs between two equal evaluations: ${loss} and ${second!.loss}`
    throw new GradusError(
      'GRADUS_NOT_DETERMINISTIC',
      `${message}; take its randomness from context.seed, or leave it out`,
    )
  }
  return first!
}

const sameDirection = (points: readonly Point[], first: number): Point[] => {
  const { tensor, element } = points[first]!
  const end = points.findIndex((point, i) => i > first && (point.tensor !== tensor || point.element !== element))
  return points.slice(first, end < 0 ? points.length : end)
}

/** Norms of pieces short enough to be arguments of one call. */
function chunkNorms(values: Float64Array): number[] {
  const norms: number[] = []
  for (let i = 0; i < values.length; i += 1024) norms.push(Math.hypot(...values.subarray(i, i + 1024)))
  return norms
}
