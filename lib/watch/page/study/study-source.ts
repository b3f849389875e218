/** Asks the server for a study, and for its trials where something has changed. */
import { address } from '../../server/address.js'
import { unpackBytes } from '../../server/packed.js'
import type { ImportanceView, StudyView, TrialColumns, TrialView } from '../../server/study/study-wire.js'
import { tokenHeader } from '../token.js'
import type { Trials } from './trials.js'

/** Milliseconds between looks; while it is read for the first time the server takes its time to answer. */
const pace = 1000
const paceOfReading = 20

export interface StudyListener {
  /** Something may have changed; `hasTrials`: some trials have. Nothing is asked for until that is shown. */
  told(view: StudyView, hasTrials: boolean): Promise<void>
  /** What the parameters matter, which may have changed. */
  weighed(importance: ImportanceView, view: StudyView): void
  lost(): void
  refused(): void
}

class Refused extends Error {}

async function ask(path: string, parameters: Record<string, string | number>, more?: RequestInit): Promise<unknown> {
  return await (await answerTo(path, parameters, more)).json()
}

async function answerTo(
  path: string,
  parameters: Record<string, string | number>,
  more: RequestInit = {},
): Promise<Response> {
  const headers = { ...(more.headers as Record<string, string>), ...tokenHeader() }
  const response = await fetch(address(path, parameters), { ...more, headers })
  if (response.status === 401) throw new Refused()
  if (!response.ok) throw new Error(((await response.json()) as { message: string }).message)
  return response
}

/** Looks as long as the page is open and seen. */
export async function follow(study: string, trials: Trials, listener: StudyListener): Promise<void> {
  // Asked for beside the study the first time, and answered as soon as they have been read.
  let early: Promise<boolean> | null = renew(study, trials).catch(() => false)
  for (;;) {
    let wait = pace
    try {
      if (!document.hidden) {
        const view = (await ask('/api/study', { study })) as StudyView
        const isRead = view.progress === null && view.parameters !== undefined
        if (!isRead) wait = paceOfReading
        let hasTrials = false
        if (isRead && view.version > 0) {
          hasTrials = (await early) === true
          early = null
          const isKnown = trials.version === view.version && trials.count > 0
          if (!isKnown) hasTrials = (await renew(study, trials)) || hasTrials
        }
        await listener.told(view, hasTrials)
        // Asked for last, as the server takes longest for it.
        if (isRead && view.version > 0)
          listener.weighed((await ask('/api/importance', { study })) as ImportanceView, view)
      }
    } catch (error) {
      if (error instanceof Refused) return listener.refused()
      listener.lost()
    }
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

async function renew(study: string, trials: Trials): Promise<boolean> {
  const { generation, version: since } = trials
  const answer = await answerTo('/api/trials', { study, generation, since })
  return trials.take(unpackBytes(await answer.arrayBuffer()) as TrialColumns)
}

export const askForTrial = async (study: string, trial: number): Promise<TrialView> =>
  (await ask('/api/trial', { study, trial })) as TrialView

/** Stops a trial, or gives it back to be tried again. */
export async function change(action: 'stop' | 'retry', study: string, trial: number, why: string): Promise<void> {
  const headers = { 'Content-Type': 'application/json' }
  await ask(`/api/${action}`, { study }, { method: 'POST', headers, body: JSON.stringify({ trial, why }) })
}

/** The address of a trial's own page, and of a study's. */
export const trialAddress = (study: string, trial: number): string =>
  `#${new URLSearchParams({ study, trial: String(trial) })}`
export const studyAddress = (study: string): string => `#${new URLSearchParams({ study })}`
