/** Where the page has its data from: the server, or the report that it stands in. */
import type { Histograms, Latest } from '../recording/index.js'
import { address } from '../server/address.js'
import { unpackAll } from '../server/packed.js'
import type { LayersView, News, RunList, RunSummary, RunView, StepsView, TensorsView } from '../server/wire.js'

export type HistogramsView = Histograms & { edges: readonly number[] }
export type Connection = 'live' | 'lost' | 'report'

interface Range {
  from: number
  to: number
}

/** Answers are kept until an event says that it is worth asking anew. */
export class Source {
  readonly isReport: boolean
  readonly #answers: Readonly<Record<string, unknown>> | null
  readonly #kept = new Map<string, { run: string; answer: Promise<unknown> }>()

  constructor() {
    const embedded = document.getElementById('answers')
    this.isReport = embedded !== null
    this.#answers = embedded && JSON.parse(embedded.textContent ?? '')
  }

  runs = (): Promise<RunList> => this.#get('', '/api/runs', {})
  run = (run: string): Promise<RunView> => this.#get(run, '/api/run', { run })
  tensors = (run: string): Promise<TensorsView> => this.#get(run, '/api/tensors', { run })
  layers = (run: string): Promise<LayersView> => this.#get(run, '/api/layers', { run })
  latest = (run: string): Promise<Latest | null> => this.#get(run, '/api/latest', { run })
  histograms = (run: string, kind: string, name: string): Promise<HistogramsView> =>
    this.#get(run, '/api/histograms', { run, kind, name })

  /** A part of the run is read anew in detail, which a report cannot do. */
  steps = (run: string, range: Range | null): Promise<StepsView> =>
    this.#get(run, '/api/steps', { run, ...(this.isReport || !range ? {} : { ...range, buckets: 1024 }) })

  #get<Answer>(run: string, path: string, parameters: Record<string, string | number>): Promise<Answer> {
    const key = address(path, parameters)
    const kept = this.#kept.get(key)
    if (kept) return kept.answer as Promise<Answer>
    const answer = this.#answers ? Promise.resolve(unpackAll(this.#answers[key])) : ask(key)
    this.#kept.set(key, { run, answer })
    answer.catch(() => this.#kept.delete(key))
    return answer as Promise<Answer>
  }

  #forget(runs: readonly string[]): void {
    for (const [key, { run }] of this.#kept) if (run === '' || runs.includes(run)) this.#kept.delete(key)
  }

  /** Puts what an event says of some runs into the list of all. */
  #renew(grown: readonly RunSummary[]): void {
    const key = address('/api/runs', {})
    const kept = this.#kept.get(key)
    if (!kept) return
    const byName = new Map(grown.map((summary) => [summary.name, summary]))
    const answer = (kept.answer as Promise<RunList>).then((list) => ({
      ...list,
      runs: list.runs.map((run) => byName.get(run.name) ?? run),
    }))
    answer.catch(() => this.#kept.delete(key))
    this.#kept.set(key, { run: '', answer })
  }

  /**
   * Tells when runs grew, and whether more is new than the list of runs. A page that nobody sees does not listen: browsers
   * open but six connections to a server.
   */
  listen(changed: (connection: Connection, isMore: boolean) => void): void {
    if (this.isReport) {
      changed('report', true)
      return
    }
    let events: EventSource | null = null
    const open = () => {
      events?.close()
      events = null
      if (document.hidden) return
      events = new EventSource('/events')
      events.onmessage = ({ data }) => {
        const { isOther, grown, redraw } = JSON.parse(data) as News
        const isMore = isOther || redraw.length > 0
        if (isMore) this.#forget(redraw)
        else this.#renew(grown)
        changed('live', isMore)
      }
      events.onerror = () => {
        changed('lost', false)
        if (events?.readyState === EventSource.CLOSED) setTimeout(open, 3000)
      }
    }
    document.addEventListener('visibilitychange', open)
    open()
  }
}

async function ask(key: string): Promise<unknown> {
  const response = await fetch(key)
  const answer = unpackAll(await response.json())
  if (!response.ok) throw new Error((answer as { message: string }).message)
  return answer
}
