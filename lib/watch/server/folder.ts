/** The runs and studies of a folder; they are looked at again when somebody asks or listens. */
import { readdir, realpath } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { withFileErrors } from '../../files.js'
import { findRuns } from '../recording/index.js'
import { StudyList } from './study/study-list.js'
import { WatchedRun } from './watched-run.js'

/** More than a list can show; each keeps some megabytes. */
const mostRuns = 500

export class RunFolder {
  readonly #runs = new Map<string, WatchedRun>()
  #counted = 0
  /** Number of the last event. Begins at the time, so that those of an earlier server are always smaller. */
  event = Date.now()
  /** Beside the runs. */
  readonly studies: StudyList

  private constructor(readonly path: string) {
    this.studies = new StudyList(path)
  }

  static async open(path: string): Promise<RunFolder> {
    const folder = new RunFolder(await withFileErrors(path, () => realpath(path)))
    await folder.refresh()
    return folder
  }

  get name(): string {
    return basename(this.path)
  }

  get runs(): readonly WatchedRun[] {
    return [...this.#runs.values()]
  }

  get(name: string): WatchedRun | undefined {
    return this.#runs.get(name)
  }

  /** Looks for new and vanished runs and studies; true when there are some. */
  async refresh(): Promise<boolean> {
    const found = (await findRuns(this.path)).slice(0, mostRuns)
    let isOther = await this.studies.refresh()
    for (const name of this.#runs.keys()) {
      if (found.includes(name)) continue
      this.#runs.delete(name)
      isOther = true
    }
    for (const name of found) {
      if (this.#runs.has(name)) continue
      const directory = await insideOf(this.path, name)
      if (directory === null) continue
      this.#runs.set(name, new WatchedRun(name, directory))
      isOther = true
    }
    return isOther
  }

  /** Numbers the runs by their begin; each keeps its number when others come and go. */
  count(): void {
    const begin = (run: WatchedRun) => run.summary().started ?? ''
    const isNew = ({ number, status }: WatchedRun) => number < 0 && status !== 'unreadable'
    for (const run of this.runs.filter(isNew).sort((a, b) => begin(a).localeCompare(begin(b)))) {
      run.number = this.#counted++
    }
  }

  /** Reads what all runs have got; returns those which grew. */
  async poll(): Promise<WatchedRun[]> {
    const grown: WatchedRun[] = []
    for (const run of this.runs) {
      await run.refresh()
      if (run.takeNews()) grown.push(run)
    }
    if (grown.length > 0) this.event++
    for (const run of grown) run.changed = this.event
    return grown
  }
}

/** The real path of a run directory; null when it, or anything in it, leads out of the folder or is no plain file. */
async function insideOf(folder: string, name: string): Promise<string | null> {
  try {
    const directory = await realpath(join(folder, name))
    if (directory !== folder && !isBelow(folder, directory)) return null
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.isFile() || entry.isDirectory()) continue
      if (!entry.isSymbolicLink() || !isBelow(folder, await realpath(join(directory, entry.name)))) return null
    }
    return directory
  } catch {
    return null
  }
}

const isBelow = (folder: string, path: string): boolean => path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
