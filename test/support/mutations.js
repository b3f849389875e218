// Checkpoints as nobody has written them: something of header or entry `run` changed by chance, and the hash made right again.
import { createHash } from 'node:crypto'

/** `random` gives numbers from 0 to 1. */
export function mutated(bytes, random) {
  const { header, data } = split(bytes)
  const tensors = { ...header }
  delete tensors.__metadata__
  const metadata = { ...header.__metadata__ }
  const choice = random()
  if (choice < 0.6) {
    const run = JSON.parse(metadata.run)
    for (let times = 1 + random() * 2; times >= 1; times--) mutate(run, random)
    metadata.run = random() < 0.03 ? hostileText(metadata.run, random) : JSON.stringify(run)
  } else if (choice < 0.75) return joined({ ...header, ...within(tensors, random), __metadata__: metadata }, data)
  else if (choice < 0.85) {
    const entry = pick(
      ['step', 'momentumProduct', 'format', 'version', 'conventions', 'model', 'training', 'run'],
      random,
    )
    if (random() < 0.3) delete metadata[entry]
    else metadata[entry] = random() < 0.5 ? hostileText(metadata[entry] ?? '', random) : String(hostile(random))
  } else return joined({ ...header }, records(header, data, random))
  return joined({ ...tensors, __metadata__: metadata }, data)
}

/** A checkpoint whose entry `run` and history have been changed by hand, with a right hash. */
export function changed(bytes, { run = (value) => value, records = (value) => value }) {
  const { header, data } = split(bytes)
  const { __metadata__: metadata, ...tensors } = header
  const [begin, end] = tensors['run/records'].data_offsets
  const text = JSON.stringify(records(JSON.parse(data.toString('utf8', begin, end))))
  const after = Buffer.from(data)
  after.fill(' ', begin, end).write(text, begin, end - begin)
  return joined(
    { ...tensors, __metadata__: { ...metadata, run: JSON.stringify(run(JSON.parse(metadata.run))) } },
    after,
  )
}

const within = (tensors, random) => {
  mutate(tensors, random)
  return tensors
}

/** The history is JSON among the data: something of it changed, in as many bytes. */
function records(header, data, random) {
  const [begin, end] = header['run/records'].data_offsets
  const changed = Buffer.from(data)
  const text = data.toString('utf8', begin, end)
  const value = JSON.parse(text)
  if (random() < 0.5) mutate(value, random)
  const json = random() < 0.1 ? hostileText(text, random) : JSON.stringify(value)
  Buffer.from(json.padEnd(end - begin)).copy(changed, begin, 0, end - begin)
  return changed
}

function split(bytes) {
  const length = bytes.readUInt32LE(0)
  return { header: JSON.parse(bytes.toString('utf8', 8, 8 + length)), data: bytes.subarray(8 + length) }
}

function joined(header, data) {
  const { __metadata__: metadata, ...tensors } = header
  const zeros = '0'.repeat(64)
  const text = JSON.stringify({ __metadata__: { ...metadata, sha256: zeros }, ...tensors })
  const json = Buffer.from(text.padEnd(Math.ceil(Buffer.byteLength(text) / 8) * 8))
  const whole = Buffer.concat([Buffer.alloc(8), json, data])
  whole.writeBigUInt64LE(BigInt(json.length))
  const at = whole.indexOf(`"sha256":"${zeros}"`) + 10
  whole.write(createHash('sha256').update(whole).digest('hex'), at)
  return whole
}

/** Changes one place of a value of JSON, anywhere in it. */
function mutate(value, random) {
  const places = []
  const look = (of) => {
    for (const key of Object.keys(of)) {
      places.push([of, key])
      if (typeof of[key] === 'object' && of[key] !== null) look(of[key])
    }
  }
  look(value)
  if (places.length === 0) return
  const [of, key] = pick(places, random)
  const [from, other] = pick(places, random)
  const choice = random()
  if (choice < 0.15) {
    if (Array.isArray(of)) of.splice(Number(key), 1)
    else delete of[key]
  } else if (choice < 0.25)
    of[Array.isArray(of) ? of.length : pick(['x', '$', 'name', '__proto__x', ''], random)] = hostile(random)
  else if (choice < 0.4) of[key] = structuredClone(from[other])
  else if (choice < 0.5 && typeof of[key] === 'number') of[key] += pick([1, -1, 0.5, 1e6], random)
  else of[key] = hostile(random)
}

function hostile(random) {
  return pick(
    [
      ...[
        null,
        true,
        '',
        'x',
        0,
        1,
        -1,
        0.5,
        1e308,
        -1e308,
        2 ** 31,
        2 ** 53,
        4294967296,
        1e15,
        [],
        {},
        [[]],
        [1, 2, 3],
        { x: 1 },
      ],
      ...[
        { $: 'NaN' },
        { $: 'Infinity' },
        { $: '-0' },
        { $: 'tensor', name: 'nothing' },
        { $: 'tensor', name: 'run/records' },
      ],
      ...[
        { $: 'object', entries: [[1, 2]] },
        { $: 'object', entries: [['__proto__', { x: 1 }]] },
        { $: 'strange' },
        { $: {} },
      ],
      ...['a'.repeat(3000), nested(40), nested(400), Array(2000).fill(7), 'NaN', '__proto__', 'toString'],
    ],
    random,
  )
}

function nested(depth) {
  let value = 1
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { value }
  return value
}

function hostileText(text, random) {
  const at = Math.floor(random() * text.length)
  const length = Math.floor(random() * 10)
  return pick(
    [
      '',
      text.slice(0, at),
      text.slice(0, at) + text.slice(at + length),
      `${text}${text}`,
      '[',
      'null',
      '['.repeat(5000),
    ],
    random,
  )
}

const pick = (list, random) => list[Math.floor(random() * list.length)]
