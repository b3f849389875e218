/** What a person asks of a trial, whether a worker holds it or nobody does. */
import { GradusError } from '../errors.js'
import { requestStop, type StopRequest } from './stop.js'
import { endTrial, retryTrial } from './take-trial.js'
import { hasEnded, readTrial, type Trial } from './trial.js'

/**
 * Has a trial end: one that waits ends at once; of one that runs the worker is asked: on the same machine
 * it hears of it at once, elsewhere within half a second.
 *
 * @throws `GRADUS_INVALID_ARGUMENT` when it has ended
 */
export async function stopTrial(seen: Trial, request: StopRequest): Promise<'stopped' | 'asked'> {
  for (let trial = seen; ; trial = readTrial(trial.number, trial.path)) {
    if (hasEnded(trial)) throw misfit(trial, 'only one that has not ended can be stopped')
    if (trial.state !== 'paused') {
      await requestStop(trial.path, request)
      return 'asked'
    }
    // Where a worker was first, it is that worker's now.
    if (await endTrial(trial, { state: 'stopped', reason: `${request.by}: ${request.why}` })) return 'stopped'
  }
}

/** Has a trial that has ended wait for a worker again. @throws `GRADUS_INVALID_ARGUMENT` when it has not ended */
export async function retryEnded(seen: Trial): Promise<void> {
  for (let trial = seen; ; trial = readTrial(trial.number, trial.path)) {
    if (!hasEnded(trial)) throw misfit(trial, 'only one that has ended can be tried again')
    if (await retryTrial(trial)) return
  }
}

function misfit({ number, state }: Trial, rule: string): GradusError {
  const message = `trial ${number} is ${state}: ${rule}`
  return new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'number', expected: rule })
}
