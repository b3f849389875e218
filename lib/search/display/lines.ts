/** A study without a terminal: one line a finished trial. */
import type { Trial } from '../../study/index.js'
import { durationText, metricText, paramsText } from './numbers.js'
import { epochOf, reasonOf, secondsOf, trialValue } from './result.js'

/** `trial 64 complete · valAccuracy 0.9831 · 5 epochs · 12 s · here.1 · learningRate 0.0021, hidden 412`. */
export function trialLine(trial: Trial, metric: string): string {
  const { number, state, claim, suggestion } = trial
  const [value, epoch, seconds, reason] = [trialValue(trial), epochOf(trial), secondsOf(trial), reasonOf(trial)]
  return [
    `trial ${number} ${state}`,
    ...(value === null ? [] : [`${metric} ${metricText(value)}`]),
    ...(epoch > 0 ? [`${epoch} epoch${epoch === 1 ? '' : 's'}`] : []),
    ...(seconds === null ? [] : [durationText(seconds)]),
    ...(claim ? [claim.record.worker] : []),
    ...(suggestion ? [paramsText(suggestion.params)] : []),
    ...(reason === null || state === 'complete' ? [] : [reason.split('\n', 1)[0]!]),
  ].join(' · ')
}
