/** Whether a model's inputs, loss and device go with what `augment` says. */
import type { Augmentation } from '../data/augment.js'
import { GradusError } from '../errors.js'
import { checkImageInput } from './image-input.js'
import type { TrainTarget } from './target.js'

type Target = Pick<TrainTarget, 'inputs' | 'loss' | 'program'>

/** @throws `GRADUS_INVALID_ARGUMENT`; `GRADUS_NO_DEVICE` on a GPU, which has no kernels for it */
export function checkAugmentable({ inputs, loss, program }: Target, augment: readonly Augmentation[]): void {
  if (augment.length === 0) return
  checkImageInput('augment', inputs)
  const mixing = augment.find(({ mixes }) => mixes)
  if (mixing && loss.targets === 'labels') {
    const name = loss.kind.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
    const expected = `a loss that takes two labels beside ${mixing.call[0]}, as softmaxCrossEntropy()`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `augment: expected ${expected}, received ${name}`)
  }
  if (program.device === 'cpu') return
  const message = `augment: ${program.device} has no kernel convert_images yet: train on the processor`
  throw new GradusError('GRADUS_NO_DEVICE', message)
}
