// Values that no caller should give.
export const numbers = [
  ...[0, -0, 1, -1, 2, 3, 0.5, 1e-320, 1e38, 1e39, 1e300, Number.NaN, Infinity, -Infinity, Number.MAX_VALUE],
  ...[127, 255, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 53 - 1, 2 ** 53, -(2 ** 31), -(2 ** 53)],
]

export function detach(array) {
  if (array.buffer instanceof ArrayBuffer) structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

const arrays = [
  Float32Array,
  Float64Array,
  Int32Array,
  Uint8Array,
  Uint32Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
]

const throwing = () => {
  throw new TypeError('read only property: a conversion was asked for')
}

function resized(choices) {
  const buffer = new ArrayBuffer(64, { maxByteLength: 128 })
  const array = new (choices.of([Float32Array, Float64Array, Int32Array]))(buffer, 0, ...choices.of([[], [8]]))
  buffer.resize(choices.of([0, 8, 16, 128]))
  return array
}

const makers = [
  (choices) => choices.of(numbers),
  (choices) => choices.of(numbers),
  () => undefined,
  () => null,
  (choices) => choices.chance(0.5),
  (choices) =>
    choices.of(['', '1', 'input', 'parameters', '__proto__', 'constructor', '\0', '\ud800', 'x'.repeat(10_000)]),
  (choices) => choices.of([1n, -(2n ** 70n)]),
  () => Symbol('hostile'),
  () => () => {},
  () => ({}),
  () => Object.create(null),
  () => new Date(0),
  () => [],
  (choices) => [choices.of(numbers), choices.of(numbers)],
  () => Object.assign([], { length: 2 ** 32 - 1 }),
  () => ({ length: 3, 0: 1, 1: 1, 2: 1 }),
  () => ({ valueOf: throwing, toString: throwing, [Symbol.toPrimitive]: throwing }),
  () => new ArrayBuffer(16),
  () => new DataView(new ArrayBuffer(16)),
  (choices) => new (choices.of(arrays))(choices.of([0, 1, 3, 8])),
  (choices) => new (choices.of([Float32Array, Float64Array, Int32Array]))(new SharedArrayBuffer(16)),
  (choices) => detach(new (choices.of(arrays))(4)),
  resized,
  () => new Proxy({}, {}),
  () => new Proxy(new Float32Array(4), {}),
  () => Object.create(Float32Array.prototype),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
]

export const hostile = (choices) => choices.of(makers)(choices)
