/** The runs of a folder: a click shows one, its box lays it over the one that is shown. */
import type { RunList, RunSummary } from '../server/wire.js'
import { element } from './dom.js'
import { runTitle, short, whole } from './format.js'

interface Listener {
  focus(run: string): void
  overlay(run: string, isOn: boolean): void
}

interface Marked {
  focus: string
  /** Of those that are drawn. */
  colours: ReadonlyMap<string, string>
}

export class RunsAside {
  readonly #aside: HTMLElement
  readonly #listener: Listener
  #shown = ''

  constructor(aside: HTMLElement, listener: Listener) {
    this.#aside = aside
    this.#listener = listener
  }

  update({ folder, runs }: RunList, marked: Marked): void {
    this.#aside.hidden = runs.length < 2
    const key = JSON.stringify([folder, runs, marked.focus, [...marked.colours]])
    if (key === this.#shown || runs.length < 2) return
    this.#shown = key
    // The list is made anew, but whoever is in it by keyboard stays where he was.
    const focused = this.#aside.contains(document.activeElement) ? document.activeElement?.id : undefined
    const items = runs.map((run, i) => this.#item(run, folder, marked, i))
    const isOpen = this.#aside.querySelector('details')?.open ?? innerWidth > 800
    const summary = element('summary', {}, `${runs.length} runs in `, element('strong', {}, folder))
    this.#aside.replaceChildren(element('details', { open: isOpen }, summary, element('ul', {}, ...items)))
    if (focused) document.getElementById(focused)?.focus()
  }

  #item(run: RunSummary, folder: string, { focus, colours }: Marked, index: number): HTMLElement {
    const title = runTitle(run.name, folder)
    const isFocus = run.name === focus
    if (isFocus) {
      const dot = element('span', { class: 'dot' })
      dot.style.backgroundColor = colours.get(run.name) ?? ''
      return element('li', {}, dot, this.#button(run, title, isFocus, index))
    }
    const box = element('input', {
      type: 'checkbox',
      id: `overlay-${index}`,
      checked: colours.has(run.name),
      disabled: run.status === 'unreadable',
      title: 'Lay this run over the one that is shown',
      'aria-label': `Overlay ${title}`,
      onchange: () => this.#listener.overlay(run.name, box.checked),
    })
    box.style.accentColor = colours.get(run.name) ?? ''
    return element('li', {}, box, this.#button(run, title, isFocus, index))
  }

  #button(run: RunSummary, title: string, isFocus: boolean, index: number): HTMLElement {
    return element(
      'button',
      {
        type: 'button',
        id: `run-${index}`,
        disabled: run.status === 'unreadable',
        'aria-current': isFocus ? 'true' : undefined,
        title: run.reason,
        onclick: () => this.#listener.focus(run.name),
      },
      element('span', { class: 'run-name' }, title),
      element('span', { class: `status is-${run.status}` }, run.status),
      element('span', { class: 'run-facts tabular' }, facts(run)),
    )
  }
}

function facts({ status, reason, epoch, epochs, loss, valLoss }: RunSummary): string {
  if (status === 'unreadable') return reason ?? ''
  const validation = valLoss === null || valLoss === undefined ? '' : ` · validation ${short(valLoss, 3)}`
  return `epoch ${whole(epoch)}/${whole(epochs)} · loss ${short(loss, 3)}${validation}`
}
