// The functions of the package with whatever somebody may give them: what they throw has a code, whatever went wrong below.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as gradus from 'gradus'
import * as kernels from 'gradus/kernels'
import { attempt, settled } from './judge.js'

/** Callbacks and calls that write files, train or end the model; classes, which V8 itself refuses to call. */
const leftOut = ['monitor', 'tensorboard', 'GradusError', 'fit', 'dispose', 'constructor', 'copy', 'pack']
const isClass = (value) => /^class\b/.test(Function.prototype.toString.call(value))

const model = gradus.sequential({ input: [3], seed: 1 }, [gradus.dense(4), gradus.relu(), gradus.dense(2)])
model.compile({ loss: gradus.softmaxCrossEntropy(), optimizer: gradus.sgd() })
const made = [
  model,
  gradus.dataset({ x: new Float32Array(12), y: new Int32Array(4) }),
  gradus.dense(3),
  gradus.adam(),
  gradus.meanSquaredError(),
  gradus.input([3]),
  gradus.earlyStopping(),
]

const together = gradus.ensemble([model])
const methodsOf = (object) =>
  Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object))).map(([name, { value }]) => [
    name,
    value && ((...given) => object[name](...given)),
  ])
const functions = [
  ...Object.entries({ ...gradus }),
  ...Object.entries({ ...kernels }).map(([name, work]) => [`kernels.${name}`, work]),
  ...methodsOf(model),
  ...methodsOf(together),
].filter(([name, work]) => typeof work === 'function' && !leftOut.includes(name) && !isClass(work))

function nested(depth) {
  let list = 1
  for (let i = 0; i < depth; i++) list = [list]
  return list
}
function circle() {
  const list = []
  list.push(list)
  return list
}

const numbers = [0, 1, -1, 2, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53]
const texts = ['', 'x', 'he', 'dense1', 'a.b', '*', '/nothing/there', '/', 'zero\0', 'https://gradus.example/']
const others = [
  undefined,
  null,
  true,
  false,
  Symbol('s'),
  3n,
  () => 1,
  new Date(0),
  new Map(),
  /x/,
  Object.create(null),
]
const arrays = [
  new Float32Array(12),
  new Float64Array(0),
  new Uint8Array(12),
  new Int32Array(4),
  new BigInt64Array(2),
  new ArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  new Array(5),
  [1, 2, 3],
  [[1, 2], [3, 4]], // biome-ignore format: a matrix
  ['a', 'b'],
]
const lazy = [
  () => nested(20_000),
  circle,
  () => ({ circle: circle() }),
  () => ({ toJSON: () => 3n }),
  () => new Proxy({}, {}),
  () => new URL('file:///nothing'),
]
const keys = (
  'x y input inputs output seed dtype loss optimizer metrics epochs batchSize validation schedule learningRate momentum ' +
  'groups parameters init regularizer activation name trainable classWeights rows fraction stratify every factor from to ' +
  'length monitor mean deviation target delimiter forward backward update slots examples threads signal horizon groupBy per ' +
  'classes shape layers metadata names epsilon rate values folds columns type data limit'
).split(' ')

function value(choices, depth = 0) {
  const share = choices.fraction()
  if (share < 0.06) return choices.of(lazy)()
  if (share < 0.25) return choices.of(made)
  if (share < 0.5 && depth < 3) {
    const entry = () => [choices.of(keys), value(choices, depth + 1)]
    return Object.fromEntries(Array.from({ length: choices.below(5) }, entry))
  }
  if (share < 0.57 && depth < 3) return Array.from({ length: choices.below(4) }, () => value(choices, depth + 1))
  return choices.of(choices.of([numbers, texts, others, arrays]))
}

/** Whatever is saved is saved where nobody looks. */
export function open() {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-surface-'))
  process.chdir(folder)
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
}

export async function round(choices) {
  const [name, work] = choices.of(functions)
  const given = Array.from({ length: choices.below(4) }, () => value(choices))
  const result = attempt(() => work(...given), name)
  // What waits for somebody, as a stream that never comes, is not waited for.
  if (typeof result?.then === 'function') await Promise.race([settled(result, name), new Promise(setImmediate)])
}
