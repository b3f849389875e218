import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { files, Rows, stepRowWidth } from './files.js'
import type { RunInfo, StepSeries } from './recording.js'
import { readRows } from './run-reader.js'
import { StepBuckets } from './step-buckets.js'

/** Steps `from` to `to`, both included, of a run of any length, in at most `buckets` stretches. */
export async function readSteps(
  directory: string,
  info: RunInfo,
  { from, to, buckets }: { from: number; to: number; buckets: number },
): Promise<StepSeries> {
  const width = stepRowWidth(info.tensors.length)
  const file = await open(join(directory, files.steps), 'r')
  try {
    const rows = Math.floor((await file.stat()).size / (4 * width))
    const first = await firstRowFrom(file, width, rows, from)
    const end = await firstRowFrom(file, width, rows, to + 1)
    const capacity = 2 * Math.max(1, Math.floor(buckets / 2))
    const reduced = new StepBuckets(width, capacity, Math.max(1, Math.ceil((end - first) / capacity)))
    for await (const piece of readRows(file, width, first, end)) reduced.add(piece)
    return reduced.series(info.tensors)
  } finally {
    await file.close()
  }
}

/** The first row whose step is at least this one: steps never fall. */
export async function firstRowFrom(file: FileHandle, width: number, rows: number, step: number): Promise<number> {
  const cell = Rows.of(1, 1)
  let low = 0
  let high = rows
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    await file.read(new Uint8Array(cell.values.buffer), 0, 4, 4 * width * middle)
    if (cell.steps[0]! < step) low = middle + 1
    else high = middle
  }
  return low
}
