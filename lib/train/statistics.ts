/** The running statistics of batch norm made anew, for weights that no training has led to. */
import { regroup } from '../data/regroup.js'
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { NativeProgram } from '../native.js'
import { optionsOf } from '../options.js'
import { checkTogether, passRules, resolveThreads } from './calls.js'
import type { EvaluateOptions } from './evaluate.js'
import { isInTraining } from './in-training.js'
import { inputRequirements, openSource } from './source.js'
import type { TrainTarget } from './target.js'
import { callInTurn, inTurn } from './turn.js'

const readOptions = optionsOf<EvaluateOptions>()('recomputeStatistics', passRules, ['data'])

/** Numbers of the parameters that training moves by what it sees, not by gradients. */
export const statisticsOf = (program: NativeProgram): number[] =>
  [...program.parameters.keys()].filter((i) => program.parameters[i]!.isStatistic)

/**
 * What the public function of this name does: of each statistic the mean over the batches, all of one weight, as PyTorch's `update_bn`
 * has it. A batch of a single row is left out.
 */
export async function recomputeStatistics(
  target: Pick<TrainTarget, 'program' | 'inputs' | 'outputShape' | 'conventions'>,
  data: Data,
  options: EvaluateOptions = {},
): Promise<void> {
  checkTogether('recomputeStatistics', data, options)
  const { batchSize, signal, ...read } = readOptions(options)
  const threads = resolveThreads(read.threads)
  const { program } = target
  if (isInTraining(program)) {
    throw new GradusError('GRADUS_BUSY', 'the model is being fitted: await run.done first')
  }
  signal?.throwIfAborted()
  if (statisticsOf(program).length === 0) return
  const source = await openSource(data, inputRequirements(target), signal)
  try {
    const sums: Float64Array[] = []
    let batches = 0
    for await (const dataset of regroup(source.pieces({ signal }), batchSize)) {
      const result = await callInTurn(program, signal, () => program.statistics({ dataset, batchSize, threads }))
      signal?.throwIfAborted()
      batches += result!.batches
      sums.push(result!.sums)
    }
    if (batches === 0) {
      const expected = 'expected at least 2 examples in a batch, which have a variance'
      throw new GradusError('GRADUS_INVALID_ARGUMENT', `data: ${expected}, received fewer`)
    }
    const mean = sums[0]!.map((_, i) => sums.reduce((sum, of) => sum + of[i]!, 0) / batches)
    await inTurn(program, () => writeStatistics(program, mean))
  } catch (error) {
    // A stream that ends with its signal may say so in its own way.
    signal?.throwIfAborted()
    throw error
  } finally {
    source.close()
  }
}

/** All or, where one is not finite, none. */
function writeStatistics(program: NativeProgram, mean: Float64Array): void {
  const parts: [number, Float64Array][] = []
  let first = 0
  for (const i of statisticsOf(program)) {
    const { name, size } = program.parameters[i]!
    const part = mean.subarray(first, first + size)
    if (!part.every(Number.isFinite)) {
      throw new GradusError('GRADUS_NON_FINITE', `${name} would not be finite over these data: it stays as it is`)
    }
    parts.push([i, part])
    first += size
  }
  for (const [i, part] of parts) program.write('parameters', i, part)
}
