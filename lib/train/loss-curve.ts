/** The loss of a run of any length in a fixed number of points. */
import { dotsAcross, plotLine } from '../plot.js'

const size = { width: 60, height: 5 }
const capacity = dotsAcross(size.width)
/** How much of the running mean is kept with each step. */
const kept = 0.9

/** The smoothed loss so far: points of so many steps each, twice as many whenever there is no room for more. */
export class LossCurve {
  #means: number[] = []
  #stepsPerPoint = 1
  #steps = 0
  #smoothed = 0
  #sum = 0

  add(loss: number): void {
    this.#smoothed = kept * this.#smoothed + (1 - kept) * loss
    this.#sum += this.#smoothed / (1 - kept ** ++this.#steps)
    if (this.#steps % this.#stepsPerPoint !== 0) return
    this.#means.push(this.#sum / this.#stepsPerPoint)
    this.#sum = 0
    if (this.#means.length < capacity) return
    this.#means = Array.from({ length: capacity / 2 }, (_, i) => (this.#means[2 * i]! + this.#means[2 * i + 1]!) / 2)
    this.#stepsPerPoint *= 2
  }

  /** None while there is nothing to draw. */
  lines(): string[] {
    const means = this.#means
    if (means.length < 2) return []
    const at = (x: number) => {
      const place = x * (means.length - 1)
      const before = Math.min(Math.floor(place), means.length - 2)
      return means[before]! + (place - before) * (means[before + 1]! - means[before]!)
    }
    return plotLine({ at, ends: ['loss', `${this.#steps} steps`] }, size).split('\n')
  }
}
