/** Elements with plain text in them: nothing that comes from a run is ever taken for HTML. */

type Child = Node | string | null | undefined | false
type Properties = Readonly<Record<string, unknown>>

/** `on…` are listeners, `class` and `data-…` and `aria-…` are attributes, all else are properties. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value as EventListener)
    else if (key in made && key !== 'role') (made as unknown as Record<string, unknown>)[key] = value
    else made.setAttribute(key, String(value))
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false))
  return made
}

/** Leaves the page alone where nothing has changed, so that focus and selection stay. */
export function setText(of: HTMLElement, text: string): void {
  if (of.textContent !== text) of.textContent = text
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (!found) throw new Error(`The document has no #${id}`)
  return found
}

/** Milliseconds of work between two turns: each costs a picture of the whole page. */
const betweenTurns = 25
let turned = 0

/** Lets the browser do what waits, if that has waited for long: show what has been drawn, hear what was pressed. */
export async function nextTurn(): Promise<void> {
  if (performance.now() - turned < betweenTurns) return
  const { port1, port2 } = new MessageChannel()
  await new Promise<void>((resolve) => {
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
  turned = performance.now()
}

/** A box with a title, and controls at its right. */
export function panel(title: string, body: Child[], controls: Child[] = [], note?: string): HTMLElement {
  const text = note && element('p', { class: 'note' }, note)
  const head = element('div', { class: 'panel-head' }, element('h2', {}, title), text, ...controls)
  return element('section', { class: 'panel' }, head, ...body)
}

/** What stands where nothing can be shown: why, and what brings it. */
export const empty = (text: string): HTMLElement => element('p', { class: 'empty' }, text)

/** A select with a label; `change` gets the value. */
export function select(label: string, change: (value: string) => void) {
  const list = element('select', { onchange: () => change(list.value) })
  return {
    element: element('label', { class: 'control' }, label, list),
    /** Keeps the choice where it is still there. */
    offer(names: readonly string[]): string {
      const old = [...list.options].map((option) => option.value)
      if (old.join('\n') !== names.join('\n')) {
        const chosen = list.value
        list.replaceChildren(...names.map((name) => element('option', { value: name }, name)))
        if (names.includes(chosen)) list.value = chosen
      }
      return list.value
    },
  }
}

export function toggle(label: string, isOn: boolean, change: (isOn: boolean) => void): HTMLElement {
  const box = element('input', { type: 'checkbox', checked: isOn, onchange: () => change(box.checked) })
  return element('label', { class: 'control' }, box, label)
}
