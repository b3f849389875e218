/** What an average of weights becomes: a model of its own. */
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { EvaluateOptions } from '../train/evaluate.js'
import { recomputeStatistics, statisticsOf } from '../train/statistics.js'
import type { Compiled } from './compile.js'
import { checkStill } from './idle.js'
import type { Model } from './model.js'
import { checkAverage } from './weights.js'

/** A model, whatever its metrics are. */
type Averaged = Pick<Model, 'program' | 'conventions' | 'getWeights'>

/** What `model.averaged` gives; `make` makes a model of the same network. */
export async function averageOf<Of extends Averaged>(
  model: Of,
  compiled: Compiled,
  make: () => Model,
  data: Data | undefined,
  options: EvaluateOptions,
): Promise<Of> {
  const program = checkStill(model.program)
  checkAverage('averaged', program)
  const [statistic] = statisticsOf(program)
  if (statistic !== undefined && data === undefined) {
    const { name } = program.parameters[statistic]!
    const message = `data: expected the data that the model was trained on, over which ${name} is made anew, received undefined`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'data' })
  }
  const made = make()
  try {
    made.compile(compiled)
    made.setWeights(model.getWeights({ average: true }))
    Object.assign(made.conventions, model.conventions)
    if (data !== undefined) await recomputeStatistics(made, data, options)
    return made as unknown as Of
  } catch (error) {
    made.dispose()
    throw error
  }
}
