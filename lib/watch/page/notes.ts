/** What somebody has written about a run, and what can be done with it where the server lets the page do so. */
import type { Notes } from '../recording/notes.js'
import { element, panel, setText } from './dom.js'
import type { Context } from './view.js'

export class NotesPanel {
  readonly element = element('div', { class: 'stack' })
  #context: Context | null = null
  #run = ''
  #shown = ''
  readonly #text = element('textarea', { rows: 3, maxLength: 10_000, 'aria-label': 'Notes' })
  readonly #tags = element('input', {
    type: 'text',
    'aria-label': 'Tags',
    placeholder: 'baseline, to repeat',
    size: 30,
  })
  readonly #said = element('span', { class: 'note', role: 'status' })

  update(
    context: Context,
    run: string,
    title: string,
    { notes, canControl }: { notes: Notes; canControl: boolean },
  ): void {
    this.#context = context
    const isOther = run !== this.#run
    const key = JSON.stringify([run, title, notes, canControl])
    if (key === this.#shown) return
    this.#shown = key
    this.#run = run
    if (!canControl) {
      this.element.replaceChildren(...readOnly(notes))
      return
    }
    // What somebody is writing is not taken from under his hands.
    if (isOther || !this.element.contains(document.activeElement)) {
      this.#text.value = notes.text
      this.#tags.value = notes.tags.join(', ')
    }
    if (isOther) setText(this.#said, '')
    const save = element('button', { type: 'button', class: 'action', onclick: () => this.#save() }, 'Save')
    const remove = element(
      'button',
      { type: 'button', class: 'action is-grave', onclick: () => this.#delete(title) },
      'Delete this run …',
    )
    const row = element(
      'div',
      { class: 'actions' },
      element('label', { class: 'control' }, 'tags', this.#tags),
      save,
      this.#said,
      remove,
    )
    this.element.replaceChildren(panel('Notes', [this.#text, row]))
  }

  async #save(): Promise<void> {
    const tags = this.#tags.value.split(',').map((tag) => tag.trim())
    const notes = { text: this.#text.value, tags: tags.filter((tag) => tag !== '') }
    await this.#do(() => this.#context!.source.keepNotes(this.#run, notes), 'Saved.')
  }

  #delete(title: string): void {
    const run = this.#run
    const close = () => asked.remove()
    const yes = element(
      'button',
      {
        type: 'button',
        class: 'action is-grave',
        onclick: async () => {
          close()
          await this.#do(() => this.#context!.source.delete(run), '')
        },
      },
      'Delete',
    )
    const no = element('button', { type: 'button', class: 'action', onclick: close }, 'Keep it')
    const asked = element(
      'dialog',
      { 'aria-label': 'Delete the run', onclose: close },
      element('p', {}, 'Delete the directory of ', element('strong', {}, title), ' with all that is in it, for good?'),
      element('div', { class: 'actions' }, no, yes),
    )
    document.body.append(asked)
    asked.showModal()
    no.focus()
  }

  async #do(action: () => Promise<unknown>, said: string): Promise<void> {
    try {
      await action()
      setText(this.#said, said)
    } catch (error) {
      setText(this.#said, (error as Error).message)
    }
    this.#context!.reload()
  }
}

function readOnly({ text, tags }: Notes): HTMLElement[] {
  if (text === '' && tags.length === 0) {
    return [
      element(
        'p',
        { class: 'note' },
        'No notes. gradus watch --control lets this page keep notes and tags of a run, and delete it.',
      ),
    ]
  }
  const chips = tags.map((tag) => element('span', { class: 'tag' }, tag))
  const written = text && element('p', { class: 'written' }, text)
  return [panel('Notes', [written, chips.length > 0 && element('p', {}, ...chips)])]
}
