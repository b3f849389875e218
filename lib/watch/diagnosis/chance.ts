/** What a model loses that knows nothing and says so. */
import type { EpochEntry, Recording } from '../recording/recording.js'

/** By the core's name of the loss; of others it depends on the data. */
const losses: Record<string, (classes: number) => number> = {
  softmax_cross_entropy: (classes) => Math.log(classes),
  binary_cross_entropy: () => Math.LN2,
  multiclass_hinge: (classes) => classes - 1,
}

/** The loss of guessing a class, or of saying the mean; null where that is not known. */
export function chanceLoss({ info, predictions, epochs }: Recording): number | null {
  const kind = info.descriptor.loss?.kind ?? ''
  if (kind === 'mean_squared_error') return variance(epochs)
  if (!Object.hasOwn(losses, kind)) return null
  const scores = info.tensors.filter(({ shape }) => shape.length > 1).at(-1)
  return positive(losses[kind]!(predictions[0]?.predicted.length ?? scores?.shape.at(-1) ?? 0))
}

/** Of the targets, where R² = 1 − loss / variance was recorded. */
function variance(epochs: readonly EpochEntry[]): number | null {
  const last = epochs.at(-1)
  return positive(Number(last?.valLoss ?? last?.loss) / (1 - Number(last?.valR2 ?? last?.r2)))
}

const positive = (value: number) => (value > 0 && Number.isFinite(value) ? value : null)
