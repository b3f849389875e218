import { factory } from '../../call.js'
import type { Callback, RunContext } from '../../train/callback.js'
import type { Recording } from '../recording/recording.js'
import { type Clock, systemClock } from './clock.js'
import { type Memory, readMonitor } from './going-on.js'
import { MonitoredRun, type Prepared } from './monitored-run.js'
import { type MonitorOptions, resolveMonitorOptions } from './options.js'

export interface Monitor extends Callback {
  /** What has been recorded of the last run, up to now; null before the first. */
  readonly recording: Recording | null
  /** The folder in which the last run was recorded; null before the first, and for runs kept in memory alone. */
  readonly dir: string | null
}

/**
 * Records a run as it goes: losses, learning rate, momentum and gradient norm of each step; norms and update:weight ratio
 * of each tensor; means, spreads, dead and saturated units and histograms of each layer; metrics, predictions and pictures
 * after epochs; speed, event-loop delay and memory. The numbers come out of the passes that train anyway.
 *
 * With a run directory (`dir` here or in `fit`) all goes to files there, which `gradus watch`, `gradus diagnose` and
 * `gradus report` read while the run goes on and afterwards. A kill at any moment loses what was not written yet and
 * nothing else. `initialEpoch` goes on with the directory of the run before.
 *
 * @throws in the run: `GRADUS_INVALID_ARGUMENT` when the directory holds another run
 * @example
 * const run = model.fit(train, { epochs: 30, validation, dir: 'runs/mnist', callbacks: [monitor({ histograms: 100 })] })
 * await run.done
 * for (const { severity, message, advice } of run.diagnose()) console.log(severity, message, advice)
 * @function
 */
export const monitor = factory('monitor', 1, (options: MonitorOptions = {}): Monitor => {
  return monitorByClock(options, systemClock)
})

/** A monitor that tells the time by another clock than the system's. */
export function monitorByClock(options: MonitorOptions, clock: Clock): Monitor {
  const settings = resolveMonitorOptions(options)
  let prepared: Prepared | null = null
  let memory: Memory | null = null
  let run: MonitoredRun | null = null
  /** A run that goes on is not as it was before all callbacks have been told of the begin. */
  const begin = async (context: RunContext, of: Prepared) => {
    run ??= await MonitoredRun.begin(context, of, memory)
    return run
  }
  return {
    name: 'monitor',
    get recording() {
      run?.flush()
      return run?.builder.build() ?? null
    },
    get dir() {
      return prepared?.place?.folder.path ?? null
    },
    state: () => run?.state() ?? memory,
    restore(state) {
      if (state !== null) memory = readMonitor(state)
    },
    async onTrainBegin(context) {
      prepared = memory = run = null
      prepared = await MonitoredRun.prepare(context, settings, clock)
      if (!context.call.goesOn) await begin(context, prepared)
      const { histograms } = settings
      const looks = histograms === null ? undefined : { every: histograms, histograms: prepared.place !== null }
      return { inspections: looks }
    },
    async onEpochBegin(context) {
      if (prepared) await begin(context, prepared)
    },
    onStepsEnd: ({ steps }) => run?.addSteps(steps),
    onCheckpoint: () => run?.settle(),
    onEpochEnd: (context) => run?.addEpoch(context),
    async onTrainEnd(context) {
      if (!prepared) return
      if (run || context.error === undefined) await (await begin(context, prepared)).end(context)
      else await prepared.own?.close(context.stoppedBy)
    },
  }
}

export const isMonitor = (callback: Callback): callback is Monitor => 'recording' in callback
