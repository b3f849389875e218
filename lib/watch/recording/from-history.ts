import type { History } from '../../train/history.js'
import { epochEntry, RecordingBuilder } from './builder.js'
import { Rows, stepRowWidth } from './files.js'
import type { Recording, RunInfo } from './recording.js'

/** Where nobody counted the examples, the speed of the first epoch tells. */
function stepsOfEpoch({ examples, options }: RunInfo, { samplesPerSecond, seconds }: History): number {
  const rows = examples ?? Math.round((samplesPerSecond[0] ?? 0) * (seconds[0] ?? 0))
  return Math.max(1, Math.ceil(rows / (options.batchSize * options.accumulate)))
}

/** What can be told of a run that nobody recorded: a step for each epoch, nothing of tensors and layers. */
export function recordingOfHistory(info: RunInfo, history: History): Recording {
  const builder = new RecordingBuilder({ ...info, tensors: [], layers: [] })
  const { epochs } = history
  const stepsEach = stepsOfEpoch(info, history)
  const rows = Rows.of(epochs, stepRowWidth(0))
  for (let i = 0; i < epochs; i++) {
    const step = (i + 1) * stepsEach
    const values = [history.seconds[i]!, history.loss[i]!, history.regularizationLoss[i]!, history.learningRate[i]!]
    rows.values.set(
      [0, ...values, history.momentum?.[i] ?? info.options.momentum ?? 0, history.gradientNorm[i]!, 0],
      i * rows.width,
    )
    rows.steps[i * rows.width] = step
    const columns = Object.entries(history).filter(([, column]) => Array.isArray(column))
    const record = Object.fromEntries(columns.map(([name, column]) => [name, (column as unknown[])[i]]))
    builder.addEntry(epochEntry(record, step))
  }
  builder.addSteps(rows)
  if (history.stoppedBy !== null) {
    builder.addEntry({ type: 'end', step: epochs * stepsEach, time: Date.now(), stoppedBy: history.stoppedBy })
  }
  return builder.build()
}
