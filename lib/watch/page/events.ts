/**
 * Server-sent events over fetch: the browser's own EventSource can carry a token in nothing but the address or a cookie,
 * and a cookie goes to every port of this machine.
 */
export interface Listener {
  /** A connection is open; what comes next is its first event. */
  opened(): void
  told(data: string): void
  lost(): void
  /** The token is not this server's: it is not tried again. */
  refused(): void
}

/** Milliseconds until it is tried again. */
const patience = 1000

/** Listens until `signal` ends it, over as many connections as it takes. */
export async function listenTo(url: string, headers: Record<string, string>, signal: AbortSignal, to: Listener) {
  let lastEvent = ''
  while (!signal.aborted) {
    try {
      const resumed: Record<string, string> = lastEvent ? { ...headers, 'Last-Event-ID': lastEvent } : headers
      const response = await fetch(url, { headers: resumed, signal, cache: 'no-store' })
      if (response.status === 401) return to.refused()
      if (!response.ok || !response.body) throw new Error(`status ${response.status}`)
      to.opened()
      for await (const { id, data } of eventsOf(response.body)) {
        lastEvent = id || lastEvent
        to.told(data)
      }
    } catch {
      // Told below, as the end of a connection is.
    }
    if (signal.aborted) return
    to.lost()
    await new Promise((resolve) => setTimeout(resolve, patience))
  }
}

/** Those with data, as the stream brings them (HTML Standard, "Server-sent events"; the server's lines end in LF). */
async function* eventsOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<{ id: string; data: string }> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    text += next.value
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      text = text.slice(end + 2)
      const data = fields.get('data')
      if (data !== undefined) yield { id: fields.get('id') ?? '', data }
    }
  }
}
