import type { Latest } from '../../recording/index.js'
import { confusionTable, type NameOf } from '../confusion.js'
import { element, empty, panel } from '../dom.js'
import { percent, short, whole } from '../format.js'
import { pictures } from '../pixels.js'
import type { Context, View } from '../view.js'

/** What the model says after the last epoch: confusion, mistakes, and what its first layer looks for. */
export class PredictionsView implements View {
  readonly element = element('div', { class: 'stack' })
  #shown = ''

  async update({ source, focus }: Context): Promise<void> {
    const [latest, { info }] = await Promise.all([source.latest(focus.name), source.run(focus.name)])
    const nameOf = (label: number) => info.classNames?.[label] ?? String(label)
    // Drawn anew only when something is new, so that nobody's reading is disturbed.
    const key = JSON.stringify([focus.name, latest?.epoch, latest?.step])
    if (key === this.#shown) return
    this.#shown = key
    const panels = latest ? [confusion(latest, nameOf), misclassified(latest, nameOf), firstLayer(latest)] : []
    const found = panels.filter((one) => one !== null)
    const missing = empty(
      'Nothing yet. After each epoch monitor() keeps the confusion matrix and the worst mistakes of a classifier, and the weights of a first layer that sees images.',
    )
    this.element.replaceChildren(...(found.length > 0 ? found : [missing]))
  }
}

function confusion({ confusion: counts, epoch }: Latest, nameOf: NameOf): HTMLElement | null {
  if (!counts || counts.length === 0) return null
  const right = counts.reduce((sum, row, i) => sum + (row[i] ?? 0), 0)
  const all = counts.flat().reduce((sum, count) => sum + count, 0)
  const note = `After epoch ${epoch}: ${whole(right)} of ${whole(all)} right, ${percent(right / (all || 1))}. Rows: the right class; columns: what the model said.`
  return panel('Confusion matrix', [confusionTable(counts, nameOf)], [], note)
}

function misclassified({ misclassified: mistakes, image }: Latest, nameOf: NameOf): HTMLElement | null {
  if (!mistakes || mistakes.length === 0) return null
  const cards = mistakes.map(({ row, predicted, actual, confidence, image: bytes }) => {
    const [picture] = image && bytes ? pictures(bytes, image) : []
    return element(
      'figure',
      { class: 'mistake' },
      picture && named(picture, `Example ${row}`),
      element(
        'figcaption',
        {},
        element('strong', {}, `${nameOf(actual)} read as ${nameOf(predicted)}`),
        element('span', {}, `${percent(confidence)} sure`),
        element('span', {}, `row ${whole(row)}`),
      ),
    )
  })
  const note = 'Those of which the model was most certain.'
  return panel('Misclassified', [element('div', { class: 'mistakes' }, ...cards)], [], note)
}

function firstLayer({ firstLayer: layer }: Latest): HTMLElement | null {
  if (!layer) return null
  const images = pictures(layer.pixels, layer, layer.units).map((picture, i) => named(picture, `Unit ${i}`))
  if (images.length === 0) return null
  const note = `Into the first ${layer.units} units of ${layer.layer}; black is ${short(layer.least)}, white ${short(layer.most)}.`
  return panel('First-layer weights', [element('div', { class: 'filters' }, ...images)], [], note)
}

function named(picture: HTMLCanvasElement, label: string): HTMLCanvasElement {
  picture.setAttribute('role', 'img')
  picture.ariaLabel = label
  picture.title = label
  return picture
}
