/**
 * Temporary files and folders: what is written beside its place before it takes that. A name says whose it is, so that what
 * a kill leaves behind is known as nobody's.
 */
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isAlive, type ProcessMark, thisProcess } from './processes.js'

/** Short enough for all systems with what else is in the name, whatever the host is called. */
const longestHost = 60

/** The names that this process has given away. */
let count = 0
/** Folders that have been looked through by this process. */
const seen = new Set<string>()

/** A new file in the folder, open for writing. */
export async function newTemporary(folder: string, mode = 0o666): Promise<{ path: string; file: FileHandle }> {
  const { path, made } = await make(folder, (path) => open(path, 'wx', mode))
  return { path, file: made }
}

/** A new, empty folder in the folder. */
export const newTemporaryFolder = async (folder: string): Promise<string> =>
  (await make(folder, (path) => mkdir(path))).path

/** Nobody else's in this thread; another thread of this process may have made it. */
export const temporaryPath = (folder: string): string => join(folder, `${prefixOf(thisProcess())}${++count}.tmp`)

async function make<Made>(folder: string, by: (path: string) => Promise<Made>): Promise<{ path: string; made: Made }> {
  for (;;) {
    const path = temporaryPath(folder)
    try {
      return { path, made: await by(path) }
    } catch (error) {
      // Another thread of this process counts too.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/**
 * Removes what processes of this machine that are gone have left: once a process for each folder, as it may hold
 * many others. `all`: now, and everything but what processes of this machine may be writing; for who owns the folder.
 */
export async function removeTemporaries(
  folder: string,
  { all = false }: { all?: boolean | undefined } = {},
): Promise<void> {
  const place = resolve(folder)
  if (!all && seen.has(place)) return
  seen.add(place)
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const alive = isWriting(name)
    if (alive === false || (all && alive === null)) {
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined)
    }
  }
}

/** `.gradus-HOST-NAMESPACE-PROCESS-START-NUMBER.tmp`. */
function prefixOf({ process, host, boot, started }: ProcessMark): string {
  return `.gradus-${hostIn(host)}-${namespaceIn(boot)}-${process}-${started ?? 0}-`
}

const hostIn = (host: string): string => host.replaceAll(/[^\w.-]/g, '_').slice(0, longestHost)

/** A boot ends all processes: of what tells it, the namespace of the numbers is enough. */
const namespaceIn = (boot: string | null): string => boot?.match(/\[(\d+)\]$/)?.[1] ?? '0'

/** Whether the process of a temporary file lives; null where that cannot be told, undefined for any other file. */
function isWriting(name: string): boolean | null | undefined {
  const parts = /^\.gradus-(.+)-(\d+)-(\d+)-(\d+)-\d+\.tmp$/.exec(name)
  if (parts === null) return name.startsWith('.gradus-') && name.endsWith('.tmp') ? null : undefined
  const [, host, namespace, number, started] = parts
  const { host: here, boot } = thisProcess()
  if (host !== hostIn(here) || namespace !== namespaceIn(boot)) return null
  return isAlive({ process: Number(number), host: here, boot, started: started === '0' ? null : started! })
}
