/** What the readers share: bytes of a file, and errors about files. */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { GradusError, invalidArgument } from '../errors.js'
import { badFile, type FileSource, fileError } from '../files.js'

export { badFile, type FileSource }

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

function fail(source: FileSource, error: unknown): never {
  throw fileError(source, error)
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
