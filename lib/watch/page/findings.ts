/** What the run has to say, the gravest first; each opens to its evidence and advice. */
import type { Finding } from '../diagnosis/diagnose.js'
import { element } from './dom.js'
import { short, whole, words } from './format.js'

/** Names and values of what a finding rests on. */
function pairs(evidence: Finding['evidence']): HTMLElement[] {
  return Object.entries(evidence).map(([name, value]) =>
    element('span', {}, `${words(name)} `, element('strong', { class: 'tabular' }, text(value))),
  )
}

function text(value: unknown): string {
  if (typeof value === 'number' || value === null || value === undefined) return short(value)
  if (Array.isArray(value)) return value.map(text).join(', ')
  if (typeof value !== 'object') return String(value)
  return Object.entries(value)
    .map(([name, item]) => `${words(name)} ${text(item)}`)
    .join(', ')
}

const gravity = ['severe', 'warning', 'info'] as const
const marks = { severe: '✕', warning: '!', info: 'i' } as const

export class Findings {
  readonly #section: HTMLElement
  readonly #isReport: boolean
  #shown = ''
  /** Which ones somebody has opened or closed, kept when findings come and go. */
  readonly #isOpen = new Map<string, boolean>()

  /** A report has no server that could be asked for the page about a finding. */
  constructor(section: HTMLElement, { isReport }: { isReport: boolean }) {
    this.#section = section
    this.#isReport = isReport
  }

  update(run: string, findings: readonly Finding[]): void {
    const key = JSON.stringify([run, findings])
    if (key === this.#shown) return
    this.#shown = key
    const sorted = [...findings].sort((a, b) => gravity.indexOf(a.severity) - gravity.indexOf(b.severity))
    this.#section.replaceChildren(...sorted.map((finding, i) => this.#card(run, finding, i === 0)))
  }

  #card(
    run: string,
    { rule, severity, message, evidence, advice, since, page }: Finding,
    isFirst: boolean,
  ): HTMLElement {
    const key = `${run}\n${rule}`
    const card = element(
      'details',
      { class: `finding is-${severity}`, open: this.#isOpen.get(key) ?? (isFirst && severity === 'severe') },
      element(
        'summary',
        {},
        element('span', { class: 'mark', 'aria-label': severity, role: 'img' }, marks[severity]),
        element('span', { class: 'message' }, message),
        element('span', { class: 'since tabular' }, `since step ${whole(since.step)}`),
      ),
      element(
        'dl',
        {},
        element('dt', {}, 'Seen'),
        element('dd', { class: 'evidence' }, ...pairs(evidence)),
        ...(advice ? [element('dt', {}, 'Try'), element('dd', {}, advice)] : []),
        element('dt', {}, 'More'),
        element('dd', {}, this.#isReport ? page : element('a', { href: `/${page}`, target: '_blank' }, page)),
      ),
    )
    card.addEventListener('toggle', () => this.#isOpen.set(key, card.open))
    return card
  }
}
