// npm's `hyperparameters` as a sampler of ours: its random search, the only one of its searches that goes beyond a grid.
import * as hyperparameters from 'hyperparameters'

const expressions = {
  uniform: ({ low, high, step }) =>
    step ? hyperparameters.quniform(low, high, step) : hyperparameters.uniform(low, high),
  logUniform: ({ low, high }) => hyperparameters.loguniform(Math.log(low), Math.log(high)),
  integer: ({ low, high, log }) =>
    log
      ? hyperparameters.qloguniform(Math.log(low), Math.log(high), 1)
      : hyperparameters.quniform(low - 0.499, high + 0.499, 1),
  choice: ({ values }) => hyperparameters.choice(values),
  branches: ({ branches }) =>
    hyperparameters.choice(Object.entries(branches).map(([name, own]) => ({ name, ...spaceOf(own) }))),
}
const spaceOf = (parameters) =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => [name, expressions[parameter.kind](parameter)]),
  )

export const randomOfHyperparameters = () => ({
  suggest({ space, seed, number }) {
    const rng = new hyperparameters.RandomState(1000 * seed + number)
    return hyperparameters.sample.randomSample(spaceOf(space.parameters), { rng })
  },
})
