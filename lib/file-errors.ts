/** What Node.js and the packages that read files throw, in our words, and how files are named in them. */
import { fileURLToPath } from 'node:url'
import { isUint8Array } from 'node:util/types'
import { GradusError, invalidArgument } from './errors.js'

/** A path, a file URL, or the bytes themselves. */
export type FileSource = string | URL | Uint8Array

/** That of Windows; Linux and macOS take less. */
const longestPath = 32_767

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

export const shortened = (name: string): string => (name.length > 300 ? `…${name.slice(-299)}` : name)

export function badFile(source: FileSource, problem: string, cause?: unknown): GradusError {
  const options = cause === undefined ? undefined : { cause }
  return new GradusError('GRADUS_BAD_FILE', `${nameOf(source)}: ${problem}`, options)
}

/** By the codes of Node.js. Those of the system stand in the sentence where people would search for them. */
export const problems: Readonly<Record<string, string>> = {
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

/** Whether it came of a disk that is full: there may be room later. */
export function isFull(error: unknown): boolean {
  if (['ENOSPC', 'EDQUOT'].includes(codeOf(error))) return true
  return error instanceof Error && error.cause !== undefined && isFull(error.cause)
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
export function missing(source: FileSource, problem: string, cause: unknown): GradusError {
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
export const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException | undefined)?.code ?? '')

const causeOf = (error: unknown): unknown => (error instanceof GradusError ? error.cause : undefined)
