// An independent reader and writer of the safetensors layout, for tests: no checks, no sharing with lib/.
import { readFileSync, writeFileSync } from 'node:fs'

const sizes = { F32: 4, F64: 8 }

/** `{ names, metadata, tensors: name → { dtype, shape, values }, dataBegin }`, names as they stand in the header. */
export function parse(file) {
  const bytes = readFileSync(file)
  const length = bytes.readUInt32LE(0) + bytes.readUInt32LE(4) * 2 ** 32
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length))
  const { __metadata__: metadata, ...entries } = header
  const tensors = Object.fromEntries(
    Object.entries(entries).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => {
        const values = []
        for (let at = 8 + length + begin; at < 8 + length + end; at += sizes[dtype]) {
          values.push(dtype === 'F32' ? bytes.readFloatLE(at) : bytes.readDoubleLE(at))
        }
        return [name, { dtype, shape, offsets: [begin, end], values }]
      },
    ),
  )
  return { names: Object.keys(entries), metadata, tensors, dataBegin: 8 + length, size: bytes.length }
}

/** Writes whatever it is given: a header as text or as an object, a length that may lie, any data. */
export function write(file, header, data = new Uint8Array(0), length = undefined) {
  const json = Buffer.from(typeof header === 'object' && !ArrayBuffer.isView(header) ? JSON.stringify(header) : header)
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(BigInt(length ?? json.length))
  writeFileSync(file, Buffer.concat([prefix, json, data]))
}
