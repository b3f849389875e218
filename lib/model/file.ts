/** Safetensors as files and as bytes in memory: read without trust, and in pieces so that the event loop runs on. */
import type { FileHandle } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { openFile, replaceFile } from '../files.js'
import { widen } from './halves.js'
import {
  badFile,
  decodeHeader,
  elementsOf,
  emptyTensor,
  encodeHeader,
  type Header,
  isHalf,
  maxHeaderLength,
  type StoredData,
  type Tensor,
  type TensorData,
} from './safetensors.js'

const piece = 1 << 22
/** Less where the event loop is at work on it: a hash of this takes a quarter of a millisecond. */
const hashed = 1 << 18

type Metadata = Readonly<Record<string, string>>

/** In the place of `file`, whole or not at all. */
export async function writeSafetensors(file: string, tensors: readonly Tensor[], metadata: Metadata): Promise<void> {
  await replaceFile(file, (handle) => writeTensors(handle, tensors, metadata))
}

/** Writes that are under way at once: the threads that write work beside the one that hashes. */
const mostWriting = 4

/** Into an empty file, with the hash of it all among the metadata. */
export async function writeTensors(handle: FileHandle, tensors: readonly Tensor[], metadata: Metadata): Promise<void> {
  const { parts, hashAt } = partsOf(tensors, metadata)
  const hash = await newHash()
  const writing: Promise<void>[] = []
  try {
    for (const { slice, at } of slices(parts)) {
      const write = writeAll(handle, slice, at)
      write.catch(() => {}) // thrown to whoever awaits it
      writing.push(write)
      hash.update(slice)
      if (slice.length === hashed) await setImmediate()
      if (writing.length >= mostWriting) await writing.shift()
    }
  } finally {
    // Whoever closes the file must not do so under them.
    await Promise.allSettled(writing)
  }
  await Promise.all(writing)
  await writeAll(handle, Buffer.from(hash.digest('hex')), hashAt)
}

type Part = Uint8Array | StoredData

/** What is hashed in one go, and where it stands in the file; in memory that is used again when so many others have come. */
function* slices(parts: readonly Part[]): Generator<{ slice: Uint8Array; at: number }> {
  const longest = parts.reduce(
    (length, part) => (part instanceof Uint8Array ? length : Math.max(length, part.byteLength)),
    0,
  )
  const memories = Array.from({ length: mostWriting }, () => new Uint8Array(Math.min(hashed, longest)))
  let number = 0
  let at = 0
  for (const part of parts) {
    for (let begin = 0; begin < part.byteLength; begin += hashed) {
      const end = Math.min(begin + hashed, part.byteLength)
      const slice = sliceOf(part, begin, end, memories[number++ % mostWriting]!)
      yield { slice, at }
      at += slice.length
    }
  }
}

function sliceOf(part: Part, begin: number, end: number, memory: Uint8Array): Uint8Array {
  if (part instanceof Uint8Array) return part.subarray(begin, end)
  const slice = memory.subarray(0, end - begin)
  part.copy(begin, slice)
  return slice
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten
  }
}

/** What {@link writeSafetensors} would write. */
export async function encodeSafetensors(tensors: readonly Tensor[], metadata: Metadata): Promise<Buffer> {
  const { parts, hashAt } = partsOf(tensors, metadata)
  const whole = Buffer.allocUnsafe(parts.reduce((sum, { byteLength }) => sum + byteLength, 0))
  const hash = await newHash()
  for (const { slice, at } of slices(parts)) {
    whole.set(slice, at)
    hash.update(slice)
    if (slice.length === hashed) await setImmediate()
  }
  whole.set(Buffer.from(hash.digest('hex')), hashAt)
  return whole
}

/** Loaded when it is needed: `import 'gradus'` does without. */
const newHash = async () => (await import('node:crypto')).createHash('sha256')

/** The parts of the file, and where in it the hash belongs: of all of it, with zeros in its own place. */
function partsOf(tensors: readonly Tensor[], metadata: Metadata): { parts: Part[]; hashAt: number } {
  const header = encodeHeader(tensors, { sha256: noHash, ...metadata })
  const datas = tensors.map(({ data }) => ('dtype' in data ? data : bytesOf(data)))
  return { parts: [header, ...datas], hashAt: placeOf(noHash, header) }
}

const noHash = '0'.repeat(64)

/** Where the hash stands among the bytes of the header. Within other strings its quotes would be escaped. */
const placeOf = (hash: string, header: Uint8Array): number => {
  const entry = '"sha256":"'
  const at = Buffer.from(header.buffer, header.byteOffset, header.byteLength).indexOf(`${entry}${hash}"`)
  return at < 0 ? at : at + entry.length
}

/** Bytes to read from: of an open file, or in memory. */
export interface Bytes {
  readonly size: number
  /** Fills `into` with what begins at byte `from`. */
  read(into: Uint8Array, from: number): Promise<void>
  close(): Promise<void>
}

export async function openBytes(
  source: string | Uint8Array,
  options: { follow?: boolean | undefined } = {},
): Promise<Bytes> {
  if (typeof source !== 'string') return inMemory(source)
  const { handle, size } = await openFile(source, options)
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
    private readonly beginning: Uint8Array,
  ) {}

  /**
   * @param mostOfHeader - bytes of the longest header that is read
   * @throws GRADUS_BAD_FILE saying what is wrong with it
   */
  static async open(bytes: Bytes, mostOfHeader = maxHeaderLength): Promise<SafetensorsReader> {
    const { size } = bytes
    if (size < 8) throw badFile(`not a safetensors file: ${size} bytes, and the length of its header alone needs 8`)
    const beginning = new Uint8Array(Math.min(9, size))
    await bytes.read(beginning, 0)
    const length = new DataView(beginning.buffer).getBigUint64(0, true)
    if (size > 8 && beginning[8] !== 0x7b) throw badFile('not a safetensors file: its header does not begin with "{"')
    if (length > BigInt(mostOfHeader)) {
      throw badFile(`its header claims ${length} bytes; at most ${mostOfHeader / 1e6} MB are allowed`)
    }
    if (length > BigInt(size - 8)) {
      throw badFile(`its header claims ${length} bytes, and the file has ${size - 8} after the length`)
    }
    const dataBegin = 8 + Number(length)
    const begin = new Uint8Array(dataBegin)
    await bytes.read(begin, 0)
    return new SafetensorsReader(bytes, decodeHeader(begin.subarray(8), size - dataBegin), begin)
  }

  /**
   * Reads all of it against the hash among the metadata. Files of other programs have none, nor have those of before there was one.
   *
   * @throws GRADUS_BAD_FILE when they do not agree
   */
  async checkHash(): Promise<void> {
    const { sha256 } = this.header.metadata
    if (sha256 === undefined) return
    const at = /^[0-9a-f]{64}$/.test(sha256) ? placeOf(sha256, this.beginning) : -1
    const hash = await newHash()
    const { size } = this.bytes
    const memory = new Uint8Array(Math.min(hashed, size))
    for (let begin = 0; at >= 0 && begin < size; begin += hashed) {
      const part = memory.subarray(0, Math.min(hashed, size - begin))
      await this.bytes.read(part, begin)
      for (let i = Math.max(at, begin); i < Math.min(at + 64, begin + part.length); i++) part[i - begin] = 0x30
      hash.update(part)
    }
    if (at >= 0 && hash.digest('hex') === sha256) return
    const advice = 'whoever changes such a file takes the entry sha256 out of its metadata'
    throw badFile(`it is damaged, or was changed after it was written: its bytes are not those of its hash; ${advice}`)
  }

  /** A tensor's elements from `first` on, a few megabytes at a time, in memory that the next piece uses again. */
  async *pieces(name: string): AsyncGenerator<{ first: number; data: TensorData }> {
    const place = this.header.tensors.get(name)
    if (!place) throw badFile(`there is no tensor ${JSON.stringify(name)}`)
    const most = { ...place, end: Math.min(place.end, place.begin + piece) }
    const memory = emptyTensor(most)
    const halves = isHalf(place.dtype) ? new Uint16Array(memory.length) : undefined
    for (let begin = place.begin; begin < place.end; begin += piece) {
      const length = elementsOf({ ...place, begin, end: Math.min(place.end, begin + piece) })
      const data = memory.subarray(0, length)
      const read = halves?.subarray(0, length) ?? data
      await this.bytes.read(bytesOf(read), this.beginning.length + begin)
      if (halves) widen(place.dtype as 'F16' | 'BF16', halves, data as Float32Array)
      yield { first: elementsOf({ ...place, end: begin }), data }
    }
  }
}

const bytesOf = (data: TensorData | Uint16Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
