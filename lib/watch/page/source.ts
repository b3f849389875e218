/** Where the page has its data from: the server, or the report that it stands in. */
import type { Histograms } from '../recording/index.js'
import type { Notes } from '../recording/notes.js'
import { address } from '../server/address.js'
import { extend, mostPoints } from '../server/columns.js'
import { unpackAll } from '../server/packed.js'
import type {
  CheckpointView,
  LatestView,
  LayersView,
  News,
  RunList,
  RunView,
  StepsView,
  TensorsView,
} from '../server/wire.js'
import { listenTo } from './events.js'
import type { TrialPlace } from './state.js'
import { tokenHeader } from './token.js'

export type HistogramsView = Histograms & { edges: readonly number[] }
/** `refused`: the server does not know the token. */
export type Connection = 'live' | 'lost' | 'refused' | 'report'

interface Range {
  from: number
  to: number
}

/** Answers are kept until an event says that it is worth asking anew; curves of steps grow by what events bring. */
export class Source {
  readonly isReport: boolean
  readonly #answers: Readonly<Record<string, unknown>> | null
  readonly #kept = new Map<string, { run: string; answer: Promise<unknown> }>()

  /** Asked for with each address. */
  readonly #of: Record<string, string | number>

  /** `of`: the trial whose runs these are; null for those of the folder. */
  constructor(of: TrialPlace | null = null) {
    this.#of = { ...of }
    const embedded = document.getElementById('answers')
    this.isReport = embedded !== null
    this.#answers = embedded && JSON.parse(embedded.textContent ?? '')
  }

  runs = (): Promise<RunList> => this.#get('', '/api/runs', {})
  run = (run: string): Promise<RunView> => this.#get(run, '/api/run', { run })
  tensors = (run: string): Promise<TensorsView> => this.#get(run, '/api/tensors', { run }, unpackAll)
  layers = (run: string): Promise<LayersView> => this.#get(run, '/api/layers', { run }, unpackAll)
  checkpoints = (run: string): Promise<readonly CheckpointView[]> => this.#get(run, '/api/checkpoints', { run })
  latest = (run: string): Promise<LatestView | null> => this.#get(run, '/api/latest', { run })
  histograms = (run: string, kind: string, name: string): Promise<HistogramsView> =>
    this.#get(run, '/api/histograms', { run, kind, name })

  #address(path: string, parameters: Record<string, string | number>): string {
    return address(path, { ...this.#of, ...parameters })
  }

  /** Where all of a run's curves are. */
  #curvesOf(run: string): string {
    return this.#address('/api/steps', { run })
  }

  /** Has all of a run but its columns asked for anew. */
  forget(run: string): void {
    this.#kept.delete(this.#address('/api/run', { run }))
  }

  /** The page about a finding, as HTML. */
  async explanation(page: string): Promise<string> {
    const path = `/${page.replace(/\.md$/, '.html')}`
    if (this.#answers) return String(this.#answers[path] ?? `See ${page} in the package.`)
    const response = await fetch(path)
    if (!response.ok) throw new Error(`There is no page ${page}.`)
    return await response.text()
  }

  /** A part of the run is read anew in detail, which a report cannot do. */
  steps = (run: string, range: Range | null): Promise<StepsView> =>
    this.#get(run, '/api/steps', { run, ...(this.isReport || !range ? {} : { ...range, buckets: 1024 }) }, unpackAll)

  #get<Answer>(
    run: string,
    path: string,
    parameters: Record<string, string | number>,
    read: (answer: unknown) => unknown = (answer) => answer,
  ): Promise<Answer> {
    const key = this.#address(path, parameters)
    const kept = this.#kept.get(key)
    if (kept) return kept.answer as Promise<Answer>
    const answer = (this.#answers ? Promise.resolve(this.#answers[key]) : ask(key)).then(read)
    this.#kept.set(key, { run, answer })
    answer.catch(() => this.#kept.delete(key))
    return answer as Promise<Answer>
  }

  /**
   * Puts what an event says into what is kept, and forgets what is to be asked for anew. The first event of a connection
   * does not bring what went on before.
   */
  #renew({ isOther, grown, steps, redraw }: News, isFirst: boolean): void {
    for (const [key, { run }] of this.#kept) {
      const hasGrown = !isFirst && key === this.#curvesOf(run)
      if (run === '' ? isOther : redraw.includes(run) && !hasGrown) this.#kept.delete(key)
    }
    const byName = new Map(grown.map((summary) => [summary.name, summary]))
    this.#change(this.#address('/api/runs', {}), (list: RunList) => ({
      ...list,
      runs: list.runs.map((run) => ({ ...run, ...byName.get(run.name) })),
    }))
    for (const { run, steps: ends } of steps) {
      const key = this.#curvesOf(run)
      this.#change(key, (kept: StepsView) => {
        if (kept.step.length > mostPoints) this.#kept.delete(key)
        return extend(kept, unpackAll(ends) as StepsView)
      })
    }
  }

  #change<Answer>(key: string, change: (answer: Answer) => Answer): void {
    const kept = this.#kept.get(key)
    if (!kept) return
    const answer = (kept.answer as Promise<Answer>).then(change)
    answer.catch(() => this.#kept.delete(key))
    this.#kept.set(key, { run: kept.run, answer })
  }

  /**
   * Tells when runs grew, and whether there is more to be asked for than what came with the event. A page that nobody
   * sees does not listen: browsers open but six connections to a server.
   */
  listen(changed: (connection: Connection, isMore: boolean) => void): void {
    if (this.isReport) {
      changed('report', true)
      return
    }
    let ending = new AbortController()
    const open = () => {
      ending.abort()
      if (document.hidden) return
      ending = new AbortController()
      let isFirst = true
      void listenTo(this.#address('/events', {}), tokenHeader(), ending.signal, {
        opened: () => {
          isFirst = true
        },
        told: (data) => {
          const news = JSON.parse(data) as News
          this.#renew(news, isFirst)
          isFirst = false
          changed('live', news.isOther || news.redraw.length > 0)
        },
        lost: () => changed('lost', false),
        refused: () => changed('refused', false),
      })
    }
    document.addEventListener('visibilitychange', open)
    open()
  }

  /** Keeps what somebody has written about a run. */
  keepNotes = (run: string, notes: Notes): Promise<unknown> => this.#do('/control/notes', run, notes)
  /** Its whole directory, for good. */
  delete = (run: string): Promise<unknown> => this.#do('/control/delete', run, {})

  async #do(path: string, run: string, body: object): Promise<unknown> {
    const method = { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }
    const answer = await ask(address(path, { run }), method)
    this.#kept.delete(this.#address('/api/runs', {}))
    return answer
  }
}

async function ask(key: string, { headers, ...more }: RequestInit & { headers?: Record<string, string> } = {}) {
  const response = await fetch(key, { ...more, headers: { ...headers, ...tokenHeader() } })
  const answer = await response.json()
  if (!response.ok) throw new Error((answer as { message: string }).message)
  return answer
}
