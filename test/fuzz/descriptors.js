// Descriptors with something changed: what the core accepts is trained, evaluated, predicted, probed and differentiated.
import { native } from '../../dist/native.js'
import { hostile } from './hostile.js'
import { attempt, Finding, settled } from './judge.js'
import { bases, columnsFor, hostFor } from './models.js'

const rows = 5

/** Numbers that are small, or so large that nobody gives them memory. */
const scalars = [0, 1, 2, 3, 4, 5, 7, 16, 33, -1, 0.5, 1e-5, 0.9, 1e30, 2 ** 48, 2 ** 53 - 1, true, false]
const words = [
  ...['dense', 'activation', 'softmax', 'maxout', 'dropout', 'reshape', 'layer_norm', 'batch_norm', 'embedding', 'add'],
  ...['convolution', 'max_pool', 'average_pool', 'group_norm', 'frame', 'upsample', 'spatial_dropout'],
  ...[
    'concat',
    'custom',
    'real',
    'index',
    'float32',
    'float64',
    'constant',
    'uniform',
    'normal',
    'weight',
    'bias',
    'gain',
  ],
  ...Object.keys(native.activations),
  ...native.losses,
  ...native.metrics,
  ...[...native.optimizers, 'muon', 'labels', 'dense', 'either', 'velocity', ''],
]
const keys = [
  ...['kind', 'op', 'inputs', 'shape', 'parameters', 'parameter', 'l1', 'l2', 'maxNorm', 'weightDecay', 'averages'],
  ...['momentum', 'decayRate', 'epsilon', 'bfloat16', 'customRegularizer', 'slots', 'targets', 'differentiated', 'k'],
  ...['stride', 'dilation', 'padding', 'groups', 'kernel', 'countPadding', 'outputPadding', 'added', 'taken', 'factor'],
  ...['bilinear', 'frozen'],
  ...['pieces', 'rate', 'trainable', 'learningRateMultiplier', 'operands', 'biasCorrection', 'seed', 'output'],
]

/** The same, or null for numbers: gigabytes are given to who asks for them, and take their time. */
const withoutNumbers = (value) => (typeof value === 'number' || Array.isArray(value) ? null : value)

/** All objects and arrays of a descriptor. */
function containers(value, found = []) {
  if (value === null || typeof value !== 'object') return found
  found.push(value)
  for (const child of Object.values(value)) containers(child, found)
  return found
}

function change(descriptor, choices) {
  const all = containers(descriptor)
  const place = choices.of(all.filter((value) => Object.keys(value).length > 0))
  const key = choices.of(Object.keys(place))
  const before = place[key]
  const put = (value, at = key) => {
    place[at] = value
  }
  choices.of([
    () => put(choices.of(scalars)),
    () => put(choices.of(words)),
    () => put(typeof before === 'number' ? before + choices.of([-1, 1]) : choices.of(scalars)),
    () => put(typeof before === 'string' ? choices.of(words) : before),
    () => put(structuredClone(choices.of(all))),
    () => put(choices.of([...scalars, ...words, [], [2], {}]), Array.isArray(place) ? key : choices.of(keys)),
    () => Array.isArray(place) && place.push(structuredClone(choices.of([before, ...scalars]))),
    () => Array.isArray(place) && place.reverse(),
    () => (Array.isArray(place) ? place.splice(Number(key), 1) : delete place[key]),
    () => choices.chance(0.2) && put(withoutNumbers(hostile(choices))),
  ])()
}

/** How many elements the arrays of a model come to; NaN or Infinity for nonsense. */
const sizeOf = (shape) => (Array.isArray(shape) ? shape.reduce((size, extent) => size * extent, 1) : Number.NaN)

export async function round(choices) {
  const descriptor = structuredClone(choices.of(bases).descriptor)
  for (let times = choices.below(5); times > 0; times--) attemptChange(descriptor, choices)
  const program = attempt(() => new native.Program(descriptor, hostFor(descriptor)), 'new Program')
  if (!program) return
  const { inputs, target } = columnsFor(descriptor, program.outputShape)
  if ([...inputs.map(({ shape }) => shape), program.outputShape].some((shape) => !(sizeOf(shape) < 1e5))) return
  const dataset = attempt(() => new native.Dataset(rows, inputs, target, null), 'new Dataset')
  if (dataset) await use(program, dataset, choices)
  if (program.busy) throw new Finding('the program is busy though all its promises have settled')
  program.dispose()
}

/** A change may meet what cannot be cloned or set. */
function attemptChange(descriptor, choices) {
  try {
    change(descriptor, choices)
  } catch {}
}

async function use(program, dataset, choices) {
  const threads = 1 + choices.below(2)
  const pass = { dataset, training: choices.chance(0.5), randomness: choices.chance(0.5), threads }
  const trainable = program.parameters.filter((parameter) => parameter.trainable)
  const elements = trainable.reduce((sum, { size }) => sum + size, 0)
  const one = Float64Array.of(0)
  const calls = {
    train: {
      ...{ dataset, shuffle: true, epoch: 0, firstRow: 0, batchSize: 2, batches: 3, threads },
      ...{ learningRates: Float64Array.of(0.1, 0.1, 0.1), inspectEvery: 1, inspectHistograms: true },
      tensorStatistics: true,
    },
    evaluate: { dataset, batchSize: 2, threads },
    predict: { dataset, batchSize: 2, threads },
    gradient: { ...pass, term: choices.of(['data', 'regularization', 'total']) },
    inspect: pass,
    probe: { ...pass, tensors: one, elements: one, offsets: Float64Array.of(0.01) },
    hessianVector: { ...pass, term: 'total', vector: new Float64Array(elements).fill(0.1) },
  }
  for (const [name, call] of Object.entries(calls)) {
    const promise = attempt(() => program[name](call), name)
    await settled(promise, name)
  }
}
