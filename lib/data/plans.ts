/** How columns as they were given become columns of native memory, for a model that needs them so. */
import { GradusError, invalidArgument } from '../errors.js'
import type { ColumnRole, DataType, NativeColumn } from '../native.js'
import { type ColumnData, elementsPerRow, isColumn, type OpenColumn, openColumn, product } from './column.js'
import { type Conventions, sameClasses } from './conventions.js'
import type { Examples, NumberedExamples } from './examples.js'
import type { Conversion } from './fill.js'
import { renumbered, someOf } from './labels.js'
import { type BytesMeaning, checkScaleOfBytes, statesScale } from './meaning.js'
import { asRows } from './one-example.js'
import type { Probabilities } from './probabilities.js'

/** What a model needs of its data. */
export interface Requirements {
  dtype: DataType
  inputs: readonly { name: string; shape: readonly number[]; kind: 'real' | 'index'; vocabulary?: number | undefined }[]
  outputShape: readonly number[]
  /** `none`: inputs alone, for predictions. */
  targets: 'labels' | 'dense' | 'either' | 'none'
  /** Of dense targets: they are probabilities. */
  probabilities?: Probabilities | undefined
  /**
   * What the model's data mean: targets that come with names are numbered by its classes. What is not settled there yet is
   * settled by the data, once they are resident.
   */
  conventions?: Conventions | undefined
  /** Whether they are trained on, so that what their inputs mean is what the inputs will mean. */
  settles?: boolean | undefined
  /** The option that the data were given as, such as `validation`; errors then speak of `validation.x`. Default: the data. */
  argument?: string | undefined
}

export interface Plan {
  column: OpenColumn
  role: ColumnRole
  index: number
  native: NativeColumn
  conversion: Conversion
  /** Numbers that may mean bytes: {@link likeBytes} tells, once they have been looked at. */
  undecided?: BytesMeaning | undefined
}

export function planAll(examples: NumberedExamples, requirements: Requirements): Plan[] {
  try {
    const plans = planInputs(examples.x, requirements)
    if (requirements.targets === 'none') return plans
    plans.push(planTargets(examples, requirements, rowsOf(plans)))
    if (examples.sampleWeights !== undefined) plans.push(planWeights(examples.sampleWeights, requirements))
    rowsOf(plans)
    return plans
  } catch (error) {
    const advice = areMixedUp(examples, requirements) ? 'were x and y mixed up?' : flattening(examples, requirements)
    if (!(error instanceof GradusError) || advice === undefined) throw error
    throw new GradusError(error.code, `${error.message}; ${advice}`, { cause: error })
  }
}

/** What to do where each target has the size of the output's last dimension alone. */
function flattening({ x, y }: NumberedExamples, { targets, inputs, outputShape }: Requirements): string | undefined {
  if (targets !== 'dense' || outputShape.length < 2 || y === undefined) return undefined
  try {
    const first = isColumn(x) ? x : Object.values(x)[0]
    const rows = openColumn('x', first as ColumnData, product(inputs[0]?.shape ?? []), 1).rows
    if (elementsPerRow('y', y, rows) !== outputShape.at(-1)) return undefined
    return `the output is of shape [${outputShape.join(', ')}]: put flatten() before the layers that give it`
  } catch {
    return undefined
  }
}

/** Whether x and y would fit if each stood in the other's place. */
function areMixedUp({ x, y }: NumberedExamples, requirements: Requirements): boolean {
  const elements = product(requirements.inputs[0]?.shape ?? [])
  if (y === undefined || !isColumn(x) || requirements.targets === 'none' || elements === 1) return false
  try {
    const inputs = planInputs(y, requirements)
    const rows = rowsOf(inputs)
    const targets = planTargets({ x: y, y: x }, requirements, rows)
    const isWide = elementsPerRow('y', y, rows) === elements
    return rows > 0 && targets.column.rows === rows && isWide
  } catch {
    return false
  }
}

/** How many rows each of the columns has. */
export function rowsOf(plans: Plan[]): number {
  const rows = plans[0]?.column.rows ?? 0
  for (const { column } of plans) {
    if (column.rows === rows) continue
    throw invalidArgument(column.argument, `${rows} rows, as many as the first input has`, column.rows)
  }
  return rows
}

/** How errors name a part of the data. */
const nameIn = ({ argument }: Requirements, part: string): string => (argument ? `${argument}.${part}` : part)

export function planInputs(x: Examples['x'], requirements: Requirements): Plan[] {
  const { inputs, dtype, targets, conventions } = requirements
  const whole = nameIn(requirements, 'x')
  const named = namedColumns(x, inputs, whole)
  return inputs.map(({ name, shape, kind, vocabulary }, index) => {
    const argument = inputs.length > 1 ? `${whole}.${name}` : whole
    const given = named[name] as ColumnData
    const column = openColumn(argument, targets === 'none' ? asRows(given, shape) : given, product(shape), 1 / 255)
    if (kind === 'index') {
      const limit = vocabulary ?? 2 ** 31
      return plan('input', index, name, column, shape, { type: 'int32', limit, meaning: 'whole number' })
    }
    const meaning = statesScale(given) ? undefined : conventions?.inputs?.[name]
    if (column.bytes && meaning) column.bytes = checkScaleOfBytes(argument, meaning)
    const undecided = !column.bytes && meaning?.kind === 'bytes' ? meaning : undefined
    return { ...plan('input', index, name, column, shape, { type: column.bytes ? 'uint8' : dtype }), undecided }
  })
}

/** The plan of an input with numbers that have become bytes, or have not. */
export const withColumn = ({ index, native, conversion }: Plan, column: OpenColumn): Plan =>
  plan('input', index, native.name, column, native.shape, column.bytes ? { type: 'uint8' } : conversion)

/** The columns by the inputs' names. */
export function namedColumns(
  x: Examples['x'],
  inputs: Requirements['inputs'],
  argument = 'x',
): Record<string, ColumnData> {
  const names = inputs.map((input) => input.name)
  if (isColumn(x) && names.length === 1) return { [names[0] as string]: x }
  const record = (isColumn(x) ? {} : x) as Record<string, ColumnData>
  const given = typeof x === 'object' && x !== null ? Object.keys(record) : []
  const fits = names.length === given.length && names.every((name) => given.includes(name))
  if (!fits) {
    const expected = names.length === 1 ? 'one column of numbers' : `one column for each input (${names.join(', ')})`
    if (isColumn(x) || given.length === 0) throw invalidArgument(argument, expected, x)
    const message = `${argument}: expected ${expected}, received { ${someOf(given)} }`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  return record
}

function planTargets(examples: NumberedExamples, requirements: Requirements, rows: number): Plan {
  const { y } = examples
  const name = nameIn(requirements, 'y')
  if (y === undefined) throw invalidArgument(name, 'the targets', y)
  const { outputShape, dtype, targets, probabilities } = requirements
  const labelShape = outputShape.slice(0, -1)
  const outputs = outputShape.at(-1) ?? 1
  const elements = elementsPerRow(name, y, rows)
  // Where both would fit (a single output) the numbers are targets as they stand.
  const dense = targets === 'dense' || (targets === 'either' && elements === product(outputShape))
  if (dense) {
    if (examples.classes && elements === 1) checkBinary(name, examples.classes, outputShape)
    const column = renumber(openColumn(name, y, product(outputShape), 1), examples, requirements)
    return plan('target', 0, 'y', column, outputShape, { type: column.bytes ? 'uint8' : dtype, probabilities })
  }
  if (elements !== null && elements !== product(labelShape)) {
    const either = targets === 'either' ? ` or ${numbersOf(product(outputShape))}` : ''
    throw invalidArgument(name, `${numbersOf(product(labelShape), 'class number')}${either} an example`, elements)
  }
  const names = wantedOf(examples, requirements)
  if (names && names.length > outputs) {
    const expected = `at most ${outputs} classes, as many as the last layer has outputs`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `${name}: expected ${expected}, received ${countOf(names)}`)
  }
  const column = renumber(openColumn(name, y, product(labelShape), 1), examples, requirements)
  return plan('target', 0, 'y', column, labelShape, { type: 'int32', limit: outputs, meaning: 'class number' })
}

/** The names by which targets are numbered: those of the model, else their own. */
export const wantedOf = (examples: NumberedExamples, { conventions }: Requirements): readonly string[] | undefined =>
  conventions?.classes ?? examples.classes

/** Class numbers as targets of a single output: the second of two classes is the answer yes. */
function checkBinary(argument: string, classes: readonly string[], outputShape: readonly number[]): void {
  if (product(outputShape) === 1 && classes.length <= 2) return
  const expected = `numbers shaped as the output [${outputShape}]`
  const advice = 'a loss on classes takes names, such as softmaxCrossEntropy() with an output for each'
  const message = `${argument}: expected ${expected}, received the names of ${countOf(classes)}; ${advice}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

const numbersOf = (count: number, what = 'number') => `${count} ${what}${count === 1 ? '' : 's'}`

const countOf = (names: readonly string[]) => `${names.length} classes (${someOf(names)})`

/** By the model's names, where both sides have names; rows of one number a class must have its order already. */
function renumber(column: OpenColumn, { classes }: Examples, requirements: Requirements): OpenColumn {
  const wanted = requirements.conventions?.classes
  if (!classes || !wanted || sameClasses(classes, wanted)) return column
  if (column.elements === 1) return renumbered(column, classes, wanted)
  const place = nameIn(requirements, 'classes')
  const message = `${place}: expected those of the model, ${someOf(wanted)}, received ${someOf(classes)}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

function planWeights(weights: ColumnData, requirements: Requirements): Plan {
  const column = openColumn(nameIn(requirements, 'sampleWeights'), weights, 1, 1)
  return plan('weight', 0, 'sampleWeights', column, [], { type: requirements.dtype, nonNegative: true })
}

function plan(
  role: ColumnRole,
  index: number,
  name: string,
  column: OpenColumn,
  shape: readonly number[],
  conversion: Conversion,
): Plan {
  const meaning = conversion.type === 'uint8' ? nativeScale(column, shape) : null
  return { column, role, index, native: { name, type: conversion.type, shape: [...shape], ...meaning }, conversion }
}

/** @throws where there are scales of channels, but not one of each */
function nativeScale({ argument, bytes }: OpenColumn, shape: readonly number[]): Partial<NativeColumn> | null {
  if (bytes === null || typeof bytes.scale === 'number' || typeof bytes.offset === 'number') return bytes as null
  const { scale, offset } = bytes
  if (scale.length !== shape.at(-1)) {
    const expected = `${shape.at(-1) ?? 1} scales, one for each of the last dimension of [${shape}]`
    throw invalidArgument(`${argument}.scale`, expected, scale.length)
  }
  return { scale: Float64Array.from(scale), offset: Float64Array.from(offset) }
}
