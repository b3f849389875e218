// A reader of TensorBoard's event files: TFRecord framing and protobuf's wire format, byte by byte.

/** CRC-32C, one bit at a time (RFC 3720, appendix B.4), masked as TFRecord does. */
function maskedCrc(bytes) {
  let crc = 0xffffffff
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const out = (crc ^ (byte >> bit)) & 1
      crc = (crc >>> 1) ^ (out ? 0x82f63b78 : 0)
    }
  }
  crc = (crc ^ 0xffffffff) >>> 0
  const rotated = BigInt(crc >>> 15) | (BigInt(crc & 0x7fff) << 17n)
  return Number((rotated + 0xa282ead8n) % 2n ** 32n)
}

/** The data of each record and where it ends. Throws on a wrong checksum; on a torn last record too, unless that is allowed. */
function* records(bytes, torn) {
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at)
    const length = rest.length >= 12 ? Number(rest.readBigUInt64LE(0)) : 0
    if (rest.length < 12 || rest.length < 16 + length) {
      if (torn) return
      throw new Error(`torn record at ${at}`)
    }
    if (rest.readUInt32LE(8) !== maskedCrc(rest.subarray(0, 8)))
      throw new Error(`wrong checksum of the length at ${at}`)
    const data = rest.subarray(12, 12 + length)
    if (rest.readUInt32LE(12 + length) !== maskedCrc(data)) throw new Error(`wrong checksum at ${at}`)
    at += 16 + length
    yield { data, end: at }
  }
}

/** Number of a field to its values as they come: numbers of varints, doubles, floats, bytes. */
function fields(data) {
  const found = {}
  let at = 0
  const varint = () => {
    for (let [value, scale] = [0, 1]; ; scale *= 128) {
      const byte = data[at++]
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  const take = (size) => {
    at += size
    return data.subarray(at - size, at)
  }
  const readers = {
    0: varint,
    1: () => take(8).readDoubleLE(),
    2: () => take(varint()),
    5: () => take(4).readFloatLE(),
  }
  while (at < data.length) {
    const key = varint()
    found[key >> 3] ??= []
    found[key >> 3].push(readers[key & 7]())
  }
  return found
}

const doubles = (packed) => Array.from({ length: packed.length / 8 }, (_, i) => packed.readDoubleLE(8 * i))

function histogramOf(data) {
  const { 1: min, 2: max, 3: num, 4: sum, 5: sumSquares, 6: limits, 7: counts } = fields(data)
  // A field that is 0 is left out.
  const one = (field) => field?.[0] ?? 0
  return {
    ...{ min: one(min), max: one(max), num: one(num), sum: one(sum), sumSquares: one(sumSquares) },
    ...{ bucketLimit: doubles(limits[0]), bucket: doubles(counts[0]) },
  }
}

/** The events of a file: `fileVersion` or `values`, which have a tag and a scalar or a histogram. */
export function readEvents(bytes, { torn = false } = {}) {
  return Array.from(records(bytes, torn), ({ data, end }) => {
    const { 1: wallTime, 2: step, 3: version, 5: summary } = fields(data)
    const values = (summary ? (fields(summary[0])[1] ?? []) : []).map((value) => {
      const { 1: tag, 2: scalar, 5: histogram } = fields(value)
      return { tag: tag[0].toString(), scalar: scalar?.[0], histogram: histogram && histogramOf(histogram[0]) }
    })
    return { end, wallTime: wallTime[0], step: step?.[0] ?? 0, fileVersion: version?.[0].toString(), values }
  })
}

/** By tag: [step, value] in order. */
export function scalarsOf(events) {
  const found = {}
  for (const { step, values } of events) {
    for (const { tag, scalar } of values) {
      found[tag] ??= []
      found[tag].push([step, scalar])
    }
  }
  return found
}
