export { type TensorboardOptions, tensorboard } from './tensorboard.js'
