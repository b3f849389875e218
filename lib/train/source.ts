/** Examples on their way into native calls: one resident piece, or a stream of them. */
import { Dataset } from '../data/dataset.js'
import type { Requirements } from '../data/plans.js'
import { type Data, isStream, loadAhead } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { NativeDataset, NativePredictor } from '../native.js'
import { firstOf } from '../signals.js'
import type { TrainTarget } from './target.js'

export interface Source {
  /** Null for a stream, which does not say. */
  readonly rows: number | null
  /**
   * The pieces of one epoch, in order, but for the first `skip`; of data in memory the one there is. A stream throws the
   * signal's reason when it fires.
   */
  pieces(of?: {
    epoch?: number | undefined
    skip?: number | undefined
    signal?: AbortSignal | undefined
  }): AsyncIterable<NativeDataset>
  close(): void
}

/** All that predictions take: what a model that need not be compiled has, or several together. */
export interface PredictTarget extends Pick<TrainTarget, 'inputs' | 'outputShape' | 'conventions'> {
  readonly program: NativePredictor
}

/** What evaluations take as well. */
export type EvaluateTarget = PredictTarget & Pick<TrainTarget, 'loss' | 'metrics'>

/** Conventions are copied: data that are not trained on settle none of the model's. */
export function inputRequirements({ inputs, outputShape, program, conventions }: PredictTarget): Requirements {
  return { dtype: program.dtype, inputs, outputShape, targets: 'none', conventions: { ...conventions } }
}

export const requirementsOf = (target: PredictTarget & Pick<TrainTarget, 'loss'>): Requirements => ({
  ...inputRequirements(target),
  targets: target.loss.targets,
  probabilities: target.loss.probabilities,
})

/**
 * Plain examples are copied now and given back by `close`; a {@link Dataset} keeps its copy.
 * @throws the signal's reason as soon as it fires
 */
export async function openSource(data: Data, needs: Requirements, signal?: AbortSignal): Promise<Source> {
  const opening = open(data, needs)
  const opened = await firstOf(opening, signal)
  if (opened) return opened.value
  void opening.then((late) => late.close()).catch(() => {})
  throw signal?.reason
}

async function open(data: Data, needs: Requirements): Promise<Source> {
  if (isStream(data)) return { rows: null, pieces: (of) => loadAhead(data, needs, of), close() {} }
  const dataset = data instanceof Dataset ? data : new Dataset(data, { temporary: true, argument: needs.argument })
  const resident = await dataset.resident(needs)
  return {
    ...residentSource(resident),
    close() {
      if (dataset !== data) dataset.dispose()
    },
  }
}

export function residentSource(resident: NativeDataset): Source {
  return {
    rows: resident.size,
    async *pieces() {
      yield resident
    },
    close() {},
  }
}

/** The last `fraction` of the rows for validation, the others for training; both views of the same memory. */
export async function splitSource(source: Source, fraction: number): Promise<[Source, Source]> {
  const { rows } = source
  if (rows === null) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', 'validationSplit: expected data in memory, received a stream')
  }
  const first = rows - Math.round(rows * fraction)
  if (first === 0 || first === rows) {
    const message = `validationSplit: expected at least one row on each side, received ${fraction} of ${rows} rows`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const parts: [Source, Source][] = []
  for await (const piece of source.pieces()) {
    const order = Uint32Array.from({ length: rows }, (_, row) => row)
    parts.push([
      residentSource(piece.subset(order.subarray(0, first))),
      residentSource(piece.subset(order.subarray(first))),
    ])
  }
  return parts[0] as [Source, Source]
}
