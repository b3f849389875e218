/**
 * Files: what Node.js and the packages that read them throw, in our words, and writing that leaves the old file or the new
 * one, never half of it.
 */
import { constants, type Stats } from 'node:fs'
import { type FileHandle, link, lstat, open, readlink, realpath, rename, stat, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isUint8Array } from 'node:util/types'
import { GradusError, invalidArgument } from './errors.js'
import { newTemporary, removeTemporaries } from './temporary.js'

/** A path, a file URL, or the bytes themselves. */
export type FileSource = string | URL | Uint8Array

/** That of Windows; Linux and macOS take less. */
const longestPath = 32_767

/** Of a file that is read as one text. */
const mostBytes = 1 << 26

/** Of any realm. */
export const isUrl = (value: unknown): value is URL =>
  typeof value === 'object' && value !== null && 'href' in value && 'protocol' in value

/** A path as it was given, or that of a file URL. */
export function checkPath(argument: string, value: unknown): string {
  const path = isUrl(value) ? pathOf(argument, value) : value
  if (typeof path !== 'string' || path === '') throw invalidArgument(argument, 'a path or a file URL', value)
  if (path.length > longestPath) throw invalidArgument(argument, `a path of at most ${longestPath} characters`, value)
  if (path.includes('\0')) throw invalidArgument(argument, 'a path without zero characters', value)
  return path
}

function pathOf(argument: string, url: URL): string {
  try {
    return fileURLToPath(url)
  } catch (error) {
    const message = `${argument}: expected a path or a file URL, received ${shortened(String(url.href))}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { cause: error })
  }
}

/** How errors name a source. Of a long path, the end. */
export const nameOf = (source: FileSource): string => (isUint8Array(source) ? 'the buffer' : shortened(String(source)))

const shortened = (name: string): string => (name.length > 300 ? `…${name.slice(-299)}` : name)

export function badFile(source: FileSource, problem: string, cause?: unknown): GradusError {
  const options = cause === undefined ? undefined : { cause }
  return new GradusError('GRADUS_BAD_FILE', `${nameOf(source)}: ${problem}`, options)
}

/** By the codes of Node.js. Those of the system stand in the sentence where people would search for them. */
const problems: Readonly<Record<string, string>> = {
  EACCES: 'permission denied (EACCES)',
  EBUSY: 'something else holds it (EBUSY)',
  EDQUOT: 'the disk quota is used up (EDQUOT)',
  EEXIST: 'something else has this name (EEXIST)',
  EFBIG: 'the file system takes no file as large as this (EFBIG)',
  EISDIR: 'it is a folder, not a file',
  ELOOP: 'its links lead in a circle (ELOOP)',
  EMFILE: 'this process has too many files open (EMFILE)',
  ENAMETOOLONG: 'the name is too long (ENAMETOOLONG)',
  ENFILE: 'the system has too many files open (ENFILE)',
  ENOSPC: 'no space is left on the disk (ENOSPC)',
  ENOTDIR: 'what its path leads through is no folder (ENOTDIR)',
  EPERM: 'the system does not permit it (EPERM)',
  EROFS: 'the file system is read-only (EROFS)',
}

/** What others' code threw over a file, as an error of ours with that as its `cause`. Ours stay as they are. */
export function fileError(source: FileSource, error: unknown, done: 'read' | 'written' = 'read'): GradusError {
  if (error instanceof GradusError) return error
  const code = codeOf(error)
  const message = String((error as Error | undefined)?.message ?? error)
  if (code === 'ENOENT') return missing(source, done === 'read' ? 'no such file' : 'no such folder', error)
  if (code === 'ENOMEM' || /allocation failed/i.test(message)) {
    const sentence = `${nameOf(source)}: there is not enough memory for it`
    return new GradusError('GRADUS_OUT_OF_MEMORY', sentence, { cause: error })
  }
  return badFile(source, problems[code] ?? `could not be ${done} (${shortened(message)})`, error)
}

/** Who gives an address in place of a path is told so. */
function missing(source: FileSource, problem: string, cause: unknown): GradusError {
  const address = typeof source === 'string' ? /^([a-z]{2,}):\/\//i.exec(source)?.[1] : undefined
  if (address === undefined) return badFile(source, problem, cause)
  const hint =
    address.toLowerCase() === 'file' ? 'give new URL(…), or the path alone' : 'nothing is fetched, give the bytes'
  return badFile(source, `${problem}; ${hint}`, cause)
}

/** The work's result, or its error by {@link fileError}. */
export async function withFileErrors<Result>(
  source: FileSource,
  work: () => Promise<Result>,
  done: 'read' | 'written' = 'read',
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw fileError(source, error, done)
  }
}

/** Whether it says that there is no such file, as Node.js says it or as {@link fileError} does. */
export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(causeOf(error)) === 'ENOENT'

// Errors of Node.js may be of another realm than this module, as in Jest: no `instanceof Error`.
const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException | undefined)?.code ?? '')

const causeOf = (error: unknown): unknown => (error instanceof GradusError ? error.cause : undefined)

/**
 * Opens a file to read it. A pipe would keep its reader waiting: what is no regular file is refused. `follow: false` also
 * refuses a link, which may lead anywhere.
 */
export async function openFile(
  path: string,
  { follow = true }: { follow?: boolean | undefined } = {},
): Promise<{ handle: FileHandle; size: number }> {
  return withFileErrors(path, async () => {
    const handle = await open(path, constants.O_RDONLY | safely(follow)).catch((error) => {
      throw !follow && codeOf(error) === 'ELOOP'
        ? badFile(path, 'it is a link, and none is followed here', error)
        : error
    })
    try {
      const status = await handle.stat()
      checkRegular(path, status)
      return { handle, size: status.size }
    } catch (error) {
      await handle.close()
      throw error
    }
  })
}

/** Windows has neither, nor needs them. */
const safely = (follow: boolean): number => (constants.O_NONBLOCK ?? 0) | (follow ? 0 : (constants.O_NOFOLLOW ?? 0))

/** The text of a regular file of at most so many bytes. */
export async function readText(
  path: string,
  { most = mostBytes, follow = true }: { most?: number | undefined; follow?: boolean | undefined } = {},
): Promise<string> {
  const { handle, size } = await openFile(path, { follow })
  try {
    if (size > most) throw badFile(path, `it has ${size} bytes, and at most ${most} are read`)
    return await withFileErrors(path, () => handle.readFile('utf8'))
  } finally {
    await handle.close()
  }
}

function checkRegular(path: string, status: Stats): void {
  if (status.isDirectory()) throw badFile(path, problems.EISDIR!)
  if (!status.isFile()) throw badFile(path, 'it is not a regular file')
}

/**
 * Writes beside the file, then puts that in its place: whoever reads it finds the old one or the new one, and so does a
 * crash. A link stays one, to the new file; mode and owner stay as they were.
 *
 * @param options - `sync: false` for what need not survive a loss of power
 */
export async function replaceFile(
  path: string,
  write: (file: FileHandle) => Promise<void>,
  { sync = true }: { sync?: boolean | undefined } = {},
): Promise<void> {
  await withFileErrors(
    path,
    async () => {
      const target = await targetOf(path)
      const before = await stat(target).catch((error) => (isMissing(error) ? null : fail(error)))
      if (before) checkRegular(path, before)
      await besideOf(target, before, { write, sync }, (temporary) => putInPlace(temporary, target))
    },
    'written',
  )
}

/**
 * A new file, whole from the moment that it is there, and on the disk; false when there is something of that name, which
 * stays. Of many who place one at once, one alone succeeds.
 */
export async function placeFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<boolean> {
  const place = (temporary: string) => isFirst(() => link(temporary, path), temporary, path)
  return await withFileErrors(
    path,
    async () => {
      let isPlaced = false
      await besideOf(path, null, { write, sync: true }, async (temporary) => {
        isPlaced = await place(temporary)
        await unlink(temporary)
      })
      return isPlaced
    },
    'written',
  )
}

/** A server far away may have done what was asked, and told of it only when it was asked again. */
async function isFirst(work: () => Promise<void>, temporary: string, path: string): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    const [ours, there] = await Promise.all([lstat(temporary), lstat(path)])
    return ours.ino === there.ino && ours.dev === there.dev
  }
}

interface Written {
  readonly write: (file: FileHandle) => Promise<void>
  readonly sync: boolean
}

/** Writes a temporary file in the folder of the target, and has it put where it belongs. */
async function besideOf(
  target: string,
  before: Stats | null,
  { write, sync }: Written,
  put: (temporary: string) => Promise<void>,
): Promise<void> {
  const folder = dirname(target)
  await removeTemporaries(folder)
  const { path: temporary, file } = await newTemporary(folder, before ? 0o600 : 0o666)
  try {
    await writeWhole(file, before, write, sync)
    await put(temporary)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
  if (sync) await syncFolder(folder)
}

/** Where the links of a path lead, there or not. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (!isMissing(error)) throw error
    const folder = await realpath(dirname(path)).catch((error) => {
      throw isMissing(error) ? missing(path, `there is no folder ${shortened(dirname(path))}`, error) : error
    })
    const link = await readlink(path).catch(() => null)
    return link === null ? resolve(path) : targetOf(resolve(folder, link))
  }
}

/** Readable by nobody else while it is written, if the file before was so. */
async function writeWhole(
  file: FileHandle,
  before: Stats | null,
  write: (file: FileHandle) => Promise<void>,
  sync: boolean,
): Promise<void> {
  try {
    await write(file)
    if (before) {
      // Only root may give files away; for others the owner is the same, or cannot be.
      await file.chown(before.uid, before.gid).catch(() => undefined)
      await file.chmod(before.mode & 0o777)
    }
    if (sync) await file.sync()
  } finally {
    await file.close()
  }
}

/** On Windows whoever reads the old file, be it a virus scanner, holds it for a moment. */
async function putInPlace(temporary: string, path: string): Promise<void> {
  for (let wait = 10; ; wait *= 2) {
    try {
      return await rename(temporary, path)
    } catch (error) {
      const isHeld = ['EACCES', 'EBUSY', 'EPERM'].includes(codeOf(error))
      if (process.platform !== 'win32' || !isHeld || wait > 1000) throw error
      await setTimeout(wait)
    }
  }
}

/** Puts the rename itself on the disk. Windows cannot open folders, and needs not. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function fail(error: unknown): never {
  throw error
}
