import type { History } from '../../train/history.js'
import { epochEntry, RecordingBuilder } from './builder.js'
import { Rows, stepRowWidth } from './files.js'
import type { Recording, RunInfo } from './recording.js'

/** What can be told of a run that nobody recorded: a step for each epoch, nothing of tensors and layers. */
export function recordingOfHistory(info: RunInfo, history: History): Recording {
  const builder = new RecordingBuilder({ ...info, tensors: [], layers: [] })
  const { epochs } = history
  const stepsEach =
    info.examples === null ? 1 : Math.ceil(info.examples / (info.options.batchSize * info.options.accumulate))
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
