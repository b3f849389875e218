/** Whether a model is of images. */
import { GradusError } from '../errors.js'

export interface Input {
  readonly shape: readonly number[]
  readonly kind: 'real' | 'index'
}

/** @throws `GRADUS_INVALID_ARGUMENT` where there is not one input of images, naming what needs it */
export function checkImageInput(argument: string, inputs: readonly Input[]): void {
  const images = inputs.filter(({ shape, kind }) => kind === 'real' && shape.length === 3)
  if (images.length === 1) return
  const shapes = inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ')
  const received = images.length > 1 ? `${images.length} of them` : shapes
  const advice = inputs[0]?.shape.length === 2 ? '; an input of [28, 28, 1] takes [28, 28] as well' : ''
  const message = `${argument}: expected one input of images, [height, width, channels], received ${received}${advice}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}
