/** Inputs for calls that take no dataset: checked as those of a dataset are, and all at once. */
import { invalidArgument } from '../errors.js'
import type { TypedArray } from '../native.js'
import type { BytesScale } from './column.js'
import { Dataset } from './dataset.js'
import type { Examples } from './examples.js'
import { convertAll } from './fill.js'
import { likeBytesAtOnce } from './meaning.js'
import { planInputs, type Requirements, rowsOf, withColumn } from './plans.js'

const scales = ({ scale, offset }: BytesScale) =>
  [scale, offset].map((own) => (typeof own === 'number' ? own : Float64Array.from(own)))

/** The rows, and what `predictRows` takes of each input. An array may be the user's own: valid until JavaScript runs. */
export function inputRows(x: Examples['x'], requirements: Requirements): [number, (TypedArray | number)[]] {
  if (x instanceof Dataset) throw invalidArgument('x', 'arrays (predict takes datasets too)', x)
  const plans = planInputs(x, requirements).map((planned) => {
    const { column, undecided } = planned
    return undecided ? withColumn(planned, likeBytesAtOnce(column, undecided)) : planned
  })
  const inputs = plans.flatMap(({ column, conversion }) => [
    convertAll(column, conversion),
    ...(conversion.type === 'uint8' && column.bytes ? scales(column.bytes) : []),
  ])
  return [rowsOf(plans), inputs]
}
