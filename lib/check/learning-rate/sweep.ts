/** Training whose learning rate rises from update to update. */
import type { ModelCopy } from '../../model/copy.js'
import type { NativeDataset } from '../../native.js'
import { Pace } from '../../train/pace.js'
import { callInTurn } from '../../train/turn.js'
import type { FindLearningRateSettings } from './options.js'

export interface Sweep {
  /** One an update. */
  readonly rates: number[]
  /** Data loss of each update's batch, before the update; all finite. */
  readonly losses: number[]
  /** Whether the loss exploded before the last rate. */
  readonly exploded: boolean
}

const few = 5

/** The training ends with the first loss that is not finite, or far over the first. */
export async function sweep(
  copy: ModelCopy,
  dataset: NativeDataset,
  settings: FindLearningRateSettings,
): Promise<Sweep> {
  const { steps, batchSize, threads, signal } = settings
  const perEpoch = Math.ceil(dataset.size / batchSize)
  const watch = new Watch(settings.explosion)
  const losses: number[] = []
  const pace = new Pace()
  while (losses.length < steps && !watch.exploded) {
    const done = losses.length
    const batches = Math.min(pace.next(), steps - done, perEpoch - (done % perEpoch))
    const started = performance.now()
    const result = await callInTurn(copy.program, signal, () =>
      copy.program.train({
        ...{ dataset, batchSize, batches, threads },
        epoch: Math.floor(done / perEpoch),
        firstRow: (done % perEpoch) * batchSize,
        shuffle: true,
        learningRates: Float64Array.from({ length: batches }, (_, i) => rateOf(done + i, settings)),
        maxRefused: 1,
      }),
    )
    signal?.throwIfAborted()
    pace.add(result!.updates, performance.now() - started)
    // How many updates went into a native call must not show: what came after an explosion is left out.
    for (const loss of result!.loss) {
      if (Number.isFinite(loss)) losses.push(loss)
      if (watch.sees(loss)) break
    }
  }
  return { rates: losses.map((_, step) => rateOf(step, settings)), losses, exploded: watch.exploded }
}

/** from · (to / from)^(step / (steps − 1)) */
const rateOf = (step: number, { from, to, steps }: FindLearningRateSettings) =>
  from * (to / from) ** (step / (steps - 1))

/** Looks out for the explosion: a typical loss of the last ones far over the first ones. */
class Watch {
  exploded = false
  readonly #factor: number
  readonly #first: number[] = []
  #last: number[] = []

  constructor(factor: number) {
    this.#factor = factor
  }

  sees(loss: number): boolean {
    if (this.#first.length < few) this.#first.push(loss)
    this.#last = [...this.#last, loss].slice(-few)
    // Losses near 0 leap without reason; those after the first may have exploded already.
    const level = Math.min(Math.max(...this.#first), this.#factor * this.#first[0]!)
    const typical = this.#last.toSorted((a, b) => a - b)[this.#last.length >> 1]!
    this.exploded = !Number.isFinite(loss) || typical > this.#factor * level
    return this.exploded
  }
}
