/** Tells training of the monitor, which lies above it. */
import { GradusError } from '../errors.js'
import { setWatching } from '../train/watching.js'
import { isMonitor, monitor } from './monitor/monitor.js'

const diagnose = () => {
  throw new GradusError('GRADUS_INTERNAL', 'the rules are not loaded')
}

setWatching({ diagnose, monitor, isMonitor })
