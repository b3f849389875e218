/** Parts of a model whose functions no file can hold: it names them, and whoever loads it gives them again. */
import type { Call } from '../call.js'
import { GradusError, invalidArgument } from '../errors.js'
import { isLayer, type Layer } from '../layers/layer.js'
import type { Regularizer } from '../layers/regularizers.js'
import { isLoss, type Loss } from '../losses/loss.js'
import { isMetric, type Metric } from '../metrics/metric.js'
import { isOptimizer, type Optimizer } from '../optimizers/optimizer.js'
import { short } from './json-reader.js'

/** By the names that they were made with. A function that makes one will do as well. */
export interface CustomPartsByName {
  /** Made by {@link customLayer}. */
  layers?: Readonly<Record<string, Layer | (() => Layer)>> | undefined
  /** Made by {@link customLoss}. */
  losses?: Readonly<Record<string, Loss | (() => Loss)>> | undefined
  /** Made by {@link customOptimizer}, with the learning rate that it will have. */
  optimizers?: Readonly<Record<string, Optimizer | (() => Optimizer)>> | undefined
  /** Made by {@link customMetric}. */
  metrics?: Readonly<Record<string, Metric | (() => Metric)>> | undefined
  /** Made by {@link customRegularizer}. */
  regularizers?: Readonly<Record<string, Regularizer | (() => Regularizer)>> | undefined
}

type Kind = keyof CustomPartsByName
interface Named {
  layers: Layer
  losses: Loss
  optimizers: Optimizer
  metrics: Metric
  regularizers: Regularizer
}
/** As checked: what functions were given in place of parts has been made. */
export type CustomPartsGiven = Required<CustomPartsByName>

const isRegularizer = (value: unknown): value is Regularizer =>
  typeof value === 'object' && value !== null && 'l1' in value && 'l2' in value

const callNameOf = ({ call }: { call: Call }) => customName(call)
/** What each kind is, the function that makes one, and the name that it was made with. */
const kinds = {
  layers: { is: isLayer, maker: 'customLayer', nameOf: (layer: Layer) => callNameOf(layer.definition) },
  losses: { is: isLoss, maker: 'customLoss', nameOf: callNameOf },
  optimizers: { is: isOptimizer, maker: 'customOptimizer', nameOf: callNameOf },
  metrics: { is: isMetric, maker: 'customMetric', nameOf: callNameOf },
  regularizers: { is: isRegularizer, maker: 'customRegularizer', nameOf: ({ custom }: Regularizer) => custom?.name },
} as {
  [K in Kind]: { is(value: unknown): value is Named[K]; maker: string; nameOf(part: Named[K]): string | undefined }
}

/** The name in `['customLayer', { name: 'meanPool' }]`; undefined for calls of what is not custom. */
export function customName([maker, options]: Call): string | undefined {
  if (!/^custom[A-Z]/.test(maker)) return undefined
  const name = (options as { name?: unknown } | null | undefined)?.name
  return typeof name === 'string' ? name : undefined
}

/** Checks of the options of `loadModel`: `partsOf('layers')`. */
export const partsOf =
  <K extends Kind>(kind: K) =>
  (argument: string, parts: unknown): Readonly<Record<string, Named[K]>> => {
    const { is, maker, nameOf } = kinds[kind]
    if (typeof parts !== 'object' || parts === null) throw invalidArgument(argument, `a record of ${kind}`, parts)
    return Object.fromEntries(
      Object.entries(parts).map(([name, given]) => {
        const part = !is(given) && typeof given === 'function' ? given() : given
        if (!is(part)) throw invalidArgument(`${argument}.${name}`, `what ${maker}() makes`, given)
        const own = nameOf(part)
        if (own === name) return [name, part]
        throw invalidArgument(`${argument}.${name}`, `what ${maker}() makes with this name`, own)
      }),
    )
  }

/** The part that a call in a file names, if the call is one of a custom part. */
export function customPart<K extends Kind>(kind: K, call: unknown, given: CustomPartsGiven): Named[K] | undefined {
  const name = Array.isArray(call) && typeof call[0] === 'string' ? customName(call as unknown as Call) : undefined
  return name === undefined ? undefined : partNamed(kind, name, given)
}

function partNamed<K extends Kind>(kind: K, name: string, given: CustomPartsGiven): Named[K] {
  if (Object.hasOwn(given[kind], name)) return given[kind][name] as Named[K]
  const what = `${kinds[kind].maker} ${short(name)}`
  const shown = /^[A-Za-z_]\w*$/.test(name) ? name : `${short(name)}: …`
  const message = `it has the ${what}, and no file can hold functions: give it, loadModel(file, { ${kind}: { ${shown} } })`
  throw new GradusError('GRADUS_MISSING_FUNCTIONS', message)
}

/** A layer's call with the custom regularizers among its options, of which the file has the names. */
export function withRegularizers(call: unknown, given: CustomPartsGiven): unknown {
  if (!Array.isArray(call)) return call
  return call.map((argument) => {
    if (!isRecord(argument)) return argument
    return Object.fromEntries(Object.entries(argument).map(([key, value]) => [key, regularizer(value, given)]))
  })
}

function regularizer(value: unknown, given: CustomPartsGiven): unknown {
  const custom = isRecord(value) ? value.custom : undefined
  return isRecord(custom) && typeof custom.name === 'string' ? partNamed('regularizers', custom.name, given) : value
}

/** Refuses to write down what nobody could name again. Those of custom layers are made by the layer's own functions. */
export function checkNames(calls: readonly Call[]): void {
  const options = calls.flatMap((call) => (call as readonly unknown[]).filter(isRecord).flatMap(Object.values))
  if (!options.some((value) => isRecord(value) && isRecord(value.custom) && value.custom.name === undefined)) return
  const message =
    'save: a file can hold the name of a custom regularizer alone: customRegularizer({ name, loss, gradient })'
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
