/** Where files travel through, between machines that share no disk: named by their bytes, so that nothing is ever mixed up. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, link, lstat, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GradusError } from '../../errors.js'
import { isMissing, makeFolders, withFileErrors } from '../../files.js'
import { newTemporary } from '../../temporary.js'
import type { FileEntry } from './messages.js'

export interface Artifacts {
  /** Sends a file that does not change. @throws `GRADUS_ARTIFACT`; `GRADUS_BAD_FILE` */
  put(file: string, entry: FileEntry): Promise<void>
  /** Has the file at that place, whole and with these bytes. @throws likewise */
  get(entry: FileEntry, to: string): Promise<void>
}

/** Files of different jobs lie apart: what becomes of one's leaves all others as they are, also where their bytes are the same. */
export interface ArtifactStore {
  room(name: string): Artifacts
}

/** The names that a room can have. */
export const roomName = /^[\w-][\w.-]{0,99}$/

export const artifactError = ({ path }: FileEntry, problem: string, cause?: unknown): GradusError =>
  new GradusError('GRADUS_ARTIFACT', `artifact: ${path}: ${problem}`, { cause })

/** Of a file, as far as `bytes` where that is given. */
export async function sha256Of(file: string, bytes?: number): Promise<string> {
  const hash = createHash('sha256')
  if (bytes === 0) return hash.digest('hex')
  const options = bytes === undefined ? {} : { end: bytes - 1 }
  for await (const chunk of createReadStream(file, { ...options, highWaterMark: 1 << 18 })) hash.update(chunk)
  return hash.digest('hex')
}

/** A folder: of the master's own disk, or of a disk that all see. */
export class ArtifactFolder implements ArtifactStore {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  room(name: string): ArtifactRoom {
    return new ArtifactRoom(join(this.path, name))
  }

  /** The names of those that there are. */
  async rooms(): Promise<string[]> {
    const entries = await readdir(this.path, { withFileTypes: true }).catch(() => [])
    return entries.filter((entry) => entry.isDirectory() && roomName.test(entry.name)).map(({ name }) => name)
  }
}

export class ArtifactRoom implements Artifacts {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Where the bytes lie. */
  pathOf = ({ sha256 }: Pick<FileEntry, 'sha256'>): string => join(this.path, sha256)

  async put(file: string, entry: FileEntry): Promise<void> {
    const to = this.pathOf(entry)
    await withFileErrors(to, async () => {
      await makeFolders(this.path)
      if (await isThere(to)) return
      // The same bytes under a second name where that can be: whoever replaces the file does not change these.
      const isLinked = await link(file, to).then(
        () => true,
        (error) => error.code === 'EEXIST',
      )
      if (!isLinked) await this.#copy(file, to)
    })
  }

  async #copy(file: string, to: string): Promise<void> {
    const { path, file: handle } = await newTemporary(this.path)
    await handle.close()
    await copyFile(file, path)
    await rename(path, to)
  }

  async get(entry: FileEntry, to: string): Promise<void> {
    await withFileErrors(
      to,
      async () => {
        await makeFolders(dirname(to))
        const { path, file } = await newTemporary(dirname(to))
        await file.close()
        try {
          await copyFile(this.pathOf(entry), path).catch((error) => {
            throw isMissing(error) ? artifactError(entry, 'it is not there any more', error) : error
          })
          if ((await sha256Of(path)) !== entry.sha256)
            throw artifactError(entry, 'its bytes are not those of its SHA-256')
          await rename(path, to)
        } finally {
          await rm(path, { force: true })
        }
      },
      'written',
    )
  }

  /** Gives the bytes away, to lie at that place from now on, and here too where `keeps`; false where they are not there. */
  async move(entry: FileEntry, to: string, keeps = false): Promise<boolean> {
    try {
      if (keeps) await this.#copy(this.pathOf(entry), to)
      else await rename(this.pathOf(entry), to)
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  /** Away with all that is in it. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )
