/** The live page of runs; in a report, the same page with its data inside. */
import type { RunList, RunListing } from '../server/wire.js'
import type { AxisKind } from './axes.js'
import { Bar } from './bar.js'
import { Clock } from './clock.js'
import { byId, element, empty } from './dom.js'
import { Findings } from './findings.js'
import { runTitle } from './format.js'
import { looksOf, onColourChange } from './palette.js'
import { RunTable } from './run-table.js'
import { Source } from './source.js'
import { readState, type State, writeState } from './state.js'
import { studyTitle } from './study/study-head.js'
import { StudyLinks } from './study/study-links.js'
import { StudyPage } from './study/study-page.js'
import { studyAddress } from './study/study-source.js'
import { TrialHead } from './study/trial-head.js'
import { Tabs } from './tabs.js'
import { askForToken, fragment, takeToken, tokenHeader } from './token.js'
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
  { id: 'epochs', title: 'Metrics', make: () => new EpochsView() },
  { id: 'updates', title: 'Updates', make: () => new UpdatesView() },
  { id: 'layers', title: 'Layers', make: () => new LayersView() },
  { id: 'histograms', title: 'Histograms', make: () => new HistogramsView() },
  { id: 'predictions', title: 'Predictions', make: () => new PredictionsView() },
  { id: 'run', title: 'Run & system', make: () => new RunDetails() },
]

/** Milliseconds for which findings are told though another epoch has ended: to make them costs the server some. */
const judgedFor = 2000

const axisNames: Record<AxisKind, string> = { step: 'steps', epoch: 'epochs', time: 'wall time' }

class Page {
  readonly #state = readState()
  readonly #source = new Source(this.#state.of)
  readonly #studies = new StudyLinks(byId('studies'))
  readonly #bar = new Bar(byId('bar'))
  readonly #findings = new Findings(byId('findings'), this.#source)
  readonly #table = new RunTable(byId('runs'), {
    focus: (run) => this.#change((state) => this.#show(state, run)),
    compare: (run, isOn) => this.#change(({ compared }) => (isOn ? compared.add(run) : compared.delete(run))),
    sort: (by) => this.#change((state) => (state.sort = by)),
    filter: (text) => this.#change((state) => (state.filter = text)),
  })
  readonly #tabs = new Tabs(byId('tabs'), views, (id) => this.#change((state) => (state.view = id)))
  readonly #made = new Map<string, View>()
  /** The run in focus, then those compared with it. */
  #shown: readonly ShownRun[] = []
  /** Of the run in focus, as it was when its findings were made. */
  #judged: RunListing | null = null
  #judgedAt = 0
  #judging: ReturnType<typeof setTimeout> | null = null
  #isBusy = false
  #isStale = false
  /** Nothing is asked before the page hears of what is new, or it would ask twice. */
  #hears = false

  constructor() {
    byId('axis').append(this.#axisChoice())
    const { view } = this.#state
    this.#tabs.select(views.some(({ id }) => id === view) ? view : 'loss')
    onColourChange(() => this.#refresh())
    if (!this.#source.isReport && !('Authorization' in tokenHeader())) this.#stop()
    else this.#begin()
  }

  #begin(): void {
    const { of } = this.#state
    if (of) new TrialHead(of.study, of.trial)
    this.#listen()
  }

  #listen(): void {
    this.#source.listen((connection, isMore) => {
      this.#bar.connection(connection)
      if (connection === 'refused') this.#stop()
      if (connection === 'lost' || connection === 'refused') return
      this.#hears = true
      if (isMore) this.#refresh()
      else void this.#tell()
    })
  }

  /** Without the token there is nothing to be seen. */
  #stop(): void {
    this.#hears = false
    for (const id of ['runs', 'findings', 'views']) byId(id).hidden = true
    byId('panel').replaceChildren(askForToken())
  }

  #axisChoice(): HTMLElement {
    const kinds = Object.entries(axisNames).map(([value, name]) => element('option', { value }, name))
    const list = element('select', {
      onchange: () =>
        this.#change((state) => {
          state.axis = list.value as AxisKind
          state.range = null
        }),
    })
    list.append(...kinds)
    list.value = this.#state.axis
    return element('label', { class: 'control' }, 'over', list)
  }

  #change(change: (state: State) => void): void {
    change(this.#state)
    writeState(this.#state)
    this.#refresh()
  }

  /** The run that was shown stays as one of those compared, if there are such. */
  #show(state: State, run: string): void {
    const before = this.#shown[0]?.name
    if (before && state.compared.size > 0) state.compared.add(before)
    state.compared.delete(run)
    state.run = run
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
    this.#bar.tell(this.#shown[0]!.title, summary, this.#judged ?? summary)
    this.#updateTable(list)
    if (this.#judged && this.#judged.epoch !== summary.epoch) this.#judgeSoon()
    const view = this.#made.get(this.#state.view)
    if (view?.isLive && this.#state.range === null && !this.#isBusy) await view.update(this.#context(this.#shown))
  }

  /** What the head and the findings say is of one moment, and not long ago. */
  #judgeSoon(): void {
    this.#judging ??= setTimeout(
      () => {
        this.#judging = null
        this.#judgedAt = performance.now()
        this.#source.forget(this.#shown[0]?.name ?? '')
        this.#refresh()
      },
      Math.max(0, this.#judgedAt + judgedFor - performance.now()),
    )
  }

  #updateTable(list: RunList): void {
    const { sort, filter } = this.#state
    const colours = new Map(this.#shown.map(({ name, colour }) => [name, colour]))
    this.#table.update(list, { focus: this.#shown[0]?.name ?? '', colours, sort, filter })
  }

  async #update(): Promise<void> {
    const list = await this.#source.runs()
    if (!this.#source.isReport && !this.#state.of) this.#showStudies(list)
    const readable = list.runs.filter(({ status }) => status !== 'unreadable')
    const listing = readable.find(({ name }) => name === this.#state.run) ?? newest(readable)
    if (!listing) {
      this.#showNone(list)
      return
    }
    const { compared } = this.#state
    const others = readable.filter((run) => compared.has(run.name) && run !== listing)
    const looks = looksOf([listing, ...others].map(({ number }) => number))
    const shown = [listing, ...others].map(({ name }, i) => ({
      name,
      title: this.#titleOf(name, list),
      ...looks[i]!,
    }))
    this.#shown = shown
    byId('views').hidden = false
    this.#updateTable(list)
    const facts = this.#source.run(listing.name).then(({ findings, summary }) => {
      this.#judged = { ...listing, ...summary }
      this.#bar.tell(shown[0]!.title, listing, this.#judged)
      this.#findings.update(listing.name, findings)
    })
    await Promise.all([facts, this.#updateView(shown)])
  }

  /** A folder that is a study itself is shown as one, unless a run in it was asked for. */
  #showStudies({ studies }: RunList): void {
    if (studies.some(({ name }) => name === '.') && this.#state.run === '') location.replace(studyAddress('.'))
    else this.#studies.update(studies)
  }

  #titleOf(name: string, { folder, runs }: RunList): string {
    const { of } = this.#state
    if (!of) return runTitle(name, folder)
    return `${studyTitle(of.study)} · trial ${of.trial}${runs.length > 1 ? ` · ${name}` : ''}`
  }

  #showNone(list: RunList): void {
    this.#shown = []
    this.#updateTable(list)
    const reasons = list.runs.map(({ name, reason }) => `${name}: ${reason}`).join('\n')
    const { of } = this.#state
    byId('views').hidden = of !== null
    this.#bar.title(of ? `${studyTitle(of.study)} · trial ${of.trial}` : list.folder)
    const text = of
      ? 'This trial has recorded no run of its own.'
      : 'No run here yet. It appears when fit begins with a `dir` in this folder and monitor() among its callbacks.'
    byId('panel').replaceChildren(empty(reasons ? `No run here can be read.\n${reasons}` : text))
  }

  async #updateView(shown: readonly ShownRun[]): Promise<void> {
    const { id, make } = views.find((view) => view.id === this.#state.view)!
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
    const { axis } = this.#state
    return {
      source: this.#source,
      focus: shown[0]!,
      shown,
      state: this.#state,
      clock: async (run) =>
        new Clock(axis, await this.#source.run(run), axis === 'time' ? await this.#source.steps(run, null) : null),
      zoom: (range) => this.#change((state) => (state.range = range)),
      change: (change) => this.#change(change),
      refresh: () => void this.#refresh(),
      reload: () => void this.#refresh(),
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

takeToken()
// Another study, trial or list is another page; what changes within one does not come by this way.
addEventListener('hashchange', () => location.reload())
const study = fragment().get('study')
if (study !== null && !fragment().has('trial')) new StudyPage(study)
else new Page()
