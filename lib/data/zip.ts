/**
 * Entries of a zip archive (PKWARE's APPNOTE.TXT 6.3.10), as far as NumPy writes them: stored or deflated, with or
 * without zip64. Nothing that the archive claims is believed: places are checked, contents are counted as they unpack,
 * and their CRC-32 is compared.
 */
import { crc32, createInflateRaw } from 'node:zlib'
import { badFile, type FileSource } from '../files.js'
import { inflate, tooManyBytes } from './file.js'
import { inSlices, sliceBytes } from './slices.js'

interface Entry {
  name: string
  /** 0: stored, 8: deflated. */
  method: number
  crc: number
  /** Of the content, as claimed. */
  size: number
  packed: Uint8Array
}

const [endSignature, end64Signature, locator64Signature] = [0x06054b50, 0x06064b50, 0x07064b50]
const [entrySignature, localSignature] = [0x02014b50, 0x04034b50]
/** Deflate makes no more of a byte. */
const mostByDeflate = 1032
const mostEntries = 10_000

/**
 * Contents of the entries whose names end as asked, one after the other.
 *
 * @param limit the most bytes that all of these may unpack to
 * @throws `GRADUS_BAD_FILE` says what is wrong with the archive.
 */
export async function* unzip(
  source: FileSource,
  bytes: Uint8Array,
  ending: string,
  limit: number,
): AsyncGenerator<[name: string, content: Uint8Array]> {
  const entries = readDirectory(source, bytes).filter(({ name }) => name.endsWith(ending))
  const claimed = entries.reduce((sum, { size }) => sum + size, 0)
  if (claimed > limit) throw tooManyBytes(source, limit)
  for (const entry of entries) yield [entry.name, await contentOf(source, entry)]
}

async function contentOf(source: FileSource, { name, method, crc, size, packed }: Entry): Promise<Uint8Array> {
  const wrongSize = () => badFile(source, `${name}: holds other than the ${size} bytes it claims`)
  const content = method === 0 ? packed : await inflated(source, name, packed, size, wrongSize)
  if (content.length !== size) throw wrongSize()
  let sum = 0
  await inSlices(content.length, sliceBytes, (first, end) => {
    sum = crc32(content.subarray(first, end), sum)
  })
  if (sum !== crc) throw badFile(source, `${name}: its checksum is wrong, the file is damaged`)
  return content
}

async function inflated(source: FileSource, name: string, packed: Uint8Array, size: number, tooMany: () => Error) {
  if (size > mostByDeflate * (packed.length + 1)) throw tooMany()
  const chunkSize = Math.max(64, Math.min(size, 1 << 18))
  return await inflate(packed, createInflateRaw({ chunkSize }), size, tooMany).catch((error) => {
    throw (error as { code?: string | undefined }).code?.startsWith('Z_')
      ? badFile(source, `${name}: ${error.message}`)
      : error
  })
}

/** The archive's table of contents, which stands at its end. */
function readDirectory(source: FileSource, bytes: Uint8Array): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fail = (problem: string) => badFile(source, `not a readable zip archive: ${problem}`)
  const directory = findDirectory(view)
  if (!directory) throw fail('the end of its directory is missing')
  const { count, start, length } = directory
  if (count > mostEntries) throw fail(`${count} entries, where at most ${mostEntries} are read`)
  if (start + length > bytes.length) throw fail('its directory lies outside of the file')
  const entries: Entry[] = []
  const names = new Set<string>()
  let [at, packedBytes] = [start, 0]
  for (let i = 0; i < count; i++) {
    if (at + 46 > start + length || view.getUint32(at, true) !== entrySignature) throw fail(`entry ${i} is cut off`)
    const [nameLength, extraLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)]
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true)
    if (next > start + length) throw fail(`entry ${i} is cut off`)
    const name = nameAt(view, at + 46, nameLength)
    if (names.has(name)) throw fail(`two entries are named ${JSON.stringify(name)}`)
    names.add(name)
    const entry = readEntry(view, at, name, fail)
    packedBytes += entry.packed.length
    entries.push(entry)
    at = next
  }
  if (at !== start + length) throw fail('its directory is longer than its entries')
  // Honest entries lie side by side; many over the same bytes are made to unpack to more than anybody has memory for.
  if (packedBytes > bytes.length) throw fail('its entries overlap')
  return entries
}

const nameAt = (view: DataView, at: number, length: number): string =>
  new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at, length))

type Fail = (problem: string) => Error

function readEntry(view: DataView, at: number, name: string, fail: Fail): Entry {
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)]
  if (flags & 1) throw fail(`${name} is encrypted`)
  if (method !== 0 && method !== 8) throw fail(`${name} is packed by method ${method}, not stored or deflated`)
  const [packedLength, size, offset] = placeOf(view, at)
  if (offset + 30 > view.byteLength || view.getUint32(offset, true) !== localSignature) {
    throw fail(`${name} is not where the directory says`)
  }
  const nameLength = view.getUint16(offset + 26, true)
  const start = offset + 30 + nameLength + view.getUint16(offset + 28, true)
  if (start + packedLength > view.byteLength) throw fail(`${name} is cut off`)
  if (nameAt(view, offset + 30, nameLength) !== name) throw fail(`${name} has another name where it lies`)
  const packed = new Uint8Array(view.buffer, view.byteOffset + start, packedLength)
  return { name, method, crc: view.getUint32(at + 16, true), size, packed }
}

/** Packed length, length and offset; those that need more than 32 bits stand in the extra field of zip64. */
function placeOf(view: DataView, at: number): [number, number, number] {
  const place = {
    size: view.getUint32(at + 24, true),
    packed: view.getUint32(at + 20, true),
    offset: view.getUint32(at + 42, true),
  }
  const end = at + 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true)
  for (let extra = end - view.getUint16(at + 30, true); extra + 4 <= end; ) {
    const next = extra + 4 + view.getUint16(extra + 2, true)
    if (view.getUint16(extra, true) === 1) {
      let field = extra + 4
      for (const key of ['size', 'packed', 'offset'] as const) {
        if (place[key] !== 0xffffffff || field + 8 > Math.min(next, end)) continue
        place[key] = Number(view.getBigUint64(field, true))
        field += 8
      }
    }
    extra = next
  }
  return [place.packed, place.size, place.offset]
}

/** How many entries there are, and where their table lies. The record that says so is followed by a comment at most. */
function findDirectory(view: DataView): { count: number; start: number; length: number } | null {
  const last = view.byteLength - 22
  for (let at = last; at >= 0 && at >= last - 0xffff; at--) {
    if (view.getUint32(at, true) !== endSignature || at + 22 + view.getUint16(at + 20, true) !== view.byteLength)
      continue
    const isLong = at >= 20 && view.getUint32(at - 20, true) === locator64Signature
    const at64 = isLong ? Number(view.getBigUint64(at - 12, true)) : -1
    if (at64 >= 0 && at64 + 56 <= view.byteLength && view.getUint32(at64, true) === end64Signature) {
      const long = (offset: number) => Number(view.getBigUint64(at64 + offset, true))
      return { count: long(32), length: long(40), start: long(48) }
    }
    const [count, length] = [view.getUint16(at + 10, true), view.getUint32(at + 12, true)]
    return { count, length, start: view.getUint32(at + 16, true) }
  }
  return null
}
