/** The line at the top: which run, how it stands, and whether the page still hears of it. */
import type { RunSummary } from '../server/wire.js'
import { element, setText } from './dom.js'
import { duration, short, whole } from './format.js'
import type { Connection } from './source.js'

const connections: Record<Connection, string> = { live: 'live', lost: 'connection lost', report: 'report' }
const names = ['Epoch', 'Step', 'Loss', 'Validation', 'Examples/s', 'Time'] as const

export class Bar {
  readonly #title = element('h1')
  readonly #status = element('span', { class: 'status' })
  readonly #connection = element('span', { class: 'connection', role: 'status' })
  readonly #values = new Map(names.map((name) => [name, element('dd', { class: 'tabular' }, '–')]))

  constructor(header: HTMLElement) {
    const figures = names.map((name) => element('div', {}, element('dt', {}, name), this.#values.get(name)))
    const mark = element('span', { class: 'wordmark' }, 'gradus')
    const name = element('div', { class: 'bar-name' }, mark, this.#title, this.#status, this.#connection)
    header.append(name, element('dl', { class: 'figures' }, ...figures))
  }

  /** Which run, and how it stands. */
  tell(title: string, summary: RunSummary): void {
    const { status, reason, epoch, epochs, step, loss, valLoss, samplesPerSecond, seconds } = summary
    setText(this.#title, title)
    document.title = `${title} · Gradus`
    const because = reason && status !== 'finished' ? `${status}: ${reason}` : status
    setText(this.#status, because)
    this.#status.className = `status is-${status}`
    this.#status.title = because
    this.#set('Epoch', `${whole(epoch)} / ${whole(epochs)}`)
    this.#set('Step', whole(step))
    this.#set('Loss', short(loss))
    this.#set('Validation', short(valLoss))
    this.#set('Examples/s', whole(samplesPerSecond))
    this.#set('Time', duration(seconds))
  }

  connection(connection: Connection): void {
    setText(this.#connection, connections[connection])
    this.#connection.className = `connection is-${connection}`
  }

  #set(name: (typeof names)[number], text: string): void {
    setText(this.#values.get(name)!, text)
  }
}
