/** Asks why, and stops a trial or has it tried again. */

import { element, setText } from '../dom.js'
import { capital } from '../format.js'
import { change } from './study-source.js'

const words = {
  stop: { ask: 'Stop trial', note: 'What it has trained so far stays; it does not go on.' },
  retry: { ask: 'Try trial', note: 'It waits for a worker, with the same number and parameters.' },
} as const

/** A button that opens a dialog; `done` is called when the server has done it. */
export function actionButton(action: 'stop' | 'retry', study: string, trial: number, done: () => void): HTMLElement {
  const open = () => openDialog(action, study, trial, done)
  const name = `${capital(action)} trial ${trial}`
  return element(
    'button',
    { type: 'button', class: 'action', 'aria-label': name, onclick: open },
    `${capital(action)} …`,
  )
}

function openDialog(action: 'stop' | 'retry', study: string, trial: number, done: () => void): void {
  const { ask, note } = words[action]
  const why = element('input', { type: 'text', maxLength: 500, 'aria-label': 'Why', placeholder: 'why' })
  const said = element('p', { class: 'problem', role: 'status' })
  const act = async (event: Event) => {
    event.preventDefault()
    try {
      await change(action, study, trial, why.value)
      box.close()
      done()
    } catch (error) {
      setText(said, (error as Error).message)
    }
  }
  const no = element('button', { type: 'button', class: 'action', onclick: () => box.close() }, 'Cancel')
  const yes = element('button', { type: 'submit', class: 'action is-grave' }, capital(action))
  const title = element(
    'p',
    {},
    element('strong', {}, `${ask} ${trial}${action === 'retry' ? ' again' : ''}?`),
    ` ${note}`,
  )
  const form = element(
    'form',
    { onsubmit: act },
    title,
    element('div', { class: 'actions' }, why),
    said,
    element('div', { class: 'actions' }, no, yes),
  )
  const box = element('dialog', { 'aria-label': `${capital(action)} the trial`, onclose: () => box.remove() }, form)
  document.body.append(box)
  box.showModal()
  why.focus()
}
