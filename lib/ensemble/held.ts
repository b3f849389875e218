/** What members give for data that they are judged by, and what is right there, as columns of numbers. */
import { product } from '../data/column.js'
import { loadedColumns } from '../data/dataset.js'
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { Loss } from '../losses/index.js'
import type { Model } from '../model/model.js'
import type { NativeDataset, NativeProgram } from '../native.js'
import { resolveThreads } from '../train/calls.js'
import { checkWeight, type EvaluateOptions } from '../train/evaluate.js'
import { isInTraining } from '../train/in-training.js'
import { openSource, requirementsOf } from '../train/source.js'
import { callInTurn } from '../train/turn.js'
import { conventionsOf, programsOf } from './members.js'

export interface Held {
  readonly rows: number
  readonly outputShape: readonly number[]
  readonly loss: Loss
  /** Of each member what `predict` gives, row after row. */
  readonly outputs: readonly Float64Array[]
  /** Class numbers, or numbers shaped as the outputs. */
  readonly targets: Int32Array | Float64Array
  /** How much each row counts. */
  readonly weights: Float64Array
}

type Pass = Pick<EvaluateOptions, 'threads' | 'signal'> & { readonly batchSize: number }

/**
 * Each member's outputs for all rows, in one pass over the data.
 *
 * @throws those of the data; GRADUS_NOT_COMPILED, GRADUS_BUSY for a member in training, GRADUS_NON_FINITE naming the member
 */
export async function holdOut(
  members: readonly Model[],
  data: Data,
  { batchSize, signal, ...options }: Pass,
  argument?: string,
): Promise<Held> {
  const threads = resolveThreads(options.threads)
  const programs = programsOf(members)
  const [first] = members as [Model]
  const { inputs, outputShape, loss } = first
  checkNotTraining(programs)
  const target = {
    program: programs[0]!,
    inputs,
    outputShape,
    loss,
    normalizations: [],
    conventions: conventionsOf(members),
  }
  const source = await openSource(data, { ...requirementsOf(target), argument }, signal)
  const [outputs, targets, weights] = [
    members.map((): ArrayLike<number>[] => []),
    [] as ArrayLike<number>[],
    [] as ArrayLike<number>[],
  ]
  let isLabels = false
  try {
    for await (const dataset of source.pieces({ signal })) {
      for (const [m, program] of programs.entries()) {
        const call = () => program.predict({ dataset, batchSize, threads })
        outputs[m]!.push((await callInTurn(program, signal, call)) ?? [])
        signal?.throwIfAborted()
      }
      const right = dataset.read('target', 0, 0, dataset.size)
      isLabels = right instanceof Int32Array
      targets.push(right)
      weights.push(weightsOf(dataset))
    }
  } finally {
    source.close()
  }
  const held = {
    ...{ outputShape, loss, outputs: outputs.map(joined), weights: joined(weights) },
    targets: isLabels ? Int32Array.from(joined(targets)) : joined(targets),
  }
  return checked({ ...held, rows: held.weights.length }, argument)
}

/** @throws GRADUS_BUSY naming the member whose weights change */
export function checkNotTraining(programs: readonly NativeProgram[]): void {
  const busy = programs.findIndex(isInTraining)
  if (busy >= 0) throw new GradusError('GRADUS_BUSY', `members[${busy}] is being fitted: await its run first`)
}

function weightsOf(dataset: NativeDataset): ArrayLike<number> {
  const isWeighted = loadedColumns(dataset).some(({ role }) => role === 'weight')
  return isWeighted ? dataset.read('weight', 0, 0, dataset.size) : new Float64Array(dataset.size).fill(1)
}

function joined(parts: readonly ArrayLike<number>[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function checked(held: Held, argument = 'data'): Held {
  if (held.rows === 0) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `${argument}: expected at least one example, received none`)
  }
  checkWeight(
    held.weights.reduce((sum, weight) => sum + weight, 0),
    argument === 'data' ? undefined : argument,
  )
  const columns = product(held.outputShape)
  for (const [m, outputs] of held.outputs.entries()) {
    const at = outputs.findIndex((value) => !Number.isFinite(value))
    if (at < 0) continue
    const where = `output ${at % columns} of row ${Math.floor(at / columns)}`
    throw new GradusError('GRADUS_NON_FINITE', `members[${m}]: ${where} is ${outputs[at]}`)
  }
  return held
}

/** Some of the rows, in this order. */
export function rowsOfHeld(held: Held, rows: Uint32Array): Held {
  const take = <Values extends Float64Array | Int32Array>(values: Values, width: number): Values => {
    const taken = new (values.constructor as new (length: number) => Values)(rows.length * width)
    for (const [i, row] of rows.entries()) taken.set(values.subarray(row * width, (row + 1) * width), i * width)
    return taken
  }
  const { outputs, targets, weights } = held
  return {
    ...held,
    rows: rows.length,
    outputs: outputs.map((of) => take(of, of.length / held.rows)),
    targets: take(targets, targets.length / held.rows),
    weights: take(weights, 1),
  }
}
