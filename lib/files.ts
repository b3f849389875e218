/**
 * Files: reading what may be no file at all, and writing that leaves the old file or the new one, never half of it.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, realpathSync, type Stats } from 'node:fs'
import { type FileHandle, link, lstat, mkdir, open, readlink, realpath, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { badFile, codeOf, fileError, isMissing, missing, problems, shortened, withFileErrors } from './file-errors.js'
import { newTemporary, removeTemporaries } from './temporary.js'

export {
  badFile,
  checkPath,
  codeOf,
  type FileSource,
  fileError,
  isFull,
  isMissing,
  isUrl,
  nameOf,
  withFileErrors,
} from './file-errors.js'

/** Of a file that is read as one text. */
const mostBytes = 1 << 26

/**
 * Opens a file to read it. A pipe would keep its reader waiting: what is no regular file is refused. `follow: false` also
 * refuses a link, which may lead anywhere.
 */
export async function openFile(
  path: string,
  { follow = true }: { follow?: boolean | undefined } = {},
): Promise<{ handle: FileHandle; size: number }> {
  return withFileErrors(path, async () => {
    const handle = await open(path, constants.O_RDONLY | safely(follow)).catch((error) =>
      fail(follow ? error : unlessLink(path, error)),
    )
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
    checkSize(path, size, most)
    return await withFileErrors(path, () => handle.readFile('utf8'))
  } finally {
    await handle.close()
  }
}

/**
 * Opens a file that lies in a folder of somebody else's, to read it on this thread. No link leads elsewhere: neither the file
 * may be one, nor may the folder have become one.
 *
 * @param folder - its real path
 * @throws `GRADUS_BAD_FILE`
 */
export function openWithin(folder: string, name: string): { file: number; size: number; status: Stats } {
  const path = join(folder, name)
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | safely(false))
  } catch (error) {
    throw fileError(path, unlessLink(path, error))
  }
  try {
    const status = fstatSync(file)
    checkRegular(path, status)
    // Looked at after it was opened: what was opened is what lies there, and there is no link on the way.
    const { ino, dev } = lstatSync(path)
    if (realpathSync.native(folder) !== folder || ino !== status.ino || dev !== status.dev) {
      throw badFile(path, 'it was put in the place of another one meanwhile')
    }
    return { file, size: status.size, status }
  } catch (error) {
    closeSync(file)
    throw fileError(path, error)
  }
}

/** The text of such a file, of at most so many bytes; `check` looks at what was opened, and may refuse it. */
export function readTextWithin(folder: string, name: string, most: number, check?: (status: Stats) => void): string {
  const { file, size, status } = openWithin(folder, name)
  try {
    checkSize(join(folder, name), size, most)
    check?.(status)
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw fileError(join(folder, name), error)
  } finally {
    closeSync(file)
  }
}

/** Opens a file to read it, cut it and add to its end; a new one where there is none. No link is followed. */
export async function openToAppend(path: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | safely(false)
  return withFileErrors(
    path,
    async () => {
      const file = await open(path, flags).catch((error) => fail(unlessLink(path, error)))
      try {
        checkRegular(path, await file.stat())
        return file
      } catch (error) {
        await file.close()
        throw error
      }
    },
    'written',
  )
}

const unlessLink = (path: string, error: unknown): unknown =>
  codeOf(error) === 'ELOOP' ? badFile(path, 'it is a link, and none is followed here', error) : error

function checkSize(path: string, size: number, most: number): void {
  if (size > most) throw badFile(path, `it has ${size} bytes, and at most ${most} are read`)
}

function checkRegular(path: string, status: Stats): void {
  if (status.isDirectory()) throw badFile(path, problems.EISDIR!)
  if (!status.isFile()) throw badFile(path, 'it is not a regular file')
}

/**
 * Writes beside the file, then puts that in its place: whoever reads it finds the old one or the new one, and so does a
 * crash. A link stays one, to the new file; mode and owner stay as they were.
 *
 * @param options - `sync: false` for what need not survive a loss of power; `ready` is asked when the new one is whole, just
 * before it is put in place: if it throws, the old one stays
 */
export async function replaceFile(
  path: string,
  write: (file: FileHandle) => Promise<void>,
  { sync = true, ready }: { sync?: boolean | undefined; ready?: (() => Promise<void>) | undefined } = {},
): Promise<void> {
  await withFileErrors(
    path,
    async () => {
      const target = await targetOf(path)
      const before = await stat(target).catch((error) => (isMissing(error) ? null : fail(error)))
      if (before) checkRegular(path, before)
      await besideOf(target, before, { write, sync }, async (temporary) => {
        await ready?.()
        await putInPlace(temporary, target)
      })
    },
    'written',
  )
}

/**
 * A new file, whole from the moment that it is there, and on the disk; false when there is something of that name, which
 * stays. Of many who place one at once, one alone succeeds. Where the file system has no hard links it is made under its
 * name, by one alone too, but not whole at once: a warning says so.
 *
 * @param options - `sync: false` for what need not survive a loss of power
 */
export async function placeFile(
  path: string,
  write: (file: FileHandle) => Promise<void>,
  { sync = true }: { sync?: boolean | undefined } = {},
): Promise<boolean> {
  const place = async (temporary: string) => {
    try {
      return await isFirst(() => link(temporary, path), temporary, path)
    } catch (error) {
      if (!hasNoLinks(error)) throw error
      warnOfNoLinks(path)
      return await createAlone(path, write, sync)
    }
  }
  return await withFileErrors(
    path,
    async () => {
      let isPlaced = false
      await besideOf(path, null, { write, sync }, async (temporary) => {
        isPlaced = await place(temporary)
        await unlink(temporary)
      })
      return isPlaced
    },
    'written',
  )
}

/** What systems answer where a file system has no hard links. */
export const hasNoLinks = (error: unknown): boolean =>
  ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error))

let hasWarned = false

export function warnOfNoLinks(path: string): void {
  if (hasWarned) return
  hasWarned = true
  const message =
    `${path}: the file system has no hard links. Files are created under their names instead: still by one alone, but a ` +
    'process that is killed on the way leaves one that is not whole'
  process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_NO_HARD_LINKS' })
}

async function createAlone(path: string, write: (file: FileHandle) => Promise<void>, sync: boolean): Promise<boolean> {
  const file = await open(path, 'wx').catch((error) => (codeOf(error) === 'EEXIST' ? null : fail(error)))
  if (file === null) return false
  try {
    await writeWhole(file, null, write, sync)
  } catch (error) {
    await unlink(path).catch(() => undefined)
    throw error
  }
  return true
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

/** Puts on the disk which files a folder has, after a rename or a new one. Windows cannot open folders, and needs not. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a folder, with those above it, and puts their names on the disk: what is in it would be lost with it. */
export async function makeFolder(path: string): Promise<void> {
  await withFileErrors(
    path,
    async () => {
      for (const made of await makeFolders(path)) await syncNameOf(made)
    },
    'written',
  )
}

/**
 * Makes a folder, with those above it: which, the lowest first. Node.js has that too (`recursive`), but goes round for ever where
 * a system says of a folder that it does not exist although the one above it does, as below /proc and automounters.
 */
export async function makeFolders(path: string): Promise<string[]> {
  const made: string[] = []
  for (let at = resolve(path); !(await isFolder(at)); at = dirname(at)) made.push(at)
  for (const folder of made.toReversed()) {
    await mkdir(folder).catch(async (error) => {
      if (codeOf(error) !== 'EEXIST') throw error
      // Somebody else has just made it; or it is a file, of which the system says it better.
      if (!(await isFolder(folder))) await mkdir(path)
    })
  }
  return made
}

/** False where there is nothing, or nothing that is one: making it then says what is wrong. */
const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (status) => status.isDirectory(),
    (error) => (['ENOENT', 'ENOTDIR'].includes(codeOf(error)) ? false : fail(error)),
  )

/** Puts on the disk that a folder is there. One above it that may not be read cannot be asked to. */
export async function syncNameOf(folder: string): Promise<void> {
  await syncFolder(dirname(resolve(folder))).catch((error) => (codeOf(error) === 'EACCES' ? undefined : fail(error)))
}

function fail(error: unknown): never {
  throw error
}
