import type { RunInfo, SystemEntry } from '../../recording/recording.js'
import type { RunView } from '../../server/wire.js'
import { Chart, type ChartScale } from '../chart.js'
import { CheckpointsPanel } from '../checkpoints.js'
import { Clock } from '../clock.js'
import { element, empty, panel } from '../dom.js'
import { bytes, date, short, whole, words } from '../format.js'
import { NotesPanel } from '../notes.js'
import { seriesColour } from '../palette.js'
import { type Context, marksOf, type View } from '../view.js'

type Fact = [name: string, value: string | null | undefined]

/** How fast it goes, what it takes, and what it was started with. */
export class RunDetails implements View {
  readonly element = element('div', { class: 'stack' })
  readonly #missing = empty('No measurements of the process yet: monitor() takes them by the second.')
  readonly #speed = new Chart({ title: 'Examples a second', height: 150, format: (value) => whole(value) })
  readonly #delay = new Chart({
    title: 'Event loop delay (ms)',
    height: 150,
    format: (value) => `${short(value, 3)} ms`,
  })
  readonly #memory = new Chart({ title: 'Memory (MiB)', height: 150, format: (value) => bytes((value ?? 0) * 2 ** 20) })
  readonly #sharpness = new Chart({
    title: 'Sharpness',
    height: 150,
    note: 'largest Hessian eigenvalue λ; stable up to 2/λ',
    isLog: true,
  })
  readonly #notes = new NotesPanel()
  readonly #checkpoints = new CheckpointsPanel()
  readonly #facts = element('div', { class: 'grid facts' })
  #shown = ''

  constructor() {
    const charts = [this.#speed, this.#delay, this.#memory, this.#sharpness].map((chart) => chart.element)
    const grid = element('div', { class: 'grid small' }, ...charts)
    this.element.append(this.#notes.element, this.#missing, grid, this.#checkpoints.element, this.#facts)
  }

  async update(context: Context): Promise<void> {
    const {
      source,
      focus,
      clock,
      state: { axis },
    } = context
    const [view, list, checkpoints] = await Promise.all([
      source.run(focus.name),
      source.runs(),
      source.checkpoints(focus.name),
    ])
    this.#checkpoints.update(checkpoints)
    const own = await clock(focus.name)
    const listing = list.runs.find(({ name }) => name === focus.name)
    if (listing) {
      const canControl = list.canControl === true
      this.#notes.update(context, focus.name, focus.title, { notes: listing.notes, canControl })
      this.#notes.element.hidden =
        !canControl && source.isReport && listing.notes.text === '' && !listing.notes.tags.length
    }
    this.#updateProcess(view, own, { axis, marks: marksOf([{ run: focus, view, clock: own }]) })
    this.#updateSharpness(view, marksOf([{ run: focus, view, clock: new Clock('epoch', view, null) }]))
    const { info } = view
    const key = JSON.stringify([focus.name, info])
    if (key !== this.#shown) this.#facts.replaceChildren(model(info), ...lists(info))
    this.#shown = key
  }

  #updateProcess({ system }: RunView, clock: Clock, scale: ChartScale): void {
    this.#missing.hidden = system.length > 0
    const x = clock.places(system.map(({ step }) => step))
    const line = (label: string, of: (entry: SystemEntry) => number, index = 0) => ({
      label,
      x,
      y: system.map((entry) => of(entry) ?? null),
      colour: seriesColour(index),
    })
    const charts = [this.#speed, this.#delay, this.#memory]
    for (const chart of charts) chart.element.hidden = system.length === 0
    this.#speed.update([line('examples/s', (entry) => entry.samplesPerSecond)], scale)
    const delays = [
      line('mean', (entry) => entry.eventLoopDelay),
      line('longest', (entry) => entry.eventLoopDelayMost, 1),
    ]
    this.#delay.update(delays, scale)
    this.#memory.update([line('process', (entry) => entry.memory / 2 ** 20)], scale)
  }

  #updateSharpness({ sharpness }: RunView, marks: ChartScale['marks']): void {
    const epochs = sharpness.map(({ epoch }) => epoch)
    this.#sharpness.element.hidden = sharpness.length === 0
    const curves = [
      { label: 'λ', x: epochs, y: sharpness.map(({ eigenvalue }) => eigenvalue), colour: seriesColour(0) },
      { label: '2/λ', x: epochs, y: sharpness.map((entry) => entry.learningRateLimit), colour: seriesColour(1) },
    ]
    this.#sharpness.update(curves, { axis: 'epoch', marks })
  }
}

function lists(info: RunInfo): HTMLElement[] {
  const { options, machine, descriptor, monitor } = info
  const plain = (value: number | undefined) => (value === undefined ? null : short(value))
  return [
    facts('Training', [
      ['started', date(info.started)],
      ['seed', String(info.seed)],
      ['loss', words(descriptor.loss?.kind ?? '')],
      ['optimizer', words(descriptor.optimizer?.kind ?? '')],
      ['learning rate', `${short(options.learningRate)}${options.isScheduled ? ', scheduled' : ''}`],
      ['momentum', plain(options.momentum)],
      ['weight decay', options.weightDecay > 0 ? short(options.weightDecay) : null],
      ['epochs', whole(options.epochs)],
      ['batch size', whole(options.batchSize) + (options.accumulate > 1 ? ` × ${options.accumulate}` : '')],
      ['clipped at norm', plain(options.clipNorm)],
      ['clipped at value', plain(options.clipValue)],
      ['training examples', info.examples === null ? 'a stream' : whole(info.examples)],
      ['validation examples', info.validationExamples === null ? null : whole(info.validationExamples)],
      ['a record every', monitor.every === 1 ? 'step' : `${whole(monitor.every)} steps`],
    ]),
    facts('Machine', [
      ['processor', machine.cpu],
      ['device', machine.device ?? null],
      ['cores', `${machine.cores}, ${options.threads} used`],
      ['memory', bytes(machine.memory)],
      ['host', machine.host],
      ['process', String(machine.process)],
      ['platform', machine.platform],
      ['Node.js', machine.node],
      ['Gradus', info.gradus],
    ]),
  ]
}

function facts(title: string, rows: readonly Fact[]): HTMLElement {
  const known = rows.filter(([, value]) => value !== null && value !== undefined)
  const list = known.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value!)])
  return panel(title, [element('dl', { class: 'facts-list' }, ...list)])
}

function model({ descriptor }: RunInfo): HTMLElement {
  const rows = descriptor.nodes.map(({ name, op, kind, parameters }) => {
    const own = Object.values(parameters ?? {}).map((number) => descriptor.parameters[number])
    const shapes = own.map((parameter) => (parameter?.shape ?? []).join('×')).join(', ')
    const cells = [name, op === 'activation' ? String(kind) : op, shapes]
    return element('tr', {}, ...cells.map((text) => element('td', {}, text)))
  })
  const count = descriptor.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  const head = element(
    'tr',
    {},
    ...['layer', 'kind', 'parameters'].map((name) => element('th', { scope: 'col' }, name)),
  )
  const table = element('table', { class: 'model' }, element('thead', {}, head), element('tbody', {}, ...rows))
  const inputs = descriptor.inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(', ')
  return panel('Model', [element('div', { class: 'scroll' }, table)], [], `Input ${inputs}; ${whole(count)} parameters`)
}
