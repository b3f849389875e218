/** Learning curves of all trials, thinned, with the best ten on top. */
import { whole } from '../format.js'
import { CanvasPanel, drawAxes, type Hit, margin, nearest } from './canvas-panel.js'
import { type Shown, stageColour, textOf } from './points.js'
import { countScale, type Scale, valueScale } from './scale.js'
import { mostBest, sample, type TrialCurve } from './trials.js'

/** More of them only make the picture grey. */
const mostCurves = 400

export class Curves {
  readonly panel: CanvasPanel
  #shown: Shown | null = null
  #drawn: readonly number[] = []
  #scales: { across: Scale; up: Scale } = { across: countScale(1), up: valueScale([]) }

  constructor(open: (trial: number) => void) {
    this.panel = new CanvasPanel({
      ...{ title: 'Learning curves', height: 240, open },
      draw: (context, width, height) => this.#draw(context, width, height),
      hit: (x, y) => this.#hit(x, y),
    })
  }

  update(shown: Shown): void {
    this.#shown = shown
    const { trials, ranked } = shown
    const all = [...trials.number.keys()].filter((row) => trials.hasCurve(row))
    const best = ranked
      .slice(0, mostBest)
      .filter((row) => trials.hasCurve(row))
      .reverse()
    const thinned = sample(all, mostCurves)
    this.#drawn = [...thinned.filter((row) => !best.includes(row)), ...best]
    this.#scales = scalesOf(this.#drawn.map((row) => trials.curve(row)))
    const some = thinned.length < all.length ? `${whole(thinned.length)} of ${whole(all.length)} curves, ` : ''
    const onTop = best.length > 0 ? `the best ${whole(best.length)} on top` : `${whole(all.length)} curves`
    const said = all.length === 0 ? 'Nothing has been reported yet.' : `${some}${onTop}`
    this.panel.say(said, `${shown.view.metric} after each epoch, of ${whole(all.length)} trials`)
    this.panel.draw()
  }

  #draw(context: CanvasRenderingContext2D, width: number, height: number): void {
    if (!this.#shown) return
    const { trials, ranked } = this.#shown
    const { across, up } = this.#scales
    const [wide, high] = [width - margin.left - margin.right, height - margin.top - margin.bottom]
    drawAxes(context, { width, height, across: across.ticks(wide / 70), up: up.ticks(high / 26) })
    const best = new Set(ranked.slice(0, mostBest))
    const isMany = this.#drawn.length > 3 * mostBest
    for (const row of this.#drawn) {
      const isBest = best.has(row)
      context.strokeStyle = stageColour(trials.stage[row]!)
      context.globalAlpha = isBest ? 1 : isMany ? 0.18 : 0.5
      context.lineWidth = isBest ? 1.75 : 1
      drawCurve(context, trials.curve(row), (epoch, value) => [
        margin.left + across.place(epoch) * wide,
        margin.top + (1 - up.place(value)) * high,
      ])
    }
    context.globalAlpha = 1
  }

  #hit(x: number, y: number): Hit | null {
    if (!this.#shown || this.#drawn.length === 0) return null
    const { trials } = this.#shown
    const { across, up } = this.#scales
    const { clientWidth: width, clientHeight: height } = this.panel.canvas
    const [wide, high] = [width - margin.left - margin.right, height - margin.top - margin.bottom]
    const xs: number[] = []
    const ys: number[] = []
    const rows: number[] = []
    // Later ones lie on top, so that they are found first.
    for (const row of this.#drawn.toReversed()) {
      const { epochs, values } = trials.curve(row)
      for (const [i, epoch] of epochs.entries()) {
        xs.push(margin.left + across.place(epoch) * wide)
        ys.push(margin.top + (1 - up.place(values[i]!)) * high)
        rows.push(row)
      }
    }
    const row = rows[nearest(xs, ys, x, y)]
    return row === undefined ? null : { text: textOf(this.#shown, row), trial: trials.number[row]! }
  }
}

function scalesOf(curves: readonly TrialCurve[]): { across: Scale; up: Scale } {
  const most = curves.reduce((most, { epochs }) => Math.max(most, epochs.at(-1)!), 1)
  return { across: countScale(most), up: valueScale(curves.flatMap(({ values }) => [...values])) }
}

type Place = (epoch: number, value: number) => [number, number]

/** Broken where nothing finite was reported; a single report is a dash. */
function drawCurve(context: CanvasRenderingContext2D, { epochs, values }: TrialCurve, place: Place): void {
  context.beginPath()
  let isBroken = true
  for (const [i, epoch] of epochs.entries()) {
    const [x, y] = place(epoch, values[i]!)
    if (Number.isNaN(y)) isBroken = true
    else if (isBroken) {
      context.moveTo(x - (epochs.length === 1 ? 4 : 0), y)
      context.lineTo(x, y)
      isBroken = false
    } else context.lineTo(x, y)
  }
  context.stroke()
}
