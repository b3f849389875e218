// Compiled, never run: what a trial is given is inferred from the space.
import { choice, integer, logUniform, uniform } from '../../dist/search/space/parameters.js'
import { checkSpace, type ParamsOf } from '../../dist/search/space/space.js'

const space = {
  learningRate: logUniform(1e-6, 10),
  hidden: integer(32, 512, { log: true, most: undefined }),
  norm: choice([null, 'batch', 'layer']),
  sizes: choice([[32, 32], [64]]),
  optimizer: choice({
    adam: { beta1: uniform(0.8, 0.99) },
    nesterov: { momentum: uniform(0.5, 0.99), warm: choice([true, false]) },
    sgd: {},
  }),
}

interface Expected {
  learningRate: number
  hidden: number
  norm: null | 'batch' | 'layer'
  sizes: readonly [32, 32] | readonly [64]
  optimizer: { name: 'adam'; beta1: number } | { name: 'nesterov'; momentum: number; warm: boolean } | { name: 'sgd' }
}
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const ofParameters: Same<ParamsOf<typeof space>['optimizer'], Expected['optimizer']> = true
const checked = checkSpace(space)

export function trial(params: ParamsOf<typeof checked>, also: ParamsOf<typeof space>): void {
  const all: Expected = params
  const back: typeof params = all
  const rate: number = also.learningRate
  if (params.optimizer.name === 'adam') {
    const beta: number = params.optimizer.beta1
    // @ts-expect-error: a parameter of the other branch
    console.log(params.optimizer.momentum, beta)
  }
  // @ts-expect-error: no branch of this name
  if (params.optimizer.name === 'rmsprop') console.log('never')
  // @ts-expect-error: there is no such parameter
  console.log(params.depth)
  // @ts-expect-error: a number, not a text
  const text: string = params.hidden
  const norm: 'batch' | 'layer' | null = params.norm
  console.log(all, back, rate, text, norm, ofParameters)
}

// @ts-expect-error: a misspelt option
uniform(0, 1, { stepp: 0.1 })
// @ts-expect-error: a step is of a linear scale
logUniform(1, 10, { step: 1 })
// @ts-expect-error: nothing that JSON can hold
choice([() => 1])
// @ts-expect-error: a list is no parameter
checkSpace({ norm: ['batch', 'layer'] })
