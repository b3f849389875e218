/** Tabs by the pattern of WAI-ARIA: one stop for the Tab key, arrows move between them. */
import { element } from './dom.js'

export interface Tab {
  id: string
  title: string
}

export class Tabs {
  readonly #buttons: readonly HTMLButtonElement[]
  readonly #tabs: readonly Tab[]
  readonly #choose: (id: string) => void

  constructor(list: HTMLElement, tabs: readonly Tab[], choose: (id: string) => void) {
    this.#tabs = tabs
    this.#choose = choose
    this.#buttons = tabs.map(({ id, title }) =>
      element(
        'button',
        { type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': 'panel', onclick: () => this.select(id) },
        title,
      ),
    )
    list.append(...this.#buttons)
    list.addEventListener('keydown', (event) => this.#onKey(event))
  }

  select(id: string): void {
    for (const [i, button] of this.#buttons.entries()) {
      const isChosen = this.#tabs[i]!.id === id
      button.setAttribute('aria-selected', String(isChosen))
      button.tabIndex = isChosen ? 0 : -1
      if (isChosen) button.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    }
    this.#choose(id)
  }

  #onKey(event: KeyboardEvent): void {
    const moves: Record<string, (index: number) => number> = {
      ArrowLeft: (index) => index - 1,
      ArrowRight: (index) => index + 1,
      Home: () => 0,
      End: () => this.#tabs.length - 1,
    }
    const move = moves[event.key]
    if (!move) return
    event.preventDefault()
    const now = this.#buttons.findIndex((button) => button.tabIndex === 0)
    const next = (move(now) + this.#tabs.length) % this.#tabs.length
    this.#buttons[next]!.focus()
    this.select(this.#tabs[next]!.id)
  }
}
