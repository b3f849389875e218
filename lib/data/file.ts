/** What the readers share: bytes of a file, and errors about files. */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { GradusError, invalidArgument } from '../errors.js'

/** A path, a file URL, or the bytes themselves. */
export type FileSource = string | URL | Uint8Array

/** How errors name a source. */
export function nameOf(source: FileSource): string {
  return source instanceof Uint8Array ? 'the buffer' : String(source)
}

export function badFile(source: FileSource, problem: string, cause?: unknown): GradusError {
  return new GradusError('GRADUS_BAD_FILE', `${nameOf(source)}: ${problem}`, { cause })
}

/** The bytes, unpacked where they are gzip's. Errors: `GRADUS_BAD_FILE` when unreadable. */
export async function readBytes(source: FileSource): Promise<Uint8Array> {
  if (!(typeof source === 'string' || source instanceof URL || source instanceof Uint8Array)) {
    throw invalidArgument('file', 'a path, a file URL or a Uint8Array', source)
  }
  const bytes = source instanceof Uint8Array ? source : await readFile(source).catch((error) => fail(source, error))
  const packed = bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b
  if (!packed) return bytes
  return promisify(gunzip)(bytes).catch((error) => fail(source, error))
}

function fail(source: FileSource, error: Error): never {
  throw badFile(source, `could not be read (${error.message})`, error)
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
