/** Trials as columns: ten thousand of them are packed, sent and drawn in the time that objects would take to be written. */
import type { StudyParameter, Trial } from '../../../study/index.js'
import { thin } from '../columns.js'
import { type TrialColumns, trialStates } from './study-wire.js'

/** Points of a curve, which is drawn a few hundred pixels wide. */
const mostPoints = 200
const longestName = 60

const stateNumbers = new Map<string, number>(trialStates.map((state, i) => [state, i]))

/** What a trial is judged by: how it ended, or the last that is known. NaN where nothing is. */
export function trialValue({ last, values }: Trial): number {
  const record = last?.record
  const written = record && 'value' in record ? record.value : null
  return written ?? values.at(-1) ?? Number.NaN
}

/** Milliseconds by the clocks of who wrote it: for people. */
export const beganAt = ({ changes }: Trial): number => Date.parse(changes.get(1)?.time ?? '')
export const changedAt = ({ last }: Trial): number => Date.parse(last?.record.time ?? '')

export const workerOf = ({ claim }: Trial): string => (claim?.record.worker ?? '').slice(0, longestName)

/** `origin`: milliseconds from which times count. */
export function columnsOf(
  trials: readonly Trial[],
  parameters: readonly StudyParameter[],
  origin: number,
): Omit<TrialColumns, 'isWhole' | 'generation' | 'version'> {
  const curves = trials.map(({ epochs, values }) => ({
    epochs: thin(epochs, mostPoints),
    values: thin(values, mostPoints),
  }))
  const points = curves.reduce((sum, { epochs }) => sum + epochs.length, 0)
  const workers = new Map<string, number>()
  const numberOf = (worker: string) => {
    if (!workers.has(worker)) workers.set(worker, workers.size)
    return workers.get(worker)!
  }
  const whole = (read: (trial: Trial) => number) => readInto(new Uint32Array(trials.length), trials, read)
  const real = (read: (trial: Trial) => number) => readInto(new Float32Array(trials.length), trials, read)
  return {
    number: whole(({ number }) => number),
    state: whole(({ state }) => stateNumbers.get(state)!),
    stage: whole(({ suggestion }) => Math.min(suggestion?.stage ?? 1, 1e6)),
    epoch: whole(({ epochs, last }) => epochs.at(-1) ?? (last && 'epoch' in last.record ? last.record.epoch : 0)),
    value: real(trialValue),
    begin: real((trial) => (beganAt(trial) - origin) / 1000),
    end: real((trial) => (changedAt(trial) - origin) / 1000),
    worker: whole((trial) => numberOf(workerOf(trial))),
    params: parameters.map((parameter) =>
      real(({ suggestion }) => (suggestion ? parameter.read(suggestion.params) : Number.NaN)),
    ),
    curveLength: Uint32Array.from(curves, ({ epochs }) => epochs.length),
    curveEpochs: joinedTo(new Uint32Array(points), (i) => curves[i]!.epochs),
    curveValues: joinedTo(new Float32Array(points), (i) => curves[i]!.values),
    workers: [...workers.keys()],
  }
}

/** As `from` of such an array would, in a fraction of the time. */
function readInto<Column extends Uint32Array | Float32Array>(
  column: Column,
  trials: readonly Trial[],
  read: (trial: Trial) => number,
): Column {
  for (let i = 0; i < trials.length; i++) column[i] = read(trials[i]!)
  return column
}

/** Fills it with one list after the other: a list of all of them would be made of objects. */
function joinedTo<Column extends Uint32Array | Float32Array>(
  column: Column,
  listOf: (i: number) => readonly number[],
): Column {
  for (let i = 0, at = 0; at < column.length; i++) {
    const list = listOf(i)
    for (let j = 0; j < list.length; j++) column[at++] = list[j]!
  }
  return column
}
