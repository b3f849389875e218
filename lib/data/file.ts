/** What the readers share: bytes of a file, unpacked within limits. */
import { pipeline, Readable, type Transform } from 'node:stream'
import { setImmediate as nextTick } from 'node:timers/promises'
import { isUint8Array } from 'node:util/types'
import { createGunzip } from 'node:zlib'
import { checkPositiveInteger } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { badFile, checkPath, type FileSource, fileError, isUrl, openFile } from '../files.js'
import { sliceBytes } from './slices.js'

/** What all readers take. */
export interface ReadOptions {
  /**
   * The most bytes that a packed file (`.gz`, `.npz`) may hold once unpacked: what it claims to hold is not believed.
   * Default 2³⁰ (1 GiB).
   */
  maxBytes?: number | undefined
}

export const readRules = { maxBytes: [checkPositiveInteger, 2 ** 30] } as const

/** Bytes that zlib, or a buffer read in pieces, gives at a time. */
const chunkSize = 1 << 16

export const tooManyBytes = (source: FileSource, limit: number): GradusError =>
  badFile(source, `it unpacks to more than ${limit} bytes; the option maxBytes raises the limit`)

/** The bytes, unpacked where they are gzip's. Errors: `GRADUS_BAD_FILE` when unreadable or larger than the limit. */
export async function readBytes(source: FileSource, limit: number): Promise<Uint8Array> {
  checkSource(source)
  try {
    const bytes = isUint8Array(source) ? source : await readWhole(source)
    if (!isGzip(bytes)) return bytes
    return await inflate(bytes, createGunzip({ chunkSize }), limit, () => tooManyBytes(source, limit))
  } catch (error) {
    throw fileError(source, error)
  }
}

/** The bytes piece by piece, unpacked where they are gzip's. Errors as those of {@link readBytes}. */
export async function* readPieces(source: FileSource, limit: number): AsyncGenerator<Uint8Array> {
  checkSource(source)
  try {
    const stream = isUint8Array(source) ? Readable.from(piecesOf(source)) : await openStream(source)
    const iterator = stream[Symbol.asyncIterator]()
    const first = await iterator.next()
    if (first.done) return
    const all = startingWith(first.value, iterator)
    if (isGzip(first.value)) yield* gunzipped(source, all, limit)
    else yield* all
  } catch (error) {
    throw fileError(source, error)
  }
}

/** Unpacks all of `packed`, off the main thread. Throws what `tooMany` makes when more comes out than the limit. */
export async function inflate(
  packed: Uint8Array,
  inflater: Transform,
  limit: number,
  tooMany: () => Error,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = []
  let length = 0
  inflater.end(packed)
  for await (const piece of inflater) {
    length += piece.length
    if (length > limit) throw tooMany()
    pieces.push(piece)
  }
  const whole = new Uint8Array(length)
  let [at, copied] = [0, 0]
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
    if (at - copied < sliceBytes) continue
    copied = at
    await nextTick()
  }
  return whole
}

async function* gunzipped(source: FileSource, packed: AsyncIterable<Uint8Array>, limit: number) {
  const gunzip = createGunzip({ chunkSize })
  // Errors of both parts come out of the iteration below.
  pipeline(packed, gunzip, () => {})
  let length = 0
  for await (const piece of gunzip as AsyncIterable<Uint8Array>) {
    length += piece.length
    if (length > limit) throw tooManyBytes(source, limit)
    yield piece
  }
}

/** What an iterator has given already, and the rest of it. */
async function* startingWith<T>(first: T, iterator: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    yield first
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let first = 0; first < bytes.length; first += chunkSize) {
    if (first > 0) await nextTick()
    yield bytes.subarray(first, first + chunkSize)
  }
}

const isGzip = (bytes: Uint8Array): boolean => bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b

function checkSource(source: unknown): void {
  if (typeof source === 'string' || isUint8Array(source) || isUrl(source)) return
  throw invalidArgument('file', 'a path, a file URL or a Uint8Array', source)
}

async function readWhole(path: string | URL): Promise<Uint8Array> {
  const { handle } = await openFile(checkPath('file', path))
  return handle.readFile().finally(() => handle.close())
}

/** It closes the file at its end, or when it is destroyed. */
async function openStream(path: string | URL): Promise<Readable> {
  const { handle } = await openFile(checkPath('file', path))
  return handle.createReadStream({ highWaterMark: chunkSize })
}

/** Loads an optional package when its feature is used. Error: `GRADUS_MISSING_PACKAGE` names the install command. */
export async function optionalPackage<T>(name: string, feature: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const message = `${feature} needs the package ${name}: npm install ${name}`
    throw new GradusError('GRADUS_MISSING_PACKAGE', message, { cause: error })
  }
}
