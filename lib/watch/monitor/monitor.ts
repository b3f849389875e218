import { factory } from '../../call.js'
import type { Callback } from '../../train/callback.js'
import type { Recording } from '../recording/recording.js'
import { type Clock, systemClock } from './clock.js'
import { MonitoredRun } from './monitored-run.js'
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
  let run: MonitoredRun | null = null
  return {
    get recording() {
      run?.flush()
      return run?.builder.build() ?? null
    },
    get dir() {
      return run?.directory?.path ?? null
    },
    async onTrainBegin(context) {
      run = null
      run = await MonitoredRun.begin(context, settings, clock)
      const { histograms } = settings
      const looks = histograms === null ? undefined : { every: histograms, histograms: run.directory !== null }
      return { inspections: looks }
    },
    onStepsEnd: ({ steps }) => run?.addSteps(steps),
    onEpochEnd: (context) => run?.addEpoch(context),
    onTrainEnd: (context) => run?.end(context),
  }
}

export const isMonitor = (callback: Callback): callback is Monitor => 'recording' in callback
