import { runFiles } from '../../train/run-folder.js'

/** Names of the files of a run directory, and the layout of the two tables among them. */
export const files = {
  /** {@link RunInfo}, written once. */
  info: runFiles.info,
  /** One JSON record a line, appended; a torn last line does not count. */
  journal: runFiles.journal,
  /** Rows of {@link stepRowWidth} cells of four bytes, little-endian: a step as an unsigned number, then float32. */
  steps: 'steps.f32',
  /** Rows of {@link layerRowWidth} cells, likewise: looks at the layers. */
  layers: 'layers.f32',
  /** What each look has counted, one after the other, as `histogram-bytes.ts` writes it. */
  histograms: 'histograms.bin',
  /** {@link Latest}, written anew after each epoch. */
  latest: 'latest.json',
  /** {@link Notes}, written by people. */
  notes: 'notes.json',
} as const

/** The first cell is a number of a step; `refused` is 1 or 0. */
export const stepColumns = [
  ...([
    'step',
    'seconds',
    'loss',
    'regularizationLoss',
    'learningRate',
    'momentum',
    'gradientNorm',
    'refused',
  ] as const),
]
/** For each tensor, after the columns above. */
export const tensorColumns = ['ratio', 'weightNorm', 'gradientNorm', 'nonfinite'] as const
/**
 * The step of a look, and where its histograms end in their file, as the lower and the upper half of a number: they
 * begin where those of the look before end.
 */
export const lookColumns = ['step', 'endLow', 'endHigh'] as const
/** For each layer, after the columns above. */
export const layerColumns = ['mean', 'deviation', 'dead', 'saturated', 'nonfinite'] as const

export const stepRowWidth = (tensors: number): number => stepColumns.length + tensors * tensorColumns.length

export const layerRowWidth = (layers: number): number => lookColumns.length + layers * layerColumns.length

/**
 * Bins of histograms, two to an octave: 64 holds |x| < 2⁻²⁴; 65 + k holds x from edge k on, 63 − k holds x from −edge k
 * down. The outermost are open.
 */
export const histogramEdges: Float64Array = Float64Array.from(
  { length: 64 },
  (_, k) => (k % 2 === 0 ? 1 : 1.5) * 2 ** (Math.floor(k / 2) - 24),
)
export const histogramBins = 2 * histogramEdges.length + 1

/** Rows of a table as its writer and its readers see them: the same four bytes, as numbers of steps and as values. */
export class Rows {
  readonly values: Float32Array
  readonly steps: Uint32Array
  readonly width: number

  constructor(bytes: ArrayBufferLike, width: number, offset = 0, length = (bytes.byteLength - offset) >> 2) {
    this.width = width
    this.values = new Float32Array(bytes, offset, length)
    this.steps = new Uint32Array(bytes, offset, length)
  }

  get count(): number {
    return Math.floor(this.values.length / this.width)
  }

  static of(count: number, width: number): Rows {
    return new Rows(new ArrayBuffer(4 * count * width), width)
  }

  /** Rows for something else, in the memory of these if it is enough: what they hold is lost, what the others hold is anything. */
  reuse(count: number, width: number): Rows {
    const { buffer } = this.values
    const length = count * width
    return new Rows(buffer.byteLength < 4 * length ? new ArrayBuffer(8 * length) : buffer, width, 0, length)
  }
}

/** Where the histograms of a look end; its row begins at cell `start`. */
export const endOf = ({ steps }: Rows, start = 0): number => steps[start + 1]! + 2 ** 32 * steps[start + 2]!

export function setEnd({ steps }: Rows, start: number, end: number): void {
  steps[start + 1] = end % 2 ** 32
  steps[start + 2] = Math.floor(end / 2 ** 32)
}
