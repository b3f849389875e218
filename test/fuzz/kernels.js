// The kernels with hostile arguments. Each array lies between guards: nothing but an output changes, and nothing at all when
// the call is refused.
import { native } from '../../dist/native.js'
import { detach, hostile, numbers } from './hostile.js'
import { attempt, Finding } from './judge.js'

/**
 * Arguments in order. A word is a size, `#` a number, `!` a flag, `@` an activation; then arrays: `<` is read and `>` is
 * written, of so many elements, `?` may be left out. `i:` is of int32 below what follows `below`, `u:` of bytes.
 */
const norm = 'rows columns'
const update = `${'#options '.repeat(13)}gradient<n parameters>n`
const backward = (statistics) =>
  `${norm} x<rows*columns gain<columns mean<${statistics} inverseDeviation<${statistics} dy<rows*columns ` +
  'dx>rows*columns? dgain>columns dbias>columns'
const labelled = `${norm} #scale #parameter scores<rows*columns i:targets<rows:columns weights<rows? losses>rows gradient>rows*columns?`
const dense = `${norm} #scale #parameter scores<rows*columns targets<rows*columns weights<rows? losses>rows gradient>rows*columns?`
const slots = {
  ...{ sgd: 0, momentum: 1, nesterov: 1, adagrad: 1, rmsprop: 1, rmsprop_momentum: 2, rmsprop_centered: 2 },
  ...{ rmsprop_centered_momentum: 3, adadelta: 2, adam: 2, amsgrad: 3, nadam: 2, lion: 1 },
}
const signatures = {
  matmul: 'm n k !transposeA !transposeB #alpha #beta @activation #activationParameter a<m*k b<k*n bias<n? c>m*n',
  column_sums: `${norm} #beta x<rows*columns sums>columns`,
  add: 'a<n b<n sum>n',
  activation_forward: '@activation #parameter x<n y>n',
  activation_backward: '@activation #parameter x<n y<n dy<n dx>n',
  maxout_forward: 'rows units pieces x<rows*units*pieces y>rows*units i:winners>rows*units',
  maxout_backward: 'rows units pieces dy<rows*units i:winners<rows*units:pieces dx>rows*units*pieces',
  softmax: `${norm} x<rows*columns y>rows*columns`,
  exp: 'x<n y>n',
  log: 'x<n y>n',
  dropout: 'seed stream step first #rate x<n y>n',
  random_uniform: 'seed stream step first #low #high y>n',
  random_normal: 'seed stream step first #mean #deviation y>n',
  softmax_cross_entropy: labelled,
  multiclass_hinge: labelled,
  one_vs_all_hinge: labelled,
  mean_squared_error: dense,
  mean_absolute_error: dense,
  binary_cross_entropy: dense,
  huber: dense,
  layer_norm_forward: `${norm} #epsilon x<rows*columns gain<columns bias<columns mean>rows inverseDeviation>rows y>rows*columns`,
  layer_norm_backward: backward('rows'),
  batch_norm_statistics: `${norm} #epsilon x<rows*columns mean>columns variance>columns inverseDeviation>columns`,
  batch_norm_forward: `${norm} x<rows*columns gain<columns bias<columns mean<columns inverseDeviation<columns y>rows*columns`,
  batch_norm_backward: backward('columns'),
  gather_rows: 'rows columns tableRows table<tableRows*columns i:rows<rows:tableRows y>rows*columns',
  scatter_add_rows: 'rows columns tableRows dy<rows*columns i:rows<rows:tableRows table>tableRows*columns',
  convert_bytes: '#scale #offset u:x<n y>n',
  ...Object.fromEntries(
    Object.entries(slots).map(([name, count]) => [name, `${update}${' slot>n'.repeat(count)} average>n?`]),
  ),
  gradient_norm: '#l1 #l2 gradient<n parameters<n',
  limit_column_norms: `${norm} #limit w>rows*columns`,
}
const names = Object.keys(native.kernels)
const parsed = Object.fromEntries(names.map((name) => [name, parse(signatures[name] ?? '')]))

function parse(signature) {
  return signature.split(/\s+/).map((word) => {
    const mark = { '#': 'number', '!': 'flag', '@': 'activation' }[word[0]]
    if (mark) return { mark }
    const array = /^(?:([iu]):)?\w+([<>])([\w*]+)(?::(\w+))?(\?)?$/.exec(word)
    if (!array) return { mark: 'size', name: word }
    const [, type, direction, elements, limit, optional] = array
    return { mark: 'array', type, written: direction === '>', factors: elements.split('*'), limit, optional }
  })
}

const guard = 3

/** An array between guards. */
function guarded(Type, length, fill) {
  const bytes = new Uint8Array((length + 2 * guard) * Type.BYTES_PER_ELEMENT).fill(0xa5)
  const array = new Type(bytes.buffer, guard * Type.BYTES_PER_ELEMENT, length)
  for (let i = 0; i < length; i++) array[i] = fill()
  return { array, bytes, before: bytes.slice() }
}

/** Whether bytes have changed that lie in none of these arrays. */
function isChanged({ bytes, before }, written) {
  const allowed = written.filter((array) => array.buffer === bytes.buffer)
  const isAllowed = (i) => allowed.some(({ byteOffset, byteLength }) => i >= byteOffset && i < byteOffset + byteLength)
  return bytes.length > 0 && bytes.some((byte, i) => byte !== before[i] && !isAllowed(i))
}

const element = (choices) => () => (choices.chance(0.02) ? choices.of(numbers) : 2 * choices.fraction() - 1)
const extent = (choices) => choices.of([0, 1, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33])

/** The arguments of a call that is right, and the memory they lie in. */
function good(words, choices) {
  const Float = choices.of([Float32Array, Float64Array])
  const sizes = { n: choices.of([0, 1, 7, 16, 17, 33, 64, 100, 300]) }
  const memories = []
  const values = words.map(({ mark, name, type, factors, limit, optional }) => {
    if (mark === 'size') {
      sizes[name] = extent(choices)
      return sizes[name]
    }
    if (mark === 'number') return choices.of([0, 0.5, 0.9, 1])
    if (mark === 'flag') return choices.chance(0.5)
    if (mark === 'activation') return choices.of(Object.keys(native.activations))
    if (optional && choices.chance(0.3)) return choices.of([null, undefined])
    const length = factors.reduce((product, factor) => product * sizes[factor], 1)
    const whole = () => choices.below(Math.max(1, sizes[limit] ?? 256))
    const Type = type === 'i' ? Int32Array : type === 'u' ? Uint8Array : Float
    const memory = guarded(Type, length, type ? whole : element(choices))
    memories.push(memory)
    return memory.array
  })
  return { values, memories }
}

const isSound = (value) => ArrayBuffer.isView(value) && 'set' in value && value.buffer.byteLength > 0

/** Spoils one argument. */
function spoil(values, words, choices) {
  const i = choices.below(values.length)
  const { mark } = words[i]
  const value = values[i]
  if (mark === 'size' && choices.chance(0.8)) values[i] = choices.of(numbers)
  else if (mark === 'number' && choices.chance(0.7)) values[i] = choices.of(numbers)
  else if (isSound(value) && choices.chance(0.7)) {
    const other = choices.of(values.filter(isSound))
    values[i] = choices.of([
      () => value.subarray(1),
      () => value.subarray(0, -1),
      () => new value.constructor(value.buffer, 0, Math.floor(value.buffer.byteLength / value.BYTES_PER_ELEMENT)),
      () => detach(value),
      () => other,
      () => new value.constructor(other.buffer, 0, Math.min(value.length, other.buffer.byteLength >> 3)),
      () => new value.constructor(new SharedArrayBuffer(value.byteLength)),
    ])()
  } else values[i] = hostile(choices)
}

export function round(choices) {
  const name = choices.of(names)
  const words = parsed[name]
  const { values, memories } = good(words, choices)
  for (let times = choices.below(3); times > 0; times--) spoil(values, words, choices)
  if (choices.chance(0.05)) values.length = choices.below(values.length)
  const what = `kernels.${name}`
  let written = []
  attempt(() => {
    native.kernels[name](...values)
    written = values.filter((value, i) => words[i].written && ArrayBuffer.isView(value))
  }, what)
  if (memories.some((memory) => isChanged(memory, written))) throw new Finding(`${what}: wrote where it may not`)
}

export function open() {
  const missing = names.filter((name) => !signatures[name])
  if (missing.length > 0) throw new Finding(`no signature of ${missing} in test/fuzz/kernels.js`)
}
