/** The live page of runs; in a report, the same page with its data inside. */
import { Bar } from './bar.js'
import type { Range } from './chart.js'
import { byId, empty } from './dom.js'
import { Findings } from './findings.js'
import { runTitle } from './format.js'
import { onColourChange, seriesColour } from './palette.js'
import { RunsAside } from './run-list.js'
import { Source } from './source.js'
import { Tabs } from './tabs.js'
import type { Context, ShownRun, View } from './view.js'
import { EpochsView } from './views/epochs.js'
import { HistogramsView } from './views/histograms.js'
import { LayersView } from './views/layers.js'
import { LossView } from './views/loss.js'
import { PredictionsView } from './views/predictions.js'
import { RunDetails } from './views/run.js'
import { UpdatesView } from './views/updates.js'

const views: readonly { id: string; title: string; make: () => View }[] = [
  { id: 'loss', title: 'Loss', make: () => new LossView() },
  { id: 'epochs', title: 'Train & validation', make: () => new EpochsView() },
  { id: 'updates', title: 'Updates', make: () => new UpdatesView() },
  { id: 'layers', title: 'Layers', make: () => new LayersView() },
  { id: 'histograms', title: 'Histograms', make: () => new HistogramsView() },
  { id: 'predictions', title: 'Predictions', make: () => new PredictionsView() },
  { id: 'run', title: 'Run & system', make: () => new RunDetails() },
]

class Page {
  readonly #source = new Source()
  readonly #bar = new Bar(byId('bar'))
  readonly #findings = new Findings(byId('findings'), this.#source)
  readonly #aside = new RunsAside(byId('runs'), {
    focus: (run) => this.#change(() => (this.#focus = run)),
    overlay: (run, isOn) => this.#change(() => (isOn ? this.#overlays.add(run) : this.#overlays.delete(run))),
  })
  readonly #tabs = new Tabs(byId('tabs'), views, (id) => this.#change(() => (this.#tab = id)))
  readonly #made = new Map<string, View>()
  #tab = 'loss'
  #focus = ''
  readonly #overlays = new Set<string>()
  /** The run in focus, then those laid over it. */
  #shown: readonly ShownRun[] = []
  #range: Range | null = null
  #isBusy = false
  #isStale = false
  /** Nothing is asked before the page hears of what is new, or it would ask twice. */
  #hears = false

  constructor() {
    const state = new URLSearchParams(location.hash.slice(1))
    this.#focus = state.get('run') ?? ''
    // The token has become a cookie: it need not stand in the address that is shown and shared.
    if (!this.#source.isReport) history.replaceState(null, '', location.pathname + location.hash)
    const wanted = state.get('view')
    this.#tabs.select(views.some(({ id }) => id === wanted) ? wanted! : 'loss')
    onColourChange(() => this.#refresh())
    this.#source.listen((connection, isMore) => {
      this.#bar.connection(connection)
      if (connection === 'lost') return
      this.#hears = true
      if (isMore) this.#refresh()
      else void this.#tell()
    })
  }

  #change(change: () => void): void {
    change()
    const state = new URLSearchParams({ view: this.#tab, ...(this.#focus ? { run: this.#focus } : {}) })
    history.replaceState(null, '', `#${state}`)
    this.#refresh()
  }

  /** One at a time; what comes meanwhile is one more. */
  async #refresh(): Promise<void> {
    this.#isStale = true
    if (this.#isBusy || !this.#hears) return
    this.#isBusy = true
    while (this.#isStale) {
      this.#isStale = false
      await this.#update().catch((error: Error) => this.#fail(error))
      // Leaves the browser time for whoever uses it.
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    this.#isBusy = false
  }

  /** How far the runs are, and what their curves have got; nothing is asked for. */
  async #tell(): Promise<void> {
    const list = await this.#source.runs()
    const summary = list.runs.find(({ name }) => name === this.#shown[0]?.name)
    if (!summary) return
    this.#bar.tell(this.#shown[0]!.title, summary)
    this.#aside.update(list, this.#marked())
    const view = this.#made.get(this.#tab)
    if (view?.isLive && this.#range === null && !this.#isBusy) await view.update(this.#context(this.#shown))
  }

  #marked() {
    return {
      focus: this.#shown[0]?.name ?? '',
      colours: new Map(this.#shown.map(({ name, colour }) => [name, colour])),
    }
  }

  async #update(): Promise<void> {
    const list = await this.#source.runs()
    const readable = list.runs.filter(({ status }) => status !== 'unreadable')
    const summary = readable.find(({ name }) => name === this.#focus) ?? newest(readable)
    if (!summary) {
      this.#shown = []
      this.#aside.update(list, this.#marked())
      const reasons = list.runs.map(({ name, reason }) => `${name}: ${reason}`).join('\n')
      const text =
        'No run here yet. It appears when fit begins with a `dir` in this folder and monitor() among its callbacks.'
      byId('panel').replaceChildren(empty(reasons ? `No run here can be read.\n${reasons}` : text))
      return
    }
    const names = [summary.name, ...readable.map(({ name }) => name).filter((name) => this.#overlays.has(name))]
    this.#shown = [...new Set(names)].map((name, i) => ({
      name,
      title: runTitle(name, list.folder),
      colour: seriesColour(i),
    }))
    const shown = this.#shown
    this.#aside.update(list, this.#marked())
    const facts = this.#source.run(summary.name).then((run) => {
      this.#bar.tell(shown[0]!.title, summary)
      this.#findings.update(summary.name, run.findings)
    })
    await Promise.all([facts, this.#updateView(shown)])
  }

  async #updateView(shown: readonly ShownRun[]): Promise<void> {
    const { id, make } = views.find((view) => view.id === this.#tab)!
    let view = this.#made.get(id)
    if (!view) {
      view = make()
      this.#made.set(id, view)
    }
    // A view comes into the page with its data, so that nothing is called missing which is on its way.
    await view.update(this.#context(shown))
    const panel = byId('panel')
    if (panel.firstChild === view.element) return
    panel.replaceChildren(view.element)
    panel.setAttribute('aria-labelledby', `tab-${id}`)
  }

  #context(shown: readonly ShownRun[]): Context {
    return {
      source: this.#source,
      focus: shown[0]!,
      shown,
      range: this.#range,
      zoom: (range) => this.#change(() => (this.#range = range)),
      refresh: () => void this.#refresh(),
    }
  }

  #fail(error: Error): void {
    this.#bar.connection('lost')
    if (byId('panel').childElementCount === 0) byId('panel').replaceChildren(empty(error.message))
  }
}

/** The one that began last. */
function newest<Summary extends { started?: string }>(runs: readonly Summary[]): Summary | undefined {
  return runs.toSorted((a, b) => (a.started ?? '').localeCompare(b.started ?? '')).at(-1)
}

new Page()
