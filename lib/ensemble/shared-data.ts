/** Data that several fits train on at once. */
import { Dataset } from '../data/dataset.js'
import { type Data, isStream } from '../data/stream.js'
import { GradusError } from '../errors.js'

/** Examples are copied into native memory once for all; a stream is opened by each fit for itself. */
export class SharedData {
  readonly #made = new Map<unknown, Dataset>()

  /** @throws GRADUS_INVALID_ARGUMENT for what can be gone through once alone */
  of(data: Data, argument: string): Data {
    if (data instanceof Dataset) return data
    if (isStream(data)) return checkedAgain(data, argument)
    const dataset = this.#made.get(data) ?? new Dataset(data, { temporary: true, argument })
    this.#made.set(data, dataset)
    return dataset
  }

  dispose(): void {
    for (const dataset of this.#made.values()) dataset.dispose()
    this.#made.clear()
  }
}

function checkedAgain(stream: Data, argument: string): Data {
  if (!('next' in stream)) return stream
  const expected = 'a function that gives a new iterable for each member and epoch'
  throw new GradusError(
    'GRADUS_INVALID_ARGUMENT',
    `${argument}: expected ${expected}, received an iterator, which is gone through once`,
  )
}
