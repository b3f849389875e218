/** What the run has to say, the gravest first; each opens to its evidence and advice. */
import type { Finding } from '../diagnosis/diagnose.js'
import { element } from './dom.js'
import { percent, short, whole, words } from './format.js'
import type { Source } from './source.js'

/** Names and values of what a finding rests on. */
function pairs(evidence: Finding['evidence']): HTMLElement[] {
  return Object.entries(evidence).map(([name, value]) =>
    element('span', {}, `${words(name)} `, element('strong', { class: 'tabular' }, text(value, name))),
  )
}

/** Shares as messages tell them: in percent. */
const shares = /share|dead|saturated/i

function text(value: unknown, name: string): string {
  if (typeof value === 'number' && shares.test(name) && value <= 1) return percent(value)
  if (typeof value === 'number' || value === null || value === undefined) return short(value)
  if (Array.isArray(value)) return value.map((item) => text(item, name)).join(', ')
  if (typeof value !== 'object') return String(value)
  return Object.entries(value)
    .map(([name, item]) => `${words(name)} ${text(item, name)}`)
    .join(', ')
}

const gravity = ['severe', 'warning', 'info'] as const
const marks = { severe: '✕', warning: '!', info: 'i' } as const

/** With nothing wrong there is one finding, which says so in a line. */
const quiet = ['healthy', 'tooShort']

export class Findings {
  readonly #section: HTMLElement
  readonly #source: Pick<Source, 'explanation'>
  #shown = ''
  /** Which ones somebody has opened or closed, kept when findings come and go. */
  readonly #isOpen = new Map<string, boolean>()

  constructor(section: HTMLElement, source: Pick<Source, 'explanation'>) {
    this.#section = section
    this.#source = source
  }

  update(run: string, findings: readonly Finding[]): void {
    const key = JSON.stringify([run, findings])
    if (key === this.#shown) return
    this.#shown = key
    const sorted = [...findings].sort((a, b) => gravity.indexOf(a.severity) - gravity.indexOf(b.severity))
    this.#section.replaceChildren(...sorted.map((finding, i) => this.#card(run, finding, i === 0)))
  }

  #card(run: string, finding: Finding, isFirst: boolean): HTMLElement {
    const { rule, severity, message, evidence, advice, since, page } = finding
    const key = `${run}\n${rule}`
    const isQuiet = quiet.includes(rule)
    const mark = element('span', { class: 'mark', 'aria-label': severity, role: 'img' }, marks[severity])
    const began = element('span', { class: 'since tabular' }, isQuiet ? '' : `since step ${whole(since.step)}`)
    const more = element(
      'button',
      { type: 'button', class: 'link', onclick: () => void explain(this.#source, page) },
      `What ${words(rule)} means`,
    )
    const card = element(
      'details',
      {
        class: isQuiet ? `finding is-quiet is-${rule}` : `finding is-${severity}`,
        open: this.#isOpen.get(key) ?? (isFirst && severity === 'severe'),
      },
      element(
        'summary',
        {},
        !isQuiet && mark,
        element('span', { class: 'message' }, isQuiet ? quietly(message, rule) : message),
        began,
      ),
      element(
        'dl',
        {},
        element('dt', {}, 'Seen'),
        element('dd', { class: 'evidence' }, ...pairs(evidence)),
        ...(advice ? [element('dt', {}, 'Try'), element('dd', {}, advice)] : []),
        element('dt', {}, 'More'),
        element('dd', {}, more),
      ),
    )
    card.addEventListener('toggle', () => this.#isOpen.set(key, card.open))
    return card
  }
}

/** `Healthy: the loss went from …`, whatever the message begins with. */
function quietly(message: string, rule: string): Node {
  const [, rest = message] = rule === 'healthy' ? (/^[^:]*:\s*(.*)$/.exec(message) ?? []) : []
  const head = element('strong', {}, rule === 'healthy' ? 'Healthy' : '')
  return element('span', {}, head, rule === 'healthy' ? ` · ${rest}` : rest)
}

/** The page about a finding, over the others. */
async function explain(source: Pick<Source, 'explanation'>, page: string): Promise<void> {
  const close = () => asked.remove()
  const done = element('button', { type: 'button', class: 'action', onclick: close }, 'Close')
  const text = element('article', { class: 'explanation' })
  const asked = element('dialog', { class: 'wide', 'aria-label': 'About the finding', onclose: close }, text, done)
  document.body.append(asked)
  asked.showModal()
  const html = await source.explanation(page).catch((error: Error) => error.message)
  // Made from the Markdown of this package, not from a run; scripts would not run by the page's policy either.
  const parsed = new DOMParser().parseFromString(html, 'text/html')
  text.replaceChildren(...parsed.body.querySelectorAll('main > *'))
  if (text.childElementCount === 0) text.textContent = parsed.body.textContent
}
