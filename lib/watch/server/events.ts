/** Server-sent events: they tell how far the runs are that grew, with the new ends of their curves. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RunFolder } from './folder.js'
import { Refusal } from './query.js'
import type { WatchedRun } from './watched-run.js'
import { type News, toJson } from './wire.js'

/** In milliseconds. */
export interface Pace {
  /** Between looks at the runs: by stat, since watchers tell nothing of shared disks. */
  poll: number
  /** Between askings for all of one run: that costs more than to tell what its curves have got. */
  redraw: number
}

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
  readonly #pace: Pace
  readonly #clients = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | null = null
  #polls = 0
  /** When each run was last worth asking for, and how it stood then. */
  readonly #redrawn = new WeakMap<WatchedRun, { at: number; state: string }>()
  /** Runs that grew since then. */
  readonly #owed = new Set<WatchedRun>()

  constructor(folder: RunFolder, pace: Pace = { poll: 750, redraw: 10_000 }) {
    this.#folder = folder
    this.#pace = pace
  }

  add(request: IncomingMessage, response: ServerResponse): void {
    if (this.#clients.size >= mostClients) throw new Refusal(503, 'Too many pages are listening')
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
    const { event, runs } = this.#folder
    const seen = Number(request.headers['last-event-id'] ?? Number.NaN)
    const isKnown = Number.isSafeInteger(seen) && seen <= event
    response.write('retry: 1000\n\n')
    const grown = isKnown ? runs.filter((run) => run.changed > seen) : runs
    const redraw = [...new Set([...grown, ...this.#owed])]
    this.#tell(response, this.#event({ isOther: !isKnown, grown, redraw }, []))
    // To the only one that listens, news are what comes from now on.
    if (this.#clients.size === 0) {
      for (const run of runs) {
        this.#askedFor(run)
        run.takeSteps()
      }
    }
    this.#clients.add(response)
    response.on('close', () => this.#clients.delete(response))
    this.#timer ??= setTimeout(() => this.#poll(), this.#pace.poll)
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
      const isNews = grown.length > 0 || redraw.length > 0 || isOther
      const isSign = this.#polls % signEvery === 0
      const text = isNews ? this.#event({ isOther, grown, redraw }, endsOf(grown)) : isSign ? ':\n\n' : ''
      if (text !== '') for (const client of this.#clients) this.#tell(client, text)
    } catch {
      // The folder is away for a moment; the next poll looks again.
    }
    this.#timer = this.#clients.size > 0 ? setTimeout(() => this.#poll(), this.#pace.poll) : null
  }

  /** The runs to be asked for anew: at once when the state of one changes, else not too often. */
  #dueOf(grown: readonly WatchedRun[]): readonly WatchedRun[] {
    for (const run of grown) this.#owed.add(run)
    const due = [...this.#owed].filter((run) => {
      const last = this.#redrawn.get(run)
      return !last || last.state !== run.state || performance.now() - last.at >= this.#pace.redraw
    })
    for (const run of due) this.#askedFor(run)
    return due
  }

  #askedFor(run: WatchedRun): void {
    this.#owed.delete(run)
    this.#redrawn.set(run, { at: performance.now(), state: run.state })
  }

  #event({ isOther, grown, redraw }: Runs, steps: News['steps']): string {
    const news: News = {
      isOther,
      grown: grown.map((run) => run.summary()),
      steps,
      redraw: redraw.map(({ name }) => name),
    }
    return `id: ${this.#folder.event}\ndata: ${toJson(news)}\n\n`
  }

  /** A client that has not read what it got is dropped: it comes back by itself and says what it saw last. */
  #tell(client: ServerResponse, text: string): void {
    if (client.writableNeedDrain) client.destroy()
    else client.write(text)
  }
}

/** New ends of curves are taken once, for all that listen. */
function endsOf(grown: readonly WatchedRun[]): News['steps'] {
  return grown.flatMap((run) => {
    const steps = run.takeSteps()
    return steps ? [{ run: run.name, steps }] : []
  })
}
