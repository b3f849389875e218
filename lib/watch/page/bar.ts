/** The line at the top: which run, how it stands, how good it has been, and how long it will take. */
import type { RunSummary } from '../server/wire.js'
import { element, setText } from './dom.js'
import { duration, scoreName, short, whole } from './format.js'
import type { Connection } from './source.js'

/** That a page is live goes without saying. */
const connections: Record<Connection, string> = {
  live: '',
  lost: 'connection lost',
  refused: 'token refused',
  report: 'report',
}
const names = ['Time left', 'Epoch', 'Step', 'Loss', 'Validation loss', 'Examples/s', 'Time'] as const
type Name = (typeof names)[number]

export class Bar {
  readonly #title = element('h1')
  readonly #status = element('span', { class: 'status' })
  readonly #wentOn = element('span', { class: 'went-on', hidden: true })
  readonly #connection = element('span', { class: 'connection', role: 'status' })
  readonly #best = element('strong', { class: 'tabular' })
  readonly #bestName = element('span')
  readonly #hero = element('p', { class: 'hero', hidden: true }, this.#best, this.#bestName)
  readonly #list = element('dl', { class: 'figures' })
  readonly #figures: ReadonlyMap<Name, { box: HTMLElement; value: HTMLElement }>

  constructor(header: HTMLElement) {
    const figure = (name: Name) => {
      const value = element('dd', { class: 'tabular' }, '–')
      return { box: element('div', {}, element('dt', {}, name), value), value }
    }
    this.#figures = new Map(names.map((name) => [name, figure(name)]))
    const boxes = [...this.#figures.values()].map(({ box }) => box)
    const mark = element('span', { class: 'wordmark' }, 'gradus')
    const name = element('div', { class: 'bar-name' }, mark, this.#title, this.#status, this.#wentOn, this.#connection)
    this.#list.append(...boxes)
    header.append(name, this.#hero, this.#list)
  }

  /** Which run, and how it stands. `judged`: as it stood when its findings were made, which are told beside it. */
  tell(title: string, summary: RunSummary, judged: RunSummary): void {
    const { status, reason, epoch, epochs, step, samplesPerSecond, seconds } = summary
    this.#name(title)
    this.#list.hidden = false
    this.#status.hidden = false
    const because = reason && status !== 'finished' ? `${status}: ${reason}` : status
    setText(this.#status, because)
    this.#status.className = `status is-${status}`
    this.#status.title = because
    const { wentOn = 0 } = summary
    this.#wentOn.hidden = wentOn === 0
    setText(this.#wentOn, `went on ${whole(wentOn)} ×`)
    const left = timeLeft(summary)
    this.#set('Time left', left === null ? null : duration(left))
    this.#set('Epoch', `${whole(epoch)} / ${whole(epochs)}`)
    this.#set('Step', whole(step))
    this.#set('Loss', short(judged.loss))
    const { best, valLoss } = judged
    this.#set('Validation loss', valLoss === null || best?.column === 'valLoss' ? null : short(valLoss))
    this.#set('Examples/s', samplesPerSecond === undefined ? null : whole(samplesPerSecond))
    this.#set('Time', duration(seconds))
    this.#hero.hidden = best === undefined
    if (!best) return
    setText(this.#best, short(best.value))
    setText(this.#bestName, `best ${scoreName(best.column)}, epoch ${whole(best.epoch)}`)
  }

  /** Where there is no run to be told of. */
  title(title: string): void {
    this.#name(title)
    this.#list.hidden = true
    this.#status.hidden = true
    this.#hero.hidden = true
  }

  #name(title: string): void {
    setText(this.#title, title)
    document.title = `${title} · Gradus`
  }

  connection(connection: Connection): void {
    setText(this.#connection, connections[connection])
    this.#connection.className = `connection is-${connection}`
  }

  /** Null hides it. */
  #set(name: Name, text: string | null): void {
    const { box, value } = this.#figures.get(name)!
    box.hidden = text === null
    if (text !== null) setText(value, text)
  }
}

/** Seconds until the last epoch, at the pace so far; null for a run that has ended or has done nothing yet. */
function timeLeft({ status, step, epochs, stepsPerEpoch, seconds }: RunSummary): number | null {
  if (status !== 'running' || !step || !epochs || !stepsPerEpoch || !seconds) return null
  return (Math.max(0, epochs * stepsPerEpoch - step) * seconds) / step
}
