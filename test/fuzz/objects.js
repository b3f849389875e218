// Dataset, Program and Snapshot as nobody would use them: hostile arguments, and getters, Proxies and hosts that throw, dispose, detach,
// begin calls, collect garbage or change what is built in, in the middle of what is being read.
import { native } from '../../dist/native.js'
import { detach, hostile, numbers } from './hostile.js'
import { attempt, Finding, planned, settled } from './judge.js'
import { bases, hostFor } from './models.js'

const rows = 6

const elementsOf = (program) =>
  attempt(() => program.parameters.reduce((sum, of) => sum + of.size, 0), 'parameters') ?? 0

/** What a round has, and the promises that it has begun. */
class Scene {
  datasets = []
  programs = []
  snapshots = []
  promises = []
  arrays = []
  restore = []

  constructor(choices) {
    this.choices = choices
    for (let i = 0; i < 2; i++) this.addProgram()
    if (choices.chance(0.05)) this.#breakStacks()
  }

  addProgram() {
    const { choices } = this
    const { descriptor, inputs, target } = choices.chance(0.3) ? bases.at(-1) : choices.of(bases)
    const plain = hostFor(descriptor)
    const host = (...asked) => this.answer(plain(...asked))
    const program = attempt(() => new native.Program(this.watched(descriptor), host), 'new Program')
    const dataset = attempt(
      () =>
        new native.Dataset(
          rows,
          inputs.map((column) => this.watched(column)),
          target,
          null,
        ),
      'new Dataset',
    )
    if (program) this.programs.push(program)
    if (dataset) this.datasets.push(dataset)
  }

  /** Something that happens while native code reads what it was given. */
  act() {
    const { choices } = this
    choices.of([
      () => {},
      () => {
        throw choices.of(planned)
      },
      () => choices.of(this.programs)?.dispose(),
      () => choices.of(this.datasets)?.dispose(),
      () => choices.of(this.snapshots)?.dispose(),
      () => this.arrays.length > 0 && detach(choices.of(this.arrays)),
      () => this.call(),
      () => choices.chance(0.1) && globalThis.gc?.(),
      () => choices.of(this.programs)?.stop(),
      () => this.#breakStacks(),
      () => this.replace(Object.prototype, choices.of(['outputs', 'scale', 'kind', 'host']), choices.of([5, null, {}])),
    ])()
  }

  #breakStacks() {
    const throws = () => {
      throw new Error('planned')
    }
    this.replace(Error, 'prepareStackTrace', this.choices.of([() => Symbol('stack'), throws]))
  }

  /** Changes what is built in until the round ends. */
  replace(object, name, value) {
    const before = Object.getOwnPropertyDescriptor(object, name)
    Object.defineProperty(object, name, { configurable: true, writable: true, value })
    this.restore.unshift(() => (before ? Object.defineProperty(object, name, before) : delete object[name]))
  }

  /** The same, seldom with a property that acts when it is read. */
  watched(object, share = 0.25) {
    const { choices } = this
    if (!choices.chance(share)) return object
    if (choices.chance(0.3)) {
      const get = (target, name) => {
        if (choices.chance(0.3)) this.act()
        return target[name]
      }
      return new Proxy(object, { get })
    }
    const name = choices.of(Object.keys(object))
    const get = () => {
      this.act()
      return choices.chance(0.8) ? object[name] : hostile(choices)
    }
    return Object.defineProperty({ ...object }, name, { get, enumerable: true })
  }

  /** A host's answer, seldom another. */
  answer(result) {
    const { choices } = this
    if (choices.chance(0.7)) return result
    if (choices.chance(0.2)) this.act()
    if (choices.chance(0.1)) return hostile(choices)
    const outputs = result.outputs.map((output) => (choices.chance(0.1) ? hostile(choices) : output))
    return this.watched({ ...result, outputs }, 0.7)
  }

  floats(Type, length, fill = 0.1) {
    const array = new Type(length).fill(fill)
    this.arrays.push(array)
    return array
  }

  /** One method of a program or dataset, with arguments that are right or nearly so. */
  call() {
    const { choices } = this
    const i = choices.below(this.programs.length)
    const program = this.programs[i]
    const dataset = choices.chance(0.7) ? this.datasets[i] : choices.of(this.datasets)
    if (!program || !dataset) return
    const snapshot = choices.of(this.snapshots)
    const [name, self, ...given] = choices.of([
      ...this.#ofProgram(program, dataset),
      ...this.#ofDataset(dataset),
      ...(snapshot ? this.#ofSnapshot(snapshot) : []),
    ])()
    const arguments_ = given.map((value) => {
      if (name !== 'get' && choices.chance(0.06)) return hostile(choices)
      return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
        ? this.watched(choices.chance(0.15) ? this.#spoilt(value) : value)
        : value
    })
    const what = `${name}(${arguments_.map((value) => typeof value)})`
    const owner = choices.chance(0.02) ? hostile(choices) : self
    const result = attempt(() => {
      if (name === 'step' || name === 'watching') self[name] = arguments_[0]
      else if (name === 'get') return self[arguments_[0]]
      else return Object.getPrototypeOf(self)[name].apply(owner, arguments_)
    }, what)
    if (result instanceof Promise) this.promises.push(settled(result, what))
    else if (result instanceof native.Dataset) this.datasets.push(result)
  }

  #spoilt(object) {
    return { ...object, [this.choices.of(Object.keys(object))]: hostile(this.choices) }
  }

  #ofProgram(program, dataset) {
    const { choices } = this
    const batches = 1 + choices.below(3)
    const threads = 1 + choices.below(3)
    const pass = { dataset, training: choices.chance(0.5), randomness: choices.chance(0.5), threads }
    const term = choices.of(['data', 'regularization', 'total'])
    const batched = { dataset, batchSize: 1 + choices.below(8), threads }
    const index = () => (choices.chance(0.8) ? choices.below(4) : choices.of(numbers))
    const arena = () => choices.of(['parameters', 'gradients', 'velocity', 'average', 'firstMoment', 'none'])
    const train = () => ({
      ...batched,
      ...{ shuffle: choices.chance(0.5), epoch: choices.below(3), firstRow: choices.below(2), batches },
      learningRates: this.floats(Float64Array, batches),
      accumulate: 1 + choices.below(2),
      metricSums: choices.chance(0.3) ? this.floats(Float64Array, choices.below(4)) : undefined,
      inspectEvery: choices.below(2),
      inspectHistograms: choices.chance(0.5),
      tensorStatistics: choices.chance(0.5),
      clipNorm: choices.of([undefined, 1]),
    })
    const elements = () => elementsOf(program)
    const points = 1 + choices.below(3)
    return [
      () => ['train', program, train()],
      () => ['train', program, train()],
      () => ['evaluate', program, batched],
      () => ['predict', program, batched],
      () => ['predictRows', program, 1 + choices.below(3), 1 + choices.below(3), ...this.#rows()],
      () => ['gradient', program, { ...pass, term }],
      () => ['hessianVector', program, { ...pass, term, vector: this.floats(Float64Array, elements()) }],
      () => ['inspect', program, pass],
      () => [
        'probe',
        program,
        {
          ...pass,
          ...{ tensors: this.floats(Float64Array, points, 0), elements: this.floats(Float64Array, points, 0) },
          offsets: this.floats(Float64Array, points),
        },
      ],
      () => ['inputGradient', program, index()],
      () => ['read', program, arena(), index()],
      () => [
        'write',
        program,
        arena(),
        index(),
        this.floats(choices.of([Float32Array, Float64Array]), choices.below(20)),
      ],
      () => ['exportState', program, this.#snapshot(program)],
      () => ['importState', program, this.#snapshot(program)],
      () => ['step', program, index()],
      () => [
        'get',
        program,
        choices.of(['dtype', 'parameters', 'arenas', 'outputShape', 'inspection', 'opNames', 'busy']),
      ],
      () => ['stop', program],
      () => ['dispose', program],
    ]
  }

  /** One of the program's, or another's; seldom of some arenas. */
  #snapshot(program) {
    const { choices } = this
    const names = choices.chance(0.2) ? [choices.of(['parameters', 'velocity', 'gradients'])] : undefined
    const make = () => new native.Snapshot(program, names && this.watched(names))
    const made = choices.chance(0.6) ? attempt(make, 'new Snapshot') : undefined
    if (made) this.snapshots.push(made)
    return made ?? choices.of(this.snapshots)
  }

  #ofSnapshot(snapshot) {
    const { choices } = this
    const arena = () => choices.of(['parameters', 'parameters', 'velocity', 'gradients'])
    const place = () => (choices.chance(0.8) ? choices.below(9) : choices.of(numbers))
    const array = () => this.floats(choices.of([Float32Array, Float32Array, Float64Array]), choices.below(9))
    return [
      () => ['read', snapshot, arena(), place(), array()],
      () => ['write', snapshot, arena(), place(), array()],
      () => ['watching', snapshot, this.floats(Float64Array, choices.below(4), choices.below(3))],
      () => ['step', snapshot, choices.below(3)],
      () => ['get', snapshot, choices.of(['dtype', 'arenas', 'length', 'step', 'momentumProduct', 'watching'])],
      () => ['dispose', snapshot],
    ]
  }

  /** A place for outputs, and inputs of a few rows. */
  #rows() {
    const { choices } = this
    const type = () => choices.of([Float32Array, Float64Array, Int32Array, Uint8Array])
    const inputs = Array.from({ length: choices.below(3) }, () => this.floats(type(), choices.below(13), 1))
    const scaled = inputs.flatMap((array) => (array instanceof Uint8Array ? [array, 0.5, 1] : [array]))
    return [this.floats(choices.of([Float32Array, Float64Array]), 16), ...scaled]
  }

  #ofDataset(dataset) {
    const { choices } = this
    const role = () => choices.of(['input', 'target', 'weight'])
    const place = () => (choices.chance(0.8) ? choices.below(3) : choices.of(numbers))
    const types = [Float32Array, Float64Array, Int32Array, Uint8Array]
    const subset = () => Uint32Array.from({ length: choices.below(9) }, () => choices.below(rows + 1))
    return [
      () => ['write', dataset, role(), choices.below(2), place(), this.floats(choices.of(types), choices.below(4), 1)],
      () => ['read', dataset, role(), choices.below(2), place(), place()],
      () => ['subset', dataset, subset()],
      () => ['firstNonfinite', dataset, role(), choices.below(2)],
      () => ['range', dataset, role(), choices.below(2)],
      () => ['fingerprint', dataset],
      () => ['get', dataset, 'size'],
      () => ['dispose', dataset],
    ]
  }
}

export async function round(choices) {
  const scene = new Scene(choices)
  try {
    for (let calls = 1 + choices.below(6); calls > 0; calls--) scene.call()
    while (scene.promises.length > 0) await scene.promises.pop()
  } finally {
    for (const restore of scene.restore) restore()
  }
  for (const program of scene.programs) {
    if (attempt(() => program.busy, 'busy')) throw new Finding('a program is busy though all its promises have settled')
  }
  if (choices.chance(0.7))
    for (const object of [...scene.programs, ...scene.datasets, ...scene.snapshots]) object.dispose()
}
