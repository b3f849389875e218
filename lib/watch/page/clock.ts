/** Where the steps of a run lie on other axes: epochs, and seconds since it began. */
import type { Column } from '../server/packed.js'
import type { RunView, StepsView } from '../server/wire.js'
import type { AxisKind } from './axes.js'
import type { Range } from './chart.js'

/** A line through points that both go up. */
interface Points {
  steps: readonly number[]
  places: readonly number[]
}

export class Clock {
  readonly #points: Points | null

  /** `steps` is asked for the time alone. */
  constructor(kind: AxisKind, { epochs, summary }: RunView, steps: StepsView | null) {
    if (kind === 'step') this.#points = null
    else if (kind === 'epoch') this.#points = ofEpochs(epochs, summary.stepsPerEpoch ?? null)
    else this.#points = ofSteps(steps)
  }

  /** Where steps lie. */
  places = (steps: Column): Column => {
    const points = this.#points
    if (!points) return steps
    return steps.map((step) => step && follow(points.steps, points.places, step))
  }

  /** Of a part of the axis, the steps in it. */
  steps(range: Range | null): Range | null {
    const points = this.#points
    if (!points || !range) return range
    const at = (place: number) => follow(points.places, points.steps, place)
    return { from: Math.max(0, Math.floor(at(range.from))), to: Math.max(1, Math.ceil(at(range.to))) }
  }
}

function ofSteps(steps: StepsView | null): Points {
  const [known, seconds] = [steps?.step ?? [], steps?.seconds ?? []]
  return { steps: [0, ...(known as number[])], places: [0, ...(seconds as number[])] }
}

function ofEpochs(epochs: RunView['epochs'], stepsPerEpoch: number | null): Points {
  if (epochs.length === 0) return { steps: [0, stepsPerEpoch ?? 1], places: [0, 1] }
  return { steps: [0, ...epochs.map(({ step }) => step)], places: [0, ...epochs.map(({ epoch }) => epoch)] }
}

/** Straight between the points, and on beyond them. */
function follow(from: readonly number[], to: readonly number[], at: number): number {
  let [low, high] = [0, from.length - 1]
  if (high < 1) return to[0] ?? 0
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (from[middle]! <= at) low = middle
    else high = middle
  }
  const width = from[high]! - from[low]!
  return width > 0 ? to[low]! + ((at - from[low]!) / width) * (to[high]! - to[low]!) : to[high]!
}
