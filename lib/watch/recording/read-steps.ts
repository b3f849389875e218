import { closeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { openWithin } from '../../files.js'
import { files, stepRowWidth } from './files.js'
import type { RunInfo, StepSeries } from './recording.js'
import { StepBuckets } from './step-buckets.js'
import { firstRowFrom, readRows } from './table.js'

/**
 * Steps `from` to `to`, both included, of a run of any length, in at most `buckets` stretches.
 *
 * @param directory - its real path
 * @throws `GRADUS_BAD_FILE`
 */
export async function readSteps(
  directory: string,
  info: RunInfo,
  { from, to, buckets }: { from: number; to: number; buckets: number },
): Promise<StepSeries> {
  const width = stepRowWidth(info.tensors.length)
  const { file, size } = openWithin(directory, files.steps)
  try {
    const rows = Math.floor(size / (4 * width))
    const first = firstRowFrom(file, width, rows, from)
    const end = firstRowFrom(file, width, rows, to + 1)
    const capacity = 2 * Math.max(1, Math.floor(buckets / 2))
    const reduced = new StepBuckets(width, capacity, Math.max(1, Math.ceil((end - first) / capacity)))
    for (const piece of readRows(file, width, first, end)) {
      reduced.add(piece)
      await setImmediate()
    }
    return reduced.series(info.tensors)
  } finally {
    closeSync(file)
  }
}
