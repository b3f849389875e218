/** What the page may change when it was given control: notes on a run, whether it is still there, and trials of a study. */
import { rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { basename } from 'node:path'
import { checkNotes, writeNotes } from '../recording/notes.js'
import { findRun } from './api.js'
import type { RunFolder } from './folder.js'
import { largestBody } from './guard.js'
import { Query, Refusal } from './query.js'
import { controlStudy, isStudyAction } from './study/study-control.js'
import type { WatchedRun } from './watched-run.js'

type Action = (run: WatchedRun, body: Record<string, unknown>) => Promise<void>

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['/control/notes', keepNotes],
  ['/control/delete', deleteRun],
])

/** Does what `path?run=NAME` asks, and answers `{}`; undefined where there is no such address. */
export async function control(
  folder: RunFolder,
  path: string,
  query: string,
  request: IncomingMessage,
): Promise<object | undefined> {
  if (isStudyAction(path)) return await controlStudy(folder.studies, path, query, await readObject(request))
  const action = actions.get(path)
  if (action === undefined) return undefined
  const run = findRun(folder, new Query(query, ['run']))
  await action(run, await readObject(request))
  await folder.refresh()
  await run.look()
  return {}
}

async function readObject(request: IncomingMessage): Promise<Record<string, unknown>> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request) {
    size += piece.length
    if (size > largestBody) throw new Refusal(413, `A body has at most ${largestBody} bytes`)
    pieces.push(piece)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw new Refusal(400, 'The body must be a JSON object')
}

async function keepNotes(run: WatchedRun, body: Record<string, unknown>): Promise<void> {
  await writeNotes(run.directory, checkNotes(body))
}

/** The whole directory. Links within it are taken away, not what they lead to. */
async function deleteRun(run: WatchedRun): Promise<void> {
  if (run.name === '.') throw new Refusal(409, 'This run is the folder that is watched; delete it yourself')
  if (basename(run.directory) !== run.name) throw new Refusal(409, 'This run is a link to another one')
  await run.look()
  if (run.status === 'running') throw new Refusal(409, 'This run is still going on; stop it first')
  await rm(run.directory, { recursive: true })
}
