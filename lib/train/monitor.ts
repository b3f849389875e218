/** A column of an epoch's record, watched by whoever stops or anneals by it. */
import { GradusError } from '../errors.js'
import { type EpochRecord, validationColumn } from './history.js'
import type { TrainTarget } from './target.js'

/** The column and its value; default `valLoss`, or `loss` without validation. */
export function monitored(record: EpochRecord, monitor: string | undefined) {
  const name = monitor ?? ('valLoss' in record ? 'valLoss' : 'loss')
  const value = record[name]
  if (typeof value !== 'number') {
    const columns = Object.keys(record).filter((column) => typeof record[column] === 'number')
    const message = `monitor: expected a column of the run (${columns.join(', ')}), received ${name}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  return { name, value, epoch: record.epoch }
}

/** Whether small or large values of a column are good. */
export function modeOf(column: string, target: TrainTarget): 'min' | 'max' {
  const metric = target.metrics.find(({ name }) => name === column || validationColumn(name) === column)
  return metric?.better === 'larger' ? 'max' : 'min'
}
