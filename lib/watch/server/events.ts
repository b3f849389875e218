/** Server-sent events: they tell how far the runs are that grew, and now and then to ask for their curves. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RunFolder, WatchedRun } from './folder.js'
import { Refusal } from './query.js'
import { type News, type RunStatus, toJson } from './wire.js'

/** By stat, since watchers tell nothing of shared disks. */
const pollEvery = 750
/** Milliseconds between askings for the curves of one run: those cost more than to tell how far it is. */
const redrawEvery = 2000
/** In polls: how often the folder is searched for new runs, and a quiet client is sent a sign of life. */
const searchEvery = 3
const signEvery = 20
const mostClients = 24

interface Runs {
  isOther: boolean
  grown: readonly WatchedRun[]
  redraw: readonly WatchedRun[]
}

export class Events {
  readonly #folder: RunFolder
  readonly #clients = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | null = null
  #polls = 0
  /** When the curves of each run were last worth asking for, and how it stood then. */
  readonly #redrawn = new WeakMap<WatchedRun, { at: number; status: RunStatus }>()
  /** Runs that grew since then. */
  readonly #owed = new Set<WatchedRun>()

  constructor(folder: RunFolder) {
    this.#folder = folder
  }

  add(request: IncomingMessage, response: ServerResponse): void {
    if (this.#clients.size >= mostClients) throw new Refusal(503, 'Too many pages are listening')
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
    const { event, runs } = this.#folder
    const seen = Number(request.headers['last-event-id'] ?? Number.NaN)
    const isKnown = Number.isSafeInteger(seen) && seen <= event
    response.write('retry: 1000\n\n')
    const grown = isKnown ? runs.filter((run) => run.changed > seen) : runs
    this.#tell(response, { isOther: !isKnown, grown, redraw: [...new Set([...grown, ...this.#owed])] })
    this.#clients.add(response)
    response.on('close', () => this.#clients.delete(response))
    this.#timer ??= setTimeout(() => this.#poll(), pollEvery)
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const client of this.#clients) client.destroy()
    this.#clients.clear()
  }

  /** One after the other, and only while somebody listens. */
  async #poll(): Promise<void> {
    const search = this.#polls++ % searchEvery === 0
    try {
      const isOther = search && (await this.#folder.refresh())
      const grown = await this.#folder.poll()
      const redraw = this.#dueOf(grown)
      for (const client of this.#clients) {
        if (grown.length > 0 || redraw.length > 0 || isOther) this.#tell(client, { isOther, grown, redraw })
        else if (this.#polls % signEvery === 0) client.write(':\n\n')
      }
    } catch {
      // The folder is away for a moment; the next poll looks again.
    }
    this.#timer = this.#clients.size > 0 ? setTimeout(() => this.#poll(), pollEvery) : null
  }

  /** The runs to be drawn anew: at once when one stands otherwise than before, else not too often. */
  #dueOf(grown: readonly WatchedRun[]): readonly WatchedRun[] {
    for (const run of grown) this.#owed.add(run)
    const due = [...this.#owed].filter((run) => {
      const last = this.#redrawn.get(run)
      return !last || last.status !== run.summary().status || performance.now() - last.at >= redrawEvery
    })
    for (const run of due) {
      this.#owed.delete(run)
      this.#redrawn.set(run, { at: performance.now(), status: run.summary().status })
    }
    return due
  }

  /** A client that has not read what it got is dropped: it comes back by itself and says what it saw last. */
  #tell(client: ServerResponse, { isOther, grown, redraw }: Runs): void {
    const summaries = grown.map((run) => run.summary())
    const news: News = { isOther, grown: summaries, redraw: redraw.map(({ name }) => name) }
    if (client.writableNeedDrain) client.destroy()
    else client.write(`id: ${this.#folder.event}\ndata: ${toJson(news)}\n\n`)
  }
}
