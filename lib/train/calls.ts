/** What every call takes: batch size, threads, a signal. */
import { availableParallelism } from 'node:os'
import { checkOptional, checkPositiveInteger, oneOf } from '../checks.js'
import { describe, GradusError, invalidArgument } from '../errors.js'
import type { NativePredictor, NativeProgram } from '../native.js'
import { checkImageInput, type Input } from './image-input.js'

/** Of data in memory; a stream brings its own. */
export const defaultBatchSize = 32

/** Of passes that do not train. */
export const passBatchSize = 256

/** 0 until somebody asks: to ask the system takes as long as the prediction of a small model. */
let cores = 0

/** The number of threads asked for: `GRADUS_THREADS`, else the option, else one a core. */
export function resolveThreads(threads: number | undefined): number {
  const forced = process.env.GRADUS_THREADS
  if (forced) return checkPositiveInteger('GRADUS_THREADS', Number(forced))
  cores ||= availableParallelism()
  return checkOptional(checkPositiveInteger, 'threads', threads) ?? cores
}

export function checkSignal(argument: string, signal: unknown): AbortSignal {
  if (!(signal instanceof AbortSignal)) throw invalidArgument(argument, 'an AbortSignal', signal)
  return signal
}

/** @throws `GRADUS_INVALID_ARGUMENT` for x and y apart, as other libraries take them. */
export function checkTogether(owner: string, data: unknown, options: unknown): void {
  if (!Array.isArray(options) && !ArrayBuffer.isView(options)) return
  const received = `received ${describe(data)} and ${describe(options)}`
  const message = `${owner}: expected the data as { x, y } and then the options, ${received}; write ${owner}({ x, y }, { … })`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** What every pass takes that does not train, for lists of options. */
export const passRules = {
  batchSize: [checkPositiveInteger, passBatchSize],
  threads: checkPositiveInteger,
  signal: checkSignal,
} as const

/** What `evaluate` and `predict` take. */
export const evaluateRules = {
  ...passRules,
  weights: [oneOf('current', 'average'), 'current'],
  views: oneOf('mirror'),
} as const

/** Whether images are to be seen mirrored as well. @throws `GRADUS_INVALID_ARGUMENT` where there are none */
export function checkMirrored(inputs: readonly Input[], views: 'mirror' | undefined): boolean {
  if (views === undefined) return false
  checkImageInput('views', inputs)
  return true
}

/** Whether passes are to go by the average. @throws `GRADUS_INVALID_ARGUMENT` where the program keeps none. */
export function checkAveraged(program: NativePredictor, weights: 'current' | 'average' = 'current'): boolean {
  if (weights === 'current') return false
  const { arenas = [] } = program as Partial<NativeProgram>
  if (arenas.includes('average')) return true
  const remedy = 'compile it with an optimizer that keeps one, as adam({ average: averagedWeights() })'
  const message = `weights: expected 'current' of a model that has no average of its weights, received 'average'; ${remedy}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'weights', expected: "'current'" })
}
