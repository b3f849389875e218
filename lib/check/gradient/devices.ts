/** That a GPU's gradient has the processor's bits, before it is held against differences. */
import type { Dataset } from '../../data/dataset.js'
import { GradusError } from '../../errors.js'
import type { ModelCopy } from '../../model/copy.js'
import type { Model } from '../../model/model.js'
import type { FloatArray } from '../../native.js'
import { adaptFirst } from '../../train/adapt.js'
import { requirementsOf, residentSource } from '../../train/source.js'
import { callInTurn } from '../../train/turn.js'
import type { CheckSettings } from './options.js'
import { burnIn, passOf } from './passes.js'

/**
 * In the model's own type. Nothing to do where the model is on the processor.
 *
 * @throws GRADUS_WRONG_GRADIENT, which names the first number that differs
 */
export async function checkDevices(model: Model, examples: Dataset, settings: CheckSettings): Promise<void> {
  const { device } = model
  if (device === 'cpu') return
  const there = await gradients(model.copy(), examples, settings)
  const here = await gradients(
    model.copy((descriptor) => descriptor, 'cpu'),
    examples,
    settings,
  )
  for (const [name, ours] of there) {
    const theirs = here.get(name)!
    // Any NaN is like any other; zeros have a sign.
    const element = ours.findIndex((value, i) => !Object.is(value, theirs[i]))
    if (element < 0) continue
    const numbers = `${ours[element]} on ${device} and ${theirs[element]} on the processor`
    const message = `model: the gradient of ${name}[${element}] is ${numbers}, which should be the same number`
    throw new GradusError('GRADUS_WRONG_GRADIENT', message)
  }
}

/** By the parameter's name. The copy is gone then. */
async function gradients(
  copy: ModelCopy,
  examples: Dataset,
  settings: CheckSettings,
): Promise<Map<string, FloatArray>> {
  const { program, descriptor } = copy
  try {
    const dataset = await examples.resident(requirementsOf(copy))
    await adaptFirst(copy, residentSource(dataset), { signal: settings.signal })
    await burnIn(copy, dataset, settings)
    const call = () => program.gradient({ ...passOf(dataset, settings), term: 'total' })
    await callInTurn(program, settings.signal, call)
    settings.signal?.throwIfAborted()
    const all = descriptor.parameters.map(({ name, trainable }, number) => ({ name, trainable, number }))
    const trained = all.filter(({ trainable }) => trainable)
    return new Map(trained.map(({ name, number }) => [name, program.read('gradients', number)]))
  } finally {
    copy.dispose()
  }
}
