/** Safetensors files: written whole or not at all, read without trust, in pieces so that the event loop runs on. */
import type { FileHandle } from 'node:fs/promises'
import { replaceFile } from '../files.js'
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

/** In the place of `file`, whole or not at all. */
export async function writeSafetensors(
  file: string,
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const header = encodeHeader(tensors, metadata)
  await replaceFile(file, async (handle) => {
    await writeAll(handle, header)
    for (const { data } of tensors) await writeAll(handle, bytesOf(data))
  })
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, Math.min(piece, bytes.length - done))).bytesWritten
  }
}

/** A safetensors file that whoever opened it closes. */
export class SafetensorsFile {
  private constructor(
    private readonly handle: FileHandle,
    readonly header: Header,
    private readonly dataBegin: number,
  ) {}

  /** @throws GRADUS_BAD_FILE saying what is wrong with it */
  static async read({ handle, size }: { handle: FileHandle; size: number }): Promise<SafetensorsFile> {
    if (size < 8) throw badFile(`it has ${size} bytes, and the length of the header alone needs 8`)
    const prefix = await readAll(handle, new Uint8Array(8), 0)
    const length = new DataView(prefix.buffer).getBigUint64(0, true)
    if (length > BigInt(maxHeaderLength)) throw badFile(`its header claims ${length} bytes; at most 100 MB are allowed`)
    if (length > BigInt(size - 8)) {
      throw badFile(`its header claims ${length} bytes, and the file has ${size - 8} after the length`)
    }
    const bytes = await readAll(handle, new Uint8Array(Number(length)), 8)
    const dataBegin = 8 + bytes.length
    return new SafetensorsFile(handle, decodeHeader(bytes, size - dataBegin), dataBegin)
  }

  /** A tensor's elements from `first` on, a few megabytes at a time, in memory that the next piece uses again. */
  async *pieces(name: string): AsyncGenerator<{ first: number; data: TensorData }> {
    const place = this.header.tensors.get(name)
    if (!place) throw badFile(`there is no tensor ${JSON.stringify(name)}`)
    const memory = emptyTensor({ ...place, end: Math.min(place.end, place.begin + piece) })
    for (let begin = place.begin; begin < place.end; begin += piece) {
      const size = memory.BYTES_PER_ELEMENT
      const data = memory.subarray(0, (Math.min(place.end, begin + piece) - begin) / size)
      await readAll(this.handle, bytesOf(data), this.dataBegin + begin)
      yield { first: (begin - place.begin) / size, data }
    }
  }
}

async function readAll(handle: FileHandle, bytes: Uint8Array, from: number): Promise<Uint8Array> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(piece, bytes.length - done), from + done)
    if (!bytesRead) throw badFile('it became shorter while it was read')
    done += bytesRead
  }
  return bytes
}

const bytesOf = (data: TensorData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
