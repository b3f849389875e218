import type { LatestView, RunView } from '../../server/wire.js'
import { confusionTable, type NameOf } from '../confusion.js'
import { element, empty, panel } from '../dom.js'
import { percent, short, whole } from '../format.js'
import { pictures } from '../pixels.js'
import type { Context, View } from '../view.js'

/** What the model says after the last epoch: confusion, mistakes, and what its first layer looks for. */
export class PredictionsView implements View {
  readonly element = element('div', { class: 'stack' })
  #shown = ''

  async update({ source, shown }: Context): Promise<void> {
    // Beside the run in focus, the first of those compared with it.
    const loaded = await Promise.all(
      shown.slice(0, 2).map(async ({ name, title }) => {
        const [latest, { info }] = await Promise.all([source.latest(name), source.run(name)])
        return { name, title, latest, nameOf: namesOf(info) }
      }),
    )
    // Drawn anew only when something is new, so that nobody's reading is disturbed.
    const key = JSON.stringify(loaded.map(({ name, latest }) => [name, latest?.epoch, latest?.step, latest?.rows]))
    if (key === this.#shown) return
    this.#shown = key
    const matrices = loaded.flatMap(({ latest, title, nameOf }) => {
      const made = latest && confusion(latest, nameOf, loaded.length > 1 ? title : '')
      return made ? [made] : []
    })
    const { latest, nameOf } = loaded[0]!
    const sides = matrices.length > 1 ? [element('div', { class: 'grid pairs' }, ...matrices)] : matrices
    const found = [
      ...sides,
      ...(latest ? [misclassified(latest, nameOf), firstLayer(latest), featureMaps(latest)] : []),
    ].filter((one) => one !== null)
    const missing = empty(
      'Nothing yet. After each epoch monitor() keeps the confusion matrix and the worst mistakes of a classifier, and the weights of a first layer that sees images.',
    )
    this.element.replaceChildren(...(found.length > 0 ? found : [missing]))
  }
}

const namesOf =
  ({ classNames }: RunView['info']): NameOf =>
  (label) =>
    classNames?.[label] ?? String(label)

const rowsCounted: Record<LatestView['rows'], string> = {
  some: 'a sample of the rows',
  training: 'all training rows, while training went on',
  validation: 'all validation rows',
}

function confusion({ confusion: counts, epoch, rows }: LatestView, nameOf: NameOf, run: string): HTMLElement | null {
  if (!counts || counts.length === 0) return null
  const right = counts.reduce((sum, row, i) => sum + (row[i] ?? 0), 0)
  const all = counts.flat().reduce((sum, count) => sum + count, 0)
  const note = `Epoch ${epoch}, ${rowsCounted[rows]}: ${whole(right)} of ${whole(all)} right, accuracy ${percent(right / (all || 1))}. Rows: true class; columns: predicted class.`
  return panel(run ? `Confusion matrix: ${run}` : 'Confusion matrix', [confusionTable(counts, nameOf)], [], note)
}

function misclassified({ misclassified: mistakes, image }: LatestView, nameOf: NameOf): HTMLElement | null {
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
        element('strong', {}, `true ${nameOf(actual)}, predicted ${nameOf(predicted)}`),
        element('span', {}, `p ${confidence.toFixed(2)}`),
        element('span', {}, `row ${whole(row)}`),
      ),
    )
  })
  const note = 'The most confident mistakes; p is the predicted probability.'
  return panel('Misclassified', [element('div', { class: 'mistakes' }, ...cards)], [], note)
}

function firstLayer({ firstLayer: layer }: LatestView): HTMLElement | null {
  if (!layer) return null
  const [title, units] = layer.isConvolution ? ['First-layer filters', 'filter'] : ['First-layer weights', 'unit']
  const images = pictures(layer.pixels, layer, layer.units).map((picture, i) => named(picture, `${units} ${i}`))
  if (images.length === 0) return null
  const note = `Of the first ${layer.units} ${units}s of ${layer.layer}; ${rangeOf(layer)}.`
  return panel(title!, [element('div', { class: 'filters' }, ...images)], [], note)
}

const rangeOf = ({ least, most, channels }: { least: number; most: number; channels: number }): string =>
  channels === 1
    ? `black is ${short(least)}, white ${short(most)}`
    : `red, green and blue as they see them, from ${short(least)} to ${short(most)}`

function featureMaps({ featureMaps: found, image, epoch }: LatestView): HTMLElement | null {
  if (!found || found.layers.length === 0) return null
  const [example] = image && found.image ? pictures(found.image, image) : []
  const layers = found.layers.map((layer) => {
    const maps = pictures(layer.pixels, layer, layer.maps).map((map, i) => named(map, `${layer.layer}, map ${i}`))
    const count = layer.maps < layer.of ? `the first ${layer.maps} of ${layer.of} maps` : `${layer.maps} maps`
    const caption = element('figcaption', {}, `${layer.layer}: ${count}, ${rangeOf(layer)}`)
    return element('figure', { class: 'maps' }, caption, element('div', { class: 'filters' }, ...maps))
  })
  const seen = example && element('div', { class: 'example' }, named(example, `Example ${found.row}`))
  const note = `What the first convolutions answer to row ${whole(found.row)}, after epoch ${epoch}.`
  return panel('Feature maps', [...(seen ? [seen] : []), ...layers], [], note)
}

function named(picture: HTMLCanvasElement, label: string): HTMLCanvasElement {
  picture.setAttribute('role', 'img')
  picture.ariaLabel = label
  picture.title = label
  return picture
}
