/** When the average of the weights follows them in a run, and how far. */
import type { NativeProgram } from '../native.js'
import type { WeightAverage } from '../optimizers/averages.js'
import type { TrainTarget } from './target.js'
import { inTurn } from './turn.js'

export class Averaging {
  readonly #program: NativeProgram
  readonly #average: WeightAverage | undefined
  /** The last epoch at whose end it has followed them; 0 before. */
  #epoch = 0

  constructor({ program, optimizer }: TrainTarget) {
    this.#program = program
    this.#average = optimizer.average
  }

  /** Of the next `count` accepted updates; undefined where they leave the average as it is. `steps`: the run's so far. */
  next(steps: number, count: number): Float64Array | undefined {
    const average = this.#average
    if (average === undefined || average.counts === 'epochs') return undefined
    const before = average.counts === 'steps' ? steps : this.#program.step
    return Float64Array.from({ length: count }, (_, i) => average.keep(before + 1 + i))
  }

  /** After the updates of an epoch; once for each, also where a run goes on from there. */
  async endEpoch(epoch: number, threads: number): Promise<void> {
    if (this.#average?.counts !== 'epochs' || epoch <= this.#epoch) return
    const keep = this.#average.keep(epoch)
    if (keep < 1) await inTurn(this.#program, () => this.#program.moveAverage({ keep, threads }))
    this.#epoch = epoch
  }

  /** Whether any weights of training have come into the average. */
  hasBegun(epochs: number, steps: number): boolean {
    if (this.#average === undefined) return false
    return { updates: this.#program.step, steps, epochs }[this.#average.counts] >= this.#average.first
  }

  get epoch(): number {
    return this.#epoch
  }

  restore(epoch: number): void {
    this.#epoch = epoch
  }
}
