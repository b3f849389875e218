/**
 * The token that the server asks for. It comes in the fragment of the address, which no browser sends to anybody, and is
 * kept for this tab and this port alone; the address that is shown and shared goes without it.
 */
import { element } from './dom.js'

const key = 'gradus-token'

/** What stands in the fragment of the address. */
export const fragment = (): URLSearchParams => new URLSearchParams(location.hash.slice(1))

/** Takes it out of the address. Called before anything is asked. */
export function takeToken(): void {
  const state = fragment()
  const token = state.get('token')
  if (token === null) return
  sessionStorage.setItem(key, token)
  state.delete('token')
  history.replaceState(null, '', `${location.pathname}${state.size > 0 ? `#${state}` : ''}`)
}

export function tokenHeader(): Record<string, string> {
  const token = sessionStorage.getItem(key)
  return token === null ? {} : { Authorization: `Bearer ${token}` }
}

/** Where a link was opened in a new tab, or another server has taken the port: the token is asked for. */
export function askForToken(): HTMLElement {
  const input = element('input', { type: 'password', name: 'token', required: true, autocomplete: 'off', size: 28 })
  const begin = (event: Event) => {
    event.preventDefault()
    const { value } = input
    // A whole address may be pasted as well.
    sessionStorage.setItem(key, value.trim().replace(/^.*[#&?]token=/, ''))
    location.reload()
  }
  return element(
    'form',
    { class: 'empty token', onsubmit: begin },
    element('p', {}, 'Open the address that gradus watch has printed, or paste it or its token here.'),
    element('label', { class: 'control' }, 'token', input),
    element('button', { type: 'submit', class: 'reset' }, 'Show the runs'),
  )
}
