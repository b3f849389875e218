/** The studies of a folder: it itself, or those right below it. None is read before somebody asks for it. */
import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { findHolding } from '../../recording/find-runs.js'
import type { StudyListing } from './study-wire.js'
import { WatchedStudy } from './watched-study.js'

/** More than a list can show. */
const mostStudies = 500
const [file, trials] = ['study.json', 'trials']

export class StudyList {
  readonly #studies = new Map<string, WatchedStudy>()

  constructor(readonly path: string) {}

  get(name: string): WatchedStudy | undefined {
    return this.#studies.get(name)
  }

  /** Looks for new and vanished ones; true when there are some. */
  async refresh(): Promise<boolean> {
    const found = (await findHolding(this.path, file)).slice(0, mostStudies)
    let isOther = false
    for (const name of this.#studies.keys()) {
      if (found.includes(name)) continue
      this.#studies.delete(name)
      isOther = true
    }
    for (const name of found) {
      if (this.#studies.has(name)) continue
      this.#studies.set(name, new WatchedStudy(name, await realpath(join(this.path, name))))
      isOther = true
    }
    return isOther
  }

  /** Begins to read the study that the folder itself is: its page asks for it when the scripts are there. */
  begin(): void {
    void this.get('.')?.refresh()
  }

  async list(): Promise<StudyListing[]> {
    const listing = async ({ name, directory }: WatchedStudy) => {
      const names = await readdir(join(directory, trials)).catch(() => [])
      return { name, trials: names.filter((folder) => /^\d{5,10}$/.test(folder)).length }
    }
    return await Promise.all([...this.#studies.values()].map(listing))
  }
}
