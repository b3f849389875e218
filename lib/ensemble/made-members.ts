/** The untrained members of an ensemble, made by the user's function. */
import { GradusError, invalidArgument } from '../errors.js'
import { Model } from '../model/model.js'

/**
 * A model of each seed, in order; when one fails, those before it are disposed of.
 *
 * @throws GRADUS_INVALID_ARGUMENT for what is no new model, and for two that would come to the same weights; GRADUS_NOT_COMPILED
 */
export async function makeMembers(
  make: (seed: number) => Model | Promise<Model>,
  seeds: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Model[]> {
  const made: Model[] = []
  try {
    for (const seed of seeds) {
      signal?.throwIfAborted()
      made.push(checkMade(await make(seed), seed, made))
    }
    signal?.throwIfAborted()
    return made
  } catch (error) {
    for (const model of made) model.dispose()
    throw error
  }
}

function checkMade(model: Model, seed: number, before: readonly Model[]): Model {
  if (!(model instanceof Model)) throw invalidArgument(`the result of make(${seed})`, 'a compiled model', model)
  if (before.includes(model)) {
    const message = `make: expected a new model for each seed, received the same again for seed ${seed}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  if (!model.parts().compiled) {
    throw new GradusError(
      'GRADUS_NOT_COMPILED',
      `make: call compile({ loss, optimizer }) of the model for seed ${seed}`,
    )
  }
  if (before.some((other) => isTwin(model, other))) {
    const problem = `received for seed ${seed} one with the weights and the seed of another`
    const remedy = 'pass the seed on, as in (seed) => sequential({ input, seed }, layers).compile(options)'
    throw new GradusError(
      'GRADUS_INVALID_ARGUMENT',
      `make: expected models that begin differently, ${problem}; ${remedy}`,
    )
  }
  return model
}

/** The seed decides the order of the examples and what dropout drops; all else of a training is the same. */
function isTwin(one: Model, other: Model): boolean {
  if (one.seed !== other.seed) return false
  const [weights, others] = [one.getWeights(), other.getWeights()]
  const names = Object.keys(weights)
  if (names.length !== Object.keys(others).length) return false
  return names.every((name) => {
    const [data, otherData] = [weights[name]!.data, others[name]?.data]
    return otherData?.length === data.length && data.every((value, i) => Object.is(value, otherData[i]))
  })
}
