// Runs that are interrupted within one process: each life has a model, callbacks and schedules of its own.
import { checkpoint } from 'gradus'
import { resultOf } from './mortal-run.js'

/** How a life ends: by an error of a callback, by the user's signal, by `stop`. */
const endings = {
  error() {
    throw new Error('interrupted')
  },
  abort: ({ controller }) => controller.abort(new Error('interrupted')),
  stop: ({ run }) => run.stop('interrupted'),
}

/** Between native calls of two updates; each counts them from its own begin. */
export const usualDeaths = [
  { by: 'error', event: 'onStepsEnd', count: 5 },
  { by: 'abort', event: 'onStepsEnd', count: 4 },
  { by: 'stop', event: 'onStepsEnd', count: 3 },
]

const events = ['onTrainBegin', 'onEpochBegin', 'onStepsEnd', 'onCheckpoint', 'onEpochEnd']
const common = { epochs: 5, batchSize: 4, stepsPerCall: 2, quiet: true, sanityCheck: false }

/** A run to its end without checkpoints and an interruption. */
export async function uninterrupted(make, more = {}) {
  const { model, data, options } = make(() => {})
  const run = model.fit(data, { ...common, ...options, ...more })
  return { ...(await resultOf(model, await run, run.best)), step: model.program.step }
}

/**
 * One life. `make` is given a function to tell of events of its own by, which a death may wait for too. `isDead`: it was
 * interrupted, and `history` is what it had by then; otherwise `result` is what it came to.
 */
export async function live(make, dir, { death = null, every = { steps: 3 }, callbacks = [], ...more } = {}) {
  const controller = new AbortController()
  let count = 0
  const happens = (event) => {
    if (event === death?.event && ++count === death.count) endings[death.by]({ controller, run })
  }
  const { model, data, options } = make(happens)
  const mortal = Object.fromEntries(events.map((event) => [event, () => happens(event)]))
  const { signal } = controller
  const run = model.fit(data, {
    ...{ ...common, ...options, dir, resume: true, signal, ...more },
    callbacks: [...(options.callbacks ?? []), ...callbacks, mortal, checkpoint({ every })],
  })
  const records = []
  try {
    for await (const record of run) records.push(record)
  } catch (error) {
    if (error.message !== 'interrupted') throw error
  }
  const { history } = run
  const isDead = ['interrupted', 'abort', 'error'].includes(history.stoppedBy)
  const result = isDead ? null : { ...(await resultOf(model, history, run.best)), step: model.program.step }
  return { isDead, history, records, best: run.best, result, model }
}

/** What comes of a run after all these deaths, each of which must come to pass. */
export async function afterDeaths(make, dir, deaths = usualDeaths, more = {}) {
  for (const death of deaths) {
    const { isDead } = await live(make, dir, { ...more, death })
    if (!isDead) throw new Error(`no death by ${JSON.stringify(death)}`)
  }
  return await live(make, dir, more)
}
