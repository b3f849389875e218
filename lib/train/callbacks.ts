/** What `fit` is given as callbacks: objects with events, or functions that are told of epochs. */
import { checkFunction, checkOptional, checkText } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { nearest } from '../suggest.js'
import type { Callback } from './callback.js'

/** Whether it makes checkpoints. */
export const isKeeping = (callback: object): boolean => 'keeper' in callback

type GivenCallback = Callback | NonNullable<Callback['onEpochEnd']>

export function resolveCallbacks(callbacks: readonly GivenCallback[]): Callback[] {
  const resolved = callbacks.map((callback, i) => {
    if (typeof callback === 'function') return { onEpochEnd: checkListener(`callbacks[${i}]`, callback) }
    if (typeof callback !== 'object' || callback === null) {
      throw invalidArgument(`callbacks[${i}]`, 'an object or a function', callback)
    }
    checkEvents(`callbacks[${i}]`, callback)
    return callback
  })
  checkKeepers(resolved)
  return resolved
}

/** Each would remove what another one has kept. */
function checkKeepers(callbacks: readonly Callback[]): void {
  const keepers = callbacks.filter(isKeeping).length
  if (keepers > 1) throw invalidArgument('callbacks', 'one checkpoint() at most', `${keepers} of them`)
}

/** A function is told of epochs; not so one that only makes what is told, or a schedule. */
function checkListener<Listener extends { name: string }>(place: string, listener: Listener): Listener {
  if ('plot' in listener || 'observe' in listener) {
    const message = `${place}: expected a callback, received a schedule; give it to fit as schedule: { schedule: … }`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  if (!makers.includes(listener.name)) return listener
  const message = `${place}: received the function ${listener.name}; did you mean ${listener.name}()?`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

const makers = ['checkpoint', 'earlyStopping', 'monitor', 'tensorboard']

const events = ['onTrainBegin', 'onEpochBegin', 'onStepsEnd', 'onCheckpoint', 'onEpochEnd', 'onTrainEnd'] as const
/** What is called like neither an event nor an option, and is a function too. */
const memory = ['state', 'restore'] as const

/** What others call the events there are. */
const foreignEvents: Readonly<Record<string, string>> = {
  onBatchBegin: 'onStepsEnd tells of steps, when some are done',
  onBatchEnd: 'onStepsEnd tells of steps',
  onStepEnd: 'onStepsEnd tells of steps',
  onTrainBatchEnd: 'onStepsEnd tells of steps',
  onYield: 'onStepsEnd tells of steps',
  onValidationEnd: 'onEpochEnd comes after validation',
  onTestEnd: 'onEpochEnd comes after validation',
  onTrainStart: 'onTrainBegin tells of the begin',
  onEpochStart: 'onEpochBegin tells of the begin',
  onTrainEpochEnd: 'onEpochEnd tells of epochs',
}

/** Everything that is called like an event is one, and a function. */
function checkEvents(place: string, callback: Callback): void {
  for (const event of [...events, ...memory]) checkOptional(checkFunction, `${place}.${event}`, callback[event])
  checkOptional(checkText, `${place}.name`, callback.name)
  // Methods of classes are not among an object's own keys.
  for (let object: object | null = callback; object && object !== Object.prototype; ) {
    for (const name of Object.getOwnPropertyNames(object)) {
      if (!/^on_?[A-Z]|^on_/.test(name) || events.some((event) => event === name)) continue
      const meant = nearest(name, events)
      const hint = foreignEvents[name] ?? (meant ? `did you mean ${meant}?` : `there are ${events.join(', ')}`)
      throw new GradusError('GRADUS_INVALID_ARGUMENT', `${place}: there is no event ${JSON.stringify(name)}; ${hint}`)
    }
    object = Object.getPrototypeOf(object)
  }
}
