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
  const workers = new Map<string, number>()
  const numberOf = (worker: string) => {
    if (!workers.has(worker)) workers.set(worker, workers.size)
    return workers.get(worker)!
  }
  const whole = (read: (trial: Trial) => number) => Uint32Array.from(trials, read)
  const real = (read: (trial: Trial) => number) => Float64Array.from(trials, read)
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
    curveEpochs: Uint32Array.from(curves.flatMap(({ epochs }) => epochs)),
    curveValues: Float64Array.from(curves.flatMap(({ values }) => values)),
    workers: [...workers.keys()],
  }
}
