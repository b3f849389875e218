/** The holder of a trial whose folder is here. */
import { type HeldTrial, readStop, watchTrial } from '../../study/index.js'
import type { TrialHolder } from './trial-control.js'

export const inFolder = (held: HeldTrial): TrialHolder => ({
  report: (epoch, value, record) => held.report(epoch, value, record),
  async ending() {
    // Before anything else: then there is nothing left to record.
    if (await held.isTaken()) return { how: 'lost', reason: 'another worker has taken it over' }
    const stop = readStop(held.path)
    return stop && { how: 'stop', state: 'stopped', reason: `${stop.by}: ${stop.why}` }
  },
  watch: (onChange) => watchTrial(held.path, onChange),
})
