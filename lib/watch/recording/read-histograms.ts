import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { GradusError } from '../../errors.js'
import { files, histogramBins, layerColumns, layerRowWidth, Rows } from './files.js'
import type { RunInfo } from './recording.js'
import { readCells } from './table.js'

export type HistogramKind = 'activations' | 'gradients' | 'weights'

/** Histograms of one layer's activations, or of one tensor's gradient or weights, over time. */
export interface Histograms {
  step: number[]
  /** By look, counts in the bins of `histogramEdges`. */
  counts: number[][]
}

/**
 * At most `rows` of them, evenly spread and the last one among them.
 * @throws `GRADUS_INVALID_ARGUMENT` for a name that the run does not have
 */
export async function readHistograms(
  directory: string,
  info: RunInfo,
  { kind, name, rows }: { kind: HistogramKind; name: string; rows: number },
): Promise<Histograms> {
  const first = firstCell(info, kind, name)
  const found: Histograms = { step: [], counts: [] }
  if (info.monitor.histograms === null) return found
  const bytesEach = 4 * layerRowWidth(info.layers.length, info.tensors.length, true)
  const file = await open(join(directory, files.layers), 'r').catch(() => null)
  if (!file) return found
  try {
    const count = Math.floor((await file.stat()).size / bytesEach)
    const wanted = Math.min(count, rows)
    const [step, counts] = [Rows.of(1, 1), Rows.of(1, histogramBins)]
    for (let i = 0; i < wanted; i++) {
      const row = wanted === 1 ? count - 1 : Math.round((i * (count - 1)) / (wanted - 1))
      readCells(file.fd, step, bytesEach * row)
      readCells(file.fd, counts, bytesEach * row + 4 * first)
      found.step.push(step.steps[0]!)
      found.counts.push([...counts.values])
    }
    return found
  } finally {
    await file.close()
  }
}

/** Where a row holds them. */
function firstCell({ layers, tensors }: RunInfo, kind: HistogramKind, name: string): number {
  const named: readonly { name: string }[] = kind === 'activations' ? layers : tensors
  const at = named.findIndex((entry) => entry.name === name)
  if (at < 0) {
    const message = `name: expected one of ${named.map((entry) => entry.name).join(', ')}, received ${name}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const before = { activations: 0, gradients: layers.length, weights: layers.length + tensors.length }[kind]
  return 1 + layers.length * layerColumns.length + histogramBins * (before + at)
}
