/** Server-sent events: they tell which runs grew; what is new is then asked for. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RunFolder, WatchedRun } from './folder.js'
import { Refusal } from './query.js'
import { toJson } from './wire.js'

/** By stat, since watchers tell nothing of shared disks. */
const pollEvery = 800
/** In polls: how often the folder is searched for new runs, and a quiet client is sent a sign of life. */
const searchEvery = 3
const signEvery = 20
const mostClients = 24

export class Events {
  readonly #folder: RunFolder
  readonly #clients = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | null = null
  #polls = 0

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
    this.#tell(response, isKnown ? runs.filter(({ changed }) => changed > seen) : runs)
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
      for (const client of this.#clients) {
        if (grown.length > 0 || isOther) this.#tell(client, grown)
        else if (this.#polls % signEvery === 0) client.write(':\n\n')
      }
    } catch {
      // The folder is away for a moment; the next poll looks again.
    }
    this.#timer = this.#clients.size > 0 ? setTimeout(() => this.#poll(), pollEvery) : null
  }

  /** A client that has not read what it got is dropped: it comes back by itself and says what it saw last. */
  #tell(client: ServerResponse, runs: readonly WatchedRun[]): void {
    if (client.writableNeedDrain) client.destroy()
    else client.write(`id: ${this.#folder.event}\ndata: ${toJson(runs.map(({ name }) => name))}\n\n`)
  }
}
