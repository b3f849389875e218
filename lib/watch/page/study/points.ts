/** Pictures of trials as points: each parameter against the value, and the best value so far. */
import type { ParameterView, StudyView } from '../../server/study/study-wire.js'
import { select } from '../dom.js'
import { duration, short, whole } from '../format.js'
import { channels, colour, seriesColour } from '../palette.js'
import { CanvasPanel, drawAxes, type Hit, margin, nearest } from './canvas-panel.js'
import { countScale, parameterScale, type Scale, valueScale } from './scale.js'
import { drawSquares } from './squares.js'
import { hasValue, type Numbers, type State, type Trials } from './trials.js'

/** Of a point, in CSS pixels: where there are few they can be larger. */
const sizeOf = (count: number): number => (count < 300 ? 5 : 3)

/** What all pictures of a study are made of. */
export interface Shown {
  readonly view: StudyView
  readonly trials: Trials
  /** Rows of complete trials, best first. */
  readonly ranked: readonly number[]
  readonly values: Scale
  readonly isMaximized: boolean
  /** How high each row lies, 0 … 1: those that came to no value at the worse end; NaN of those that have none yet. */
  readonly heights: Float64Array
  /** Rows by how their points look. */
  readonly groups: readonly PointGroup[]
}

interface PointGroup {
  /** Null of those that came to no value. */
  readonly stage: number | null
  readonly isComplete: boolean
  readonly rows: readonly number[]
}

export function shownOf(view: StudyView, trials: Trials, ranked: readonly number[]): Shown {
  const isMaximized = view.direction === 'maximize'
  const values = valueScale(trials.value.filter((value, row) => hasValue(trials.state[row]!, value)))
  const heights = Float64Array.from(trials.value, (value, row) => {
    const state = trials.state[row]!
    return hasValue(state, value) ? values.place(value) : isLost(state) ? Number(!isMaximized) : Number.NaN
  })
  return { view, trials, ranked, isMaximized, values, heights, groups: groupsOf(trials) }
}

const isLost = (state: State): boolean => state === 'exploded' || state === 'failed'

function groupsOf({ state, stage }: Trials): PointGroup[] {
  const groups = new Map<number, PointGroup & { rows: number[] }>()
  for (let row = 0; row < state.length; row++) {
    const own = isLost(state[row]!) ? null : stage[row]!
    const isComplete = state[row] === 'complete'
    const key = own === null ? -1 : 2 * own + Number(isComplete)
    const group = groups.get(key)
    if (group) group.rows.push(row)
    else groups.set(key, { stage: own, isComplete, rows: [row] })
  }
  return [...groups.values()]
}

export const stageColour = (stage: number): string => seriesColour(Math.max(0, stage - 1))

/** `trial 64: 0.9831, stage 2`. */
export function textOf({ trials, view }: Shown, row: number): string {
  const state = trials.state[row]!
  const value = hasValue(state, trials.value[row]!) ? short(trials.value[row]) : state
  return `trial ${trials.number[row]}: ${value}${view.stage ? `, stage ${trials.stage[row]}` : ''}`
}

/** Each row a small square in the colour of its stage; those that came to no value lie at the worse end, in red. */
class PointPanel {
  readonly panel: CanvasPanel
  #shown: Shown | null = null
  #xs = new Float32Array(0)
  #ys = new Float32Array(0)

  constructor(
    options: { title: string; height: number; controls?: HTMLElement[]; note?: string },
    private readonly across: { scale(shown: Shown): Scale; values(shown: Shown): Numbers; name: string },
    open: (trial: number) => void,
    private readonly isBest = false,
  ) {
    this.panel = new CanvasPanel({
      ...options,
      open,
      draw: (context, width, height) => this.#draw(context, width, height),
      hit: (x, y) => this.#hit(x, y),
    })
  }

  update(shown: Shown, said = ''): void {
    this.#shown = shown
    this.panel.say(said, `${this.across.name} against ${shown.view.metric} of ${whole(shown.trials.count)} trials`)
    this.panel.draw()
  }

  #draw(context: CanvasRenderingContext2D, width: number, height: number): void {
    const shown = this.#shown
    if (!shown) return
    const { trials, values, heights } = shown
    const scale = this.across.scale(shown)
    const [wide, high] = [width - margin.left - margin.right, height - margin.top - margin.bottom]
    drawAxes(context, { width, height, across: scale.ticks(wide / 70), up: values.ticks(high / 26) })
    const column = this.across.values(shown)
    const { count } = trials
    this.#xs = new Float32Array(count)
    this.#ys = new Float32Array(count)
    for (let row = 0; row < count; row++) {
      this.#xs[row] = margin.left + scale.place(column[row]!) * wide
      this.#ys[row] = margin.top + (1 - heights[row]!) * high
    }
    this.#drawPoints(context, shown, width, height)
    if (this.isBest) this.#drawBest(context, shown, width, height)
  }

  #drawPoints(context: CanvasRenderingContext2D, { trials, groups }: Shown, width: number, height: number): void {
    const size = sizeOf(trials.count)
    for (const { stage, isComplete, rows } of groups) {
      const opacity = this.isBest ? 0.35 : stage === null || isComplete ? 0.75 : 0.4
      const look = { size, opacity, colour: channels(stage === null ? colour('severe') : stageColour(stage)) }
      drawSquares(context, width, height, { rows, xs: this.#xs, ys: this.#ys, ...look })
    }
  }

  /** The best of all complete trials so far, in the order in which they ended or were begun. */
  #drawBest(
    context: CanvasRenderingContext2D,
    { trials, isMaximized, values }: Shown,
    width: number,
    height: number,
  ): void {
    const column = this.#xs
    const isThere = (row: number) => trials.state[row] === 'complete' && !Number.isNaN(column[row])
    // As a rule they lie in this order already.
    const rows = [...trials.number.keys()].filter(isThere).sort((a, b) => column[a]! - column[b]!)
    const y = (value: number) => margin.top + (1 - values.place(value)) * (height - margin.top - margin.bottom)
    let best = Number.NaN
    context.beginPath()
    for (const row of rows) {
      const value = trials.value[row]!
      if (isMaximized ? value <= best : value >= best) continue
      if (Number.isNaN(best)) context.moveTo(column[row]!, y(value))
      else {
        context.lineTo(column[row]!, y(best))
        context.lineTo(column[row]!, y(value))
      }
      best = value
    }
    context.lineTo(width - margin.right, y(best))
    context.strokeStyle = colour('accent')
    context.lineWidth = 2
    if (rows.length > 0) context.stroke()
  }

  #hit(x: number, y: number): Hit | null {
    const row = nearest(this.#xs, this.#ys, x, y)
    if (row < 0 || !this.#shown) return null
    const own = this.isBest
      ? ''
      : `, ${this.across.name} ${this.across.scale(this.#shown).text(this.across.values(this.#shown)[row]!)}`
    return { text: textOf(this.#shown, row) + own, trial: this.#shown.trials.number[row]! }
  }
}

/** The best value so far, over trials or time. */
export class BestPicture {
  readonly element: HTMLElement
  readonly #panel: PointPanel
  #over = 'trials'
  #shown: Shown | null = null

  constructor(open: (trial: number) => void) {
    const choice = select('over', (over) => {
      this.#over = over
      if (this.#shown) this.update(this.#shown)
    })
    choice.offer(['trials', 'time'])
    const values = ({ trials }: Shown) => (this.#over === 'time' ? trials.end : trials.number)
    const scale = (shown: Shown) => {
      let most = 0
      for (const value of values(shown)) if (value > most) most = value
      const counted = countScale(most)
      if (this.#over === 'trials') return counted
      return { ...counted, ticks: (room: number) => timeTicks(most, room), text: duration }
    }
    const options = { title: 'Best so far', height: 240, controls: [choice.element] }
    this.#panel = new PointPanel(options, { name: 'trial', values, scale }, open, true)
    this.element = this.#panel.panel.element
  }

  update(shown: Shown): void {
    this.#shown = shown
    const [best] = shown.ranked
    this.#panel.update(shown, best === undefined ? 'No trial is complete yet.' : `best: ${textOf(shown, best)}`)
  }
}

const units = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400]

function timeTicks(most: number, room: number): { at: number; text: string }[] {
  const apart = units.find((unit) => most / unit <= room) ?? 86_400 * Math.ceil(most / 86_400 / room)
  const count = Math.floor(most / apart)
  return Array.from({ length: count + 1 }, (_, i) => ({
    at: (i * apart) / Math.max(most, 1e-3),
    text: i === 0 ? '0' : duration(i * apart),
  }))
}

/** A panel a parameter. */
export class Scatters {
  readonly #grid: HTMLElement
  readonly #open: (trial: number) => void
  #panels: PointPanel[] = []
  #key = ''

  constructor(grid: HTMLElement, open: (trial: number) => void) {
    this.#grid = grid
    this.#open = open
  }

  update(shown: Shown): void {
    const { parameters } = shown.view
    const key = JSON.stringify(parameters)
    if (key !== this.#key) {
      this.#key = key
      this.#panels = parameters.map((parameter, i) => this.#make(parameter, i))
      this.#grid.replaceChildren(...this.#panels.map(({ panel }) => panel.element))
    }
    for (const panel of this.#panels) panel.update(shown)
  }

  #make(parameter: ParameterView, i: number): PointPanel {
    const values = ({ trials }: Shown) => trials.params[i] ?? []
    const scale = (shown: Shown) => parameterScale(parameter, values(shown))
    return new PointPanel({ title: parameter.path, height: 170 }, { name: parameter.path, values, scale }, this.#open)
  }
}
