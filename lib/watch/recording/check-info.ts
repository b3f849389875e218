import { isAbsolute } from 'node:path'
import { badFile } from '../../files.js'
import type { RunInfo } from './recording.js'

type Fields = Record<string, unknown>

/** More than any model has, and few enough that a table of them fits in memory. */
const mostTensors = 10_000

/**
 * What `run.json` holds, looked through: everything that readers of a recording rely on.
 * @throws `GRADUS_BAD_FILE` names the field.
 */
export function checkInfo(value: Fields, where: string): RunInfo {
  const checks = checksFor(where)
  const { fail, object, text, number, count, list, numbers } = checks
  if (value.format !== 1) fail('format', '1, the only one that this version reads')
  for (const field of ['gradus', 'started']) text(field, value[field])
  count('seed', value.seed)
  for (const field of ['examples', 'validationExamples']) if (value[field] !== null) count(field, value[field])
  const descriptor = object('descriptor', value.descriptor)
  for (const field of ['inputs', 'nodes', 'parameters']) list(`descriptor.${field}`, descriptor[field])
  const options = object('options', value.options)
  for (const field of ['epochs', 'batchSize', 'accumulate', 'maxRefusedSteps', 'threads']) {
    count(`options.${field}`, options[field])
  }
  for (const field of ['learningRate', 'weightDecay']) number(`options.${field}`, options[field])
  if (options.classWeights !== undefined) numbers('options.classWeights', options.classWeights)
  for (const field of ['targets', 'validationTargets']) {
    if (value[field] === undefined || value[field] === null) continue
    const { rows, isWeighted, chance, classCounts, mean, deviation } = object(field, value[field])
    if (typeof isWeighted !== 'boolean') fail(`${field}.isWeighted`, 'true or false')
    count(`${field}.rows`, rows)
    if (chance !== null) number(`${field}.chance`, chance)
    if (classCounts !== undefined) numbers(`${field}.classCounts`, classCounts)
    if (mean !== undefined) number(`${field}.mean`, mean)
    if (deviation !== undefined || mean !== undefined) number(`${field}.deviation`, deviation)
  }
  const monitor = object('monitor', value.monitor)
  count('monitor.every', monitor.every)
  if (monitor.histograms !== null) count('monitor.histograms', monitor.histograms)
  if (value.classNames !== undefined) {
    for (const [i, name] of list('classNames', value.classNames).entries()) text(`classNames[${i}]`, name)
  }
  if (value.metrics !== undefined) {
    for (const [i, metric] of list('metrics', value.metrics).entries()) {
      text(`metrics[${i}].name`, object(`metrics[${i}]`, metric).name)
    }
  }
  for (const [i, tensor] of list('tensors', value.tensors).entries()) {
    const { name, shape } = object(`tensors[${i}]`, tensor)
    text(`tensors[${i}].name`, name)
    for (const size of list(`tensors[${i}].shape`, shape)) count(`tensors[${i}].shape`, size)
  }
  for (const [i, layer] of list('layers', value.layers).entries()) {
    const { name, op, units } = object(`layers[${i}]`, layer)
    text(`layers[${i}].name`, name)
    text(`layers[${i}].op`, op)
    count(`layers[${i}].units`, units)
  }
  checkCommand(value.command, checks)
  for (const [field, of] of Object.entries(object('machine', value.machine))) {
    if (typeof of !== 'string') number(`machine.${field}`, of)
  }
  return value as unknown as RunInfo
}

function checksFor(where: string) {
  const fail = (field: string, expected: string): never => {
    throw badFile(where, `${field}: expected ${expected}`)
  }
  const object = (field: string, of: unknown): Fields =>
    typeof of === 'object' && of !== null && !Array.isArray(of) ? (of as Fields) : fail(field, 'an object')
  const text = (field: string, of: unknown) => typeof of === 'string' || fail(field, 'a string')
  const number = (field: string, of: unknown) => Number.isFinite(of) || fail(field, 'a number')
  const count = (field: string, of: unknown) =>
    (Number.isSafeInteger(of) && (of as number) >= 0) || fail(field, 'a whole number from 0 up')
  const list = (field: string, of: unknown): unknown[] =>
    Array.isArray(of) && of.length <= mostTensors ? of : fail(field, `an array of at most ${mostTensors}`)
  const numbers = (field: string, of: unknown) =>
    (Array.isArray(of) && of.every((entry) => Number.isFinite(entry))) || fail(field, 'an array of numbers')
  return { fail, object, text, number, count, list, numbers }
}

/** No word of a command can have a zero in it. */
function checkCommand(value: unknown, { fail, object, list }: ReturnType<typeof checksFor>): void {
  if (value === undefined || value === null) return
  const command = object('command', value)
  const word = (field: string, of: unknown) =>
    (typeof of === 'string' && !of.includes('\0')) || fail(field, 'a string without zero characters')
  const path = (field: string, of: unknown) =>
    (word(field, of) && isAbsolute(of as string)) || fail(field, 'an absolute path')
  for (const field of ['script', 'folder']) path(`command.${field}`, command[field])
  for (const field of ['arguments', 'nodeArguments']) {
    for (const [i, of] of list(`command.${field}`, command[field]).entries()) word(`command.${field}[${i}]`, of)
  }
}
