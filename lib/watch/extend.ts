/** Tells training of the checks, checkpoints, the monitor and the rules, which lie above it. */
import { preflight } from '../check/sanity/sanity-check.js'
import { checkpoint } from '../checkpoint/checkpoint.js'
import { extend, type RunFacts } from '../train/extensions.js'
import { diagnose } from './diagnosis/diagnose.js'
import { isMonitor, monitor } from './monitor/monitor.js'
import { runInfo } from './monitor/run-info.js'
import { recordingOfHistory } from './recording/from-history.js'

extend({
  findLineage: async (run) => (await import('../checkpoint/resume.js')).findLineage(run),
  checkpoint,
  preflight,
  diagnose: (run) => diagnose(recordingOf(run)),
  monitor,
  isMonitor,
  dirOf: (callbacks) => callbacks.find(isMonitor)?.dir ?? null,
})

/** What a monitor recorded; without one, what the epochs tell. */
function recordingOf({ target, data, settings, history }: RunFacts) {
  const recorded = settings.callbacks.find(isMonitor)?.recording
  if (recorded) return recorded
  const info = runInfo(
    target,
    { settings, data },
    { examples: null, validationExamples: null },
    { every: 1, histograms: null },
  )
  return recordingOfHistory(info, history)
}
