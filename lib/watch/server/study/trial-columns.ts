/** Trials as columns: ten thousand of them are packed, sent and drawn in the time that objects would take to be written. */
import { type FlatSpace, putNumbers, type Trial } from '../../../study/index.js'
import { thin } from '../columns.js'
import { type TrialColumns, trialStates } from './study-wire.js'

/** Points of a curve, which is drawn a few hundred pixels wide. */
const mostPoints = 200
/** Of a worker. */
export const longestName = 60

const stateNumbers = new Map<string, number>(trialStates.map((state, i) => [state, i]))

/** `origin`: milliseconds from which times count. */
export function columnsOf(
  trials: readonly Trial[],
  space: FlatSpace,
  origin: number,
): Omit<TrialColumns, 'isWhole' | 'generation' | 'version'> {
  const whole = () => new Uint32Array(trials.length)
  const real = () => new Float32Array(trials.length)
  const columns = {
    ...{ number: whole(), state: whole(), stage: whole(), epoch: whole(), worker: whole(), curveLength: whole() },
    ...{ value: real(), begin: real(), end: real(), params: space.parameters.map(real) },
  }
  const workers = new Map<string, number>()
  const points = new Points()
  const params = new Float64Array(space.parameters.length)
  // One pass over all of them, without a function a column: what runs for the first time runs slowly.
  for (let i = 0; i < trials.length; i++) {
    const trial = trials[i]!
    columns.number[i] = trial.number
    columns.state[i] = stateNumbers.get(trial.state)!
    columns.stage[i] = Math.min(trial.stage || 1, 1e6)
    columns.epoch[i] = trial.epoch
    columns.value[i] = trial.value
    columns.begin[i] = (trial.begunAt - origin) / 1000
    columns.end[i] = (trial.changedAt - origin) / 1000
    const worker = trial.worker.slice(0, longestName)
    if (!workers.has(worker)) workers.set(worker, workers.size)
    columns.worker[i] = workers.get(worker)!
    putNumbers(trial, space, params)
    for (let k = 0; k < params.length; k++) columns.params[k]![i] = params[k]!
    columns.curveLength[i] = points.add(thin(trial.epochs, mostPoints), thin(trial.values, mostPoints))
  }
  return { ...columns, curveEpochs: points.epochs, curveValues: points.values, workers: [...workers.keys()] }
}

/** Points of one curve after the other: lists of all of them at once would be more than the collector likes. */
class Points {
  #count = 0
  #epochs = new Uint32Array(1 << 12)
  #values = new Float32Array(1 << 12)

  /** How many these are. */
  add(epochs: readonly number[], values: readonly number[]): number {
    while (this.#count + epochs.length > this.#epochs.length) {
      this.#epochs = longer(this.#epochs, new Uint32Array(2 * this.#epochs.length))
      this.#values = longer(this.#values, new Float32Array(2 * this.#values.length))
    }
    for (let i = 0; i < epochs.length; i++) {
      this.#epochs[this.#count] = epochs[i]!
      this.#values[this.#count++] = values[i]!
    }
    return epochs.length
  }

  get epochs(): Uint32Array {
    return this.#epochs.subarray(0, this.#count)
  }

  get values(): Float32Array {
    return this.#values.subarray(0, this.#count)
  }
}

function longer<Column extends Uint32Array | Float32Array>(column: Column, empty: Column): Column {
  empty.set(column)
  return empty
}
