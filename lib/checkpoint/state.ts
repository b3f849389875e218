/** What a checkpoint says of its run, held against what a run can be. */
import { checkNotNegativeInteger, checkPositiveInteger, checkText } from '../checks.js'
import { orNull, readMemory } from '../memory.js'
import { anything } from '../options.js'
import type { EpochPlace } from '../train/epoch-source.js'
import type { EpochRecord } from '../train/history.js'
import type { RunState } from '../train/run-state.js'

type Told = Omit<RunState, 'native'>
type Under = NonNullable<RunState['under']>

/** Callbacks, schedules and sums check their own part when they are given it. @throws GRADUS_BAD_FILE */
export const checkState = (state: unknown): Told =>
  readMemory<Told>('the run', state, {
    epoch: checkNotNegativeInteger,
    under: orNull((argument, value) => readMemory<Under>(argument, value, { place: checkPlace, totals: anything })),
    steps: anything,
    callbacks: checkObject<Told['callbacks']>,
    records: checkRecords,
    endedBy: orNull(checkText),
  })

const checkPlace = (argument: string, value: unknown): EpochPlace =>
  readMemory<EpochPlace>(argument, value, {
    rows: checkNotNegativeInteger,
    pieces: checkNotNegativeInteger,
    row: checkNotNegativeInteger,
  })

function checkObject<Kind extends object>(argument: string, value: unknown): Kind {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Kind
  throw new Error(`${argument} is no object`)
}

function checkRecords(argument: string, value: unknown): EpochRecord[] {
  if (!Array.isArray(value)) throw new Error(`${argument} are no list`)
  for (const [i, record] of value.entries()) checkRecord(`${argument}[${i}]`, record)
  return value
}

/** Numbers, or tables of them; what else a history has is no column. */
function checkRecord(place: string, value: unknown): void {
  const record = checkObject<Record<string, unknown>>(place, value)
  checkPositiveInteger(`${place}.epoch`, record.epoch)
  for (const [column, content] of Object.entries(record)) {
    const isColumn = column !== 'epochs' && column !== 'stoppedBy' && !(column in Object.prototype)
    if (isColumn && (typeof content === 'number' || Array.isArray(content))) continue
    throw new Error(`${place} has no column ${JSON.stringify(column)}`)
  }
}
