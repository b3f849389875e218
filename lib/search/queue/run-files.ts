/** A run's directory on its way: what is in it, brought to where artifacts are, and put together again elsewhere. */
import { copyFile, lstat, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, makeFolders, replaceFile, withFileErrors } from '../../files.js'
import { studyFormat } from '../../study/values.js'
import { newTemporary } from '../../temporary.js'
import { runFiles } from '../../train/run-folder.js'
import { type ArtifactRoom, type Artifacts, artifactError, sha256Of } from './artifacts.js'
import type { Placed } from './exchange.js'
import { type FileEntry, isPlainPath, read } from './messages.js'

/** Who holds a run on one machine says nothing on another. */
const isLeft = (name: string): boolean => name === runFiles.claims

/** Plain files below a folder, by their paths with slashes; no links, and nothing half written. */
export async function filesBelow(folder: string, prefix = ''): Promise<string[]> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
  const paths: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
    if (isLeft(entry.name) || !isPlainPath(path)) continue
    if (entry.isDirectory()) paths.push(...(await filesBelow(folder, path)))
    else if (entry.isFile()) paths.push(path)
  }
  return paths
}

const isCheckpoint = (path: string): boolean => /(^|\/)checkpoints\//.test(path)

/** Brings a directory to where artifacts are, again and again while it changes. */
export class RunSender {
  readonly #folder: string
  readonly #artifacts: Artifacts
  /** Of checkpoints, which do not change. */
  readonly #sent = new Map<string, FileEntry>()

  constructor(folder: string, artifacts: Artifacts, sent: readonly FileEntry[]) {
    this.#folder = folder
    this.#artifacts = artifacts
    for (const entry of sent) if (isCheckpoint(entry.path)) this.#sent.set(entry.path, entry)
  }

  /** Whether there is a checkpoint that has not been sent. */
  async hasNew(): Promise<boolean> {
    return (await filesBelow(this.#folder)).some((path) => isCheckpoint(path) && !this.#sent.has(path))
  }

  /**
   * All that is there. Checkpoints are listed first: what is recorded beside them reaches beyond each that is in the list, and
   * is cut by whoever goes on.
   */
  async send(): Promise<FileEntry[]> {
    const entries: FileEntry[] = []
    const paths = await filesBelow(this.#folder)
    for (const path of paths.filter(isCheckpoint)) {
      const entry = this.#sent.get(path) ?? (await this.#sendCheckpoint(path))
      if (entry) entries.push(entry)
    }
    for (const path of paths.filter((path) => !isCheckpoint(path))) {
      const entry = await this.#sendGrowing(path)
      if (entry) entries.push(entry)
    }
    const there = new Set(entries.map(({ path }) => path))
    for (const path of this.#sent.keys()) if (!there.has(path)) this.#sent.delete(path)
    return entries
  }

  /** Null where it has been removed for a better one. */
  async #sendCheckpoint(path: string): Promise<FileEntry | null> {
    const file = join(this.#folder, path)
    try {
      const { size } = await lstat(file)
      const entry = { path, bytes: size, sha256: await sha256Of(file) }
      await this.#artifacts.put(file, entry)
      this.#sent.set(path, entry)
      return entry
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  /** As it is now: whoever records goes on meanwhile. */
  async #sendGrowing(path: string): Promise<FileEntry | null> {
    const { path: copy, file } = await newTemporary(this.#folder)
    await file.close()
    try {
      await copyFile(join(this.#folder, path), copy)
      const { size } = await lstat(copy)
      const entry = { path, bytes: size, sha256: await sha256Of(copy) }
      await this.#artifacts.put(copy, entry)
      return entry
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    } finally {
      await rm(copy, { force: true })
    }
  }
}

/** A directory as the list says. */
export async function fetchRun(folder: string, files: readonly FileEntry[], artifacts: Artifacts): Promise<void> {
  await withFileErrors(folder, () => makeFolders(folder), 'written')
  for (const entry of files) await artifacts.get(entry, join(folder, entry.path))
}

/** Lists a directory here, and has its bytes wait to be fetched. */
export async function offerRun(folder: string, artifacts: Artifacts): Promise<FileEntry[]> {
  return await new RunSender(folder, artifacts, []).send()
}

/**
 * Puts what has come into the directory: first what is recorded, then the checkpoints, so that whoever goes on from one finds what
 * it needs; then those that are no longer wanted go.
 *
 * @param offered what stays with the artifacts too
 */
export async function placeRun(
  folder: string,
  files: readonly FileEntry[],
  artifacts: ArtifactRoom,
  offered: readonly FileEntry[] = [],
): Promise<void> {
  const ordered = [...files].sort((a, b) => Number(isCheckpoint(a.path)) - Number(isCheckpoint(b.path)))
  await withFileErrors(
    folder,
    async () => {
      for (const [i, entry] of ordered.entries()) {
        const to = join(folder, entry.path)
        await makeFolders(join(to, '..'))
        if (isCheckpoint(entry.path) && (await isSame(to, entry))) continue
        // By whoever begins the job anew, or by another file of the same bytes.
        const isWanted = [...offered, ...ordered.slice(i + 1)].some(({ sha256 }) => sha256 === entry.sha256)
        // Told once more, it lies there already.
        if (!(await artifacts.move(entry, to, isWanted)) && !(await isSame(to, entry)))
          throw artifactError(entry, 'its bytes have not come')
      }
      const wanted = new Set(files.map(({ path }) => path))
      for (const path of await filesBelow(folder)) {
        if (isCheckpoint(path) && !wanted.has(path)) await rm(join(folder, path), { force: true })
      }
    },
    'written',
  )
}

const isSame = (path: string, { bytes }: FileEntry): Promise<boolean> =>
  lstat(path).then(
    ({ size }) => size === bytes,
    () => false,
  )

/** A note among a job's artifacts of what lies in the run's directory. */
const placedPath = (artifacts: ArtifactRoom): string => join(artifacts.path, 'placed.json')

/** Before it is put there: what an earlier sending tells later has no place any more, whichever master hears it. */
export async function notePlaced(artifacts: ArtifactRoom, placed: Placed): Promise<void> {
  await withFileErrors(artifacts.path, () => makeFolders(artifacts.path), 'written')
  const text = JSON.stringify({ format: studyFormat, ...placed })
  await replaceFile(placedPath(artifacts), (file) => file.writeFile(text), { sync: false })
}

/** Null where nothing was noted, or nothing of it can be read. */
export async function readPlaced(artifacts: ArtifactRoom): Promise<Placed | null> {
  try {
    const data = await readFile(placedPath(artifacts), 'utf8')
    return read('what is placed', data, (fields) => ({
      execution: fields.text('execution'),
      sendings: fields.whole('sendings'),
    }))
  } catch {
    return null
  }
}
