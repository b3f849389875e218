/** The runs of trials: each is read when somebody opens it, and the last few are kept. */
import { realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import { Events } from '../events.js'
import { RunFolder } from '../folder.js'
import { Refusal } from '../query.js'
import type { StudyList } from './study-list.js'

const mostKept = 16

/** A trial's folder as one of runs, `run.1` and those that took over from it. */
export interface TrialRuns {
  readonly folder: RunFolder
  readonly events: Events
}

export class OpenedTrials {
  /** By path, the one that was asked for last at the end. */
  readonly #kept = new Map<string, Promise<TrialRuns>>()

  /** @throws {@link Refusal} where there is no such trial */
  async open(studies: StudyList, name: string, number: number): Promise<TrialRuns> {
    const study = studies.get(name)
    if (study === undefined) throw new Refusal(404, 'There is no such study')
    await study.refresh()
    const { path } = study.trial(number)
    const kept = this.#kept.get(path) ?? this.#make(path, study.directory)
    this.#kept.delete(path)
    this.#kept.set(path, kept)
    kept.catch(() => this.#kept.delete(path))
    for (const [oldest, runs] of this.#kept) {
      if (this.#kept.size <= mostKept) break
      this.#kept.delete(oldest)
      void runs.then(({ events }) => events.close())
    }
    return await kept
  }

  /** Links may lead anywhere. */
  async #make(path: string, study: string): Promise<TrialRuns> {
    const real = await realpath(path).catch(() => '')
    if (!real.startsWith(study + sep)) throw new Refusal(404, 'There is no such trial')
    const folder = await RunFolder.open(real)
    return { folder, events: new Events(folder) }
  }

  get size(): number {
    return this.#kept.size
  }

  close(): void {
    for (const runs of this.#kept.values())
      void runs.then(
        ({ events }) => events.close(),
        () => undefined,
      )
  }
}
