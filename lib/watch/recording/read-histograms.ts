import { closeSync, readSync } from 'node:fs'
import { GradusError } from '../../errors.js'
import { isMissing, openWithin } from '../../files.js'
import { endOf, files, histogramBins, layerRowWidth, lookColumns, Rows } from './files.js'
import { decodeCounts } from './histogram-bytes.js'
import type { RunInfo } from './recording.js'
import { readCells } from './table.js'

/** A look that claims to take more is damaged. */
const mostBytes = 1 << 26

export type HistogramKind = 'activations' | 'gradients' | 'weights'

/** Histograms of one layer's activations, or of one tensor's gradient or weights, over time. */
export interface Histograms {
  step: number[]
  /** By look, counts in the bins of `histogramEdges`. */
  counts: number[][]
}

/**
 * At most `rows` of them, evenly spread and the last one among them.
 *
 * @param directory - its real path
 * @throws `GRADUS_INVALID_ARGUMENT` for a name that the run does not have, `GRADUS_BAD_FILE`
 */
export async function readHistograms(
  directory: string,
  info: RunInfo,
  { kind, name, rows }: { kind: HistogramKind; name: string; rows: number },
): Promise<Histograms> {
  const first = histogramBins * numberOf(info, kind, name)
  const found: Histograms = { step: [], counts: [] }
  const opened: number[] = []
  const open = (file: string) => {
    const there = openIfThere(directory, file)
    if (there) opened.push(there.file)
    return there
  }
  try {
    const [looks, histograms] = [open(files.layers), open(files.histograms)]
    if (!looks || !histograms) return found
    const bytesEach = 4 * layerRowWidth(info.layers.length)
    const count = Math.floor(looks.size / bytesEach)
    const wanted = Math.min(count, rows)
    for (let i = 0; i < wanted; i++) {
      const row = wanted === 1 ? count - 1 : Math.round((i * (count - 1)) / (wanted - 1))
      const { step, bytes } = readLook(looks.file, histograms, bytesEach * row, bytesEach)
      const counts = bytes && decodeCounts(bytes, first, first + histogramBins)
      if (!counts) continue
      found.step.push(step)
      found.counts.push(counts)
    }
    return found
  } finally {
    for (const file of opened) closeSync(file)
  }
}

type Opened = ReturnType<typeof openWithin>

function openIfThere(directory: string, name: string): Opened | null {
  try {
    return openWithin(directory, name)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** The bytes are null where a look has none or they are not all there yet. */
function readLook(looks: number, histograms: Opened, position: number, bytesEach: number) {
  const [before, look] = [Rows.of(1, lookColumns.length), Rows.of(1, lookColumns.length)]
  if (position > 0) readCells(looks, before, position - bytesEach)
  readCells(looks, look, position)
  const [begin, end] = [endOf(before), endOf(look)]
  const step = look.steps[0]!
  const length = end - begin
  if (length <= 0 || length > mostBytes || end > histograms.size) return { step, bytes: null }
  const bytes = new Uint8Array(length)
  return { step, bytes: readSync(histograms.file, bytes, 0, length, begin) === length ? bytes : null }
}

/** Which of a look's histograms it is. */
function numberOf({ layers, tensors }: RunInfo, kind: HistogramKind, name: string): number {
  const named: readonly { name: string }[] = kind === 'activations' ? layers : tensors
  const at = named.findIndex((entry) => entry.name === name)
  if (at < 0) {
    const message = `name: expected one of ${named.map((entry) => entry.name).join(', ')}, received ${name}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  return at + { activations: 0, gradients: layers.length, weights: layers.length + tensors.length }[kind]
}
