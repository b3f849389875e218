/** Safetensors as files and as bytes in memory: read without trust, and in pieces so that the event loop runs on. */
import type { FileHandle } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { openFile, replaceFile } from '../files.js'
import {
  badFile,
  decodeHeader,
  emptyTensor,
  encodeHeader,
  type Header,
  maxHeaderLength,
  type Tensor,
  type TensorData,
} from './safetensors.js'

const piece = 1 << 22

type Metadata = Readonly<Record<string, string>>

/** In the place of `file`, whole or not at all. */
export async function writeSafetensors(file: string, tensors: readonly Tensor[], metadata: Metadata): Promise<void> {
  const parts = partsOf(tensors, metadata)
  await replaceFile(file, async (handle) => {
    for (const bytes of parts) {
      for (let done = 0; done < bytes.length; ) {
        done += (await handle.write(bytes, done, Math.min(piece, bytes.length - done))).bytesWritten
      }
    }
  })
}

/** What {@link writeSafetensors} would write. */
export async function encodeSafetensors(tensors: readonly Tensor[], metadata: Metadata): Promise<Buffer> {
  const parts = partsOf(tensors, metadata)
  const whole = Buffer.allocUnsafe(parts.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const bytes of parts) {
    for (let begin = 0; begin < bytes.length; begin += piece) {
      const part = bytes.subarray(begin, begin + piece)
      whole.set(part, end)
      end += part.length
      if (part.length === piece) await setImmediate()
    }
  }
  return whole
}

const partsOf = (tensors: readonly Tensor[], metadata: Metadata): Uint8Array[] => [
  encodeHeader(tensors, metadata),
  ...tensors.map(({ data }) => bytesOf(data)),
]

/** Bytes to read from: of an open file, or in memory. */
export interface Bytes {
  readonly size: number
  /** Fills `into` with what begins at byte `from`. */
  read(into: Uint8Array, from: number): Promise<void>
  close(): Promise<void>
}

export async function openBytes(source: string | Uint8Array): Promise<Bytes> {
  if (typeof source !== 'string') return inMemory(source)
  const { handle, size } = await openFile(source)
  return { size, read: (into, from) => readAll(handle, into, from), close: () => handle.close() }
}

async function readAll(handle: FileHandle, into: Uint8Array, from: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, Math.min(piece, into.length - done), from + done)
    if (!bytesRead) throw badFile('it became shorter while it was read')
    done += bytesRead
  }
}

/** Whoever gave the bytes may let go of them meanwhile. */
const inMemory = (source: Uint8Array): Bytes => ({
  size: source.length,
  async read(into, from) {
    if (source.length < from + into.length) throw badFile('they became fewer while they were read')
    into.set(source.subarray(from, from + into.length))
    if (into.length === piece) await setImmediate()
  },
  async close() {},
})

/** The tensors of a safetensors file. */
export class SafetensorsReader {
  private constructor(
    private readonly bytes: Bytes,
    readonly header: Header,
    private readonly dataBegin: number,
  ) {}

  /** @throws GRADUS_BAD_FILE saying what is wrong with it */
  static async open(bytes: Bytes): Promise<SafetensorsReader> {
    const { size } = bytes
    if (size < 8) throw badFile(`not a safetensors file: ${size} bytes, and the length of its header alone needs 8`)
    const beginning = new Uint8Array(Math.min(9, size))
    await bytes.read(beginning, 0)
    const length = new DataView(beginning.buffer).getBigUint64(0, true)
    if (size > 8 && beginning[8] !== 0x7b) throw badFile('not a safetensors file: its header does not begin with "{"')
    if (length > BigInt(maxHeaderLength)) throw badFile(`its header claims ${length} bytes; at most 16 MB are allowed`)
    if (length > BigInt(size - 8)) {
      throw badFile(`its header claims ${length} bytes, and the file has ${size - 8} after the length`)
    }
    const header = new Uint8Array(Number(length))
    await bytes.read(header, 8)
    const dataBegin = 8 + header.length
    return new SafetensorsReader(bytes, decodeHeader(header, size - dataBegin), dataBegin)
  }

  /** A tensor's elements from `first` on, a few megabytes at a time, in memory that the next piece uses again. */
  async *pieces(name: string): AsyncGenerator<{ first: number; data: TensorData }> {
    const place = this.header.tensors.get(name)
    if (!place) throw badFile(`there is no tensor ${JSON.stringify(name)}`)
    const memory = emptyTensor({ ...place, end: Math.min(place.end, place.begin + piece) })
    for (let begin = place.begin; begin < place.end; begin += piece) {
      const size = memory.BYTES_PER_ELEMENT
      const data = memory.subarray(0, (Math.min(place.end, begin + piece) - begin) / size)
      await this.bytes.read(bytesOf(data), this.dataBegin + begin)
      yield { first: (begin - place.begin) / size, data }
    }
  }
}

const bytesOf = (data: TensorData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
