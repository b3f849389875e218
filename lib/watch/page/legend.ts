import { element, setText } from './dom.js'

interface Item {
  label: string
  colour: string
  dash?: number[]
}

/** Names, colours and values of lines; a line is shown and hidden by its name. */
export class Legend {
  readonly element = element('div', { class: 'legend' })
  readonly #format: (value: number | null) => string
  readonly #show: (label: string, isShown: boolean) => void
  readonly #at = element('span', { class: 'legend-at' })
  #values: HTMLElement[] = []
  #shape = ''
  /** By name, so that they stay hidden when others come and go. */
  readonly #hidden = new Set<string>()

  constructor(format: (value: number | null) => string, show: (label: string, isShown: boolean) => void) {
    this.#format = format
    this.#show = show
  }

  isHidden(label: string): boolean {
    return this.#hidden.has(label)
  }

  update(items: readonly Item[]): void {
    const shape = JSON.stringify(items.map(({ label, colour, dash }) => [label, colour, dash]))
    if (shape === this.#shape) return
    this.#shape = shape
    this.#values = items.map(() => element('span', { class: 'legend-value' }))
    this.element.classList.toggle('is-long', items.length > 6)
    this.element.replaceChildren(...items.map((item, i) => this.#entry(item, i)), this.#at)
  }

  /** Values at a place, or the last ones. */
  values(values: readonly (number | null)[], at = ''): void {
    for (const [i, cell] of this.#values.entries()) setText(cell, this.#format(values[i] ?? null))
    setText(this.#at, at)
  }

  #entry({ label, colour, dash }: Item, index: number): HTMLElement {
    const swatch = element('span', { class: dash?.length ? 'swatch is-dashed' : 'swatch' })
    swatch.style.setProperty('--swatch', colour)
    const button = element(
      'button',
      { type: 'button', 'aria-pressed': String(!this.#hidden.has(label)), title: `Show or hide ${label}` },
      swatch,
      element('span', { class: 'legend-label' }, label),
      this.#values[index],
    )
    button.addEventListener('click', () => {
      const isShown = this.#hidden.delete(label)
      if (!isShown) this.#hidden.add(label)
      button.setAttribute('aria-pressed', String(isShown))
      this.#show(label, isShown)
    })
    return button
  }
}
