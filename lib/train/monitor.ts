/** A column of an epoch's record, watched by whoever stops or anneals by it. */
import { GradusError } from '../errors.js'
import { nearest } from '../suggest.js'
import { averageColumn, type EpochRecord, validationColumn } from './history.js'
import type { TrainTarget } from './target.js'

/** The column and its value; default `valLoss`, or `loss` without validation. */
export function monitored(record: EpochRecord, monitor: string | undefined) {
  const name = monitor ?? ('valLoss' in record ? 'valLoss' : 'loss')
  return { name, value: record[name] as number }
}

/** Whether small or large values of a column are good. */
export function modeOf(column: string, target: TrainTarget): 'min' | 'max' {
  const metric = target.metrics.find(({ name }) => [name, validationColumn(name), averageColumn(name)].includes(column))
  return metric?.better === 'larger' ? 'max' : 'min'
}

interface Columns {
  readonly target: TrainTarget
  readonly hasValidation: boolean
  /** Whether the average of the weights is validated as well. */
  readonly hasAverage: boolean
  /** The further values that have a schedule: `momentum`, `weightDecay`. */
  readonly scheduled: readonly string[]
}

/** The columns with one number an epoch. */
function columnsOf({ target, hasValidation, hasAverage, scheduled }: Columns): string[] {
  const measured = ['loss', ...target.metrics.filter(({ better }) => better !== undefined).map(({ name }) => name)]
  return [
    ...measured,
    ...(hasValidation ? measured.map(validationColumn) : []),
    ...(hasValidation && hasAverage ? measured.map(averageColumn) : []),
    ...['regularizationLoss', 'learningRate', ...scheduled, 'updateRatio', 'gradientNorm', 'refusedSteps'],
    ...['seconds', 'samplesPerSecond'],
  ]
}

/** @throws `GRADUS_INVALID_ARGUMENT` when the run will have no such column. `place`: `callbacks[0].monitor`. */
export function checkMonitor(place: string, column: unknown, run: Columns): void {
  const columns = columnsOf(run)
  if (typeof column === 'string' && columns.includes(column)) return
  const name = typeof column === 'string' ? column : String(column)
  const isOfValidation = !run.hasValidation && columnsOf({ ...run, hasValidation: true }).includes(name)
  const isOfAverage = !run.hasAverage && columnsOf({ ...run, hasValidation: true, hasAverage: true }).includes(name)
  const meant = nearest(name, columns)
  const lacking = isOfValidation ? 'fit has no validation; ' : isOfAverage ? 'fit has no validateAverage; ' : undefined
  const hint = lacking ?? (meant ? `did you mean ${meant}? ` : '')
  const message = `${place}: there is no column ${JSON.stringify(name)}; ${hint}the columns are ${columns.join(', ')}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: place })
}
