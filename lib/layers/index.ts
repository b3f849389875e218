/** The layers. Each factory exported here is one that a saved model may call. */
export {
  type ActivationName,
  type ActivationOptions,
  elu,
  gelu,
  leakyRelu,
  maxout,
  relu,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
} from './activations.js'
export { type Conv2dOptions, conv2d, type Padding2d, type Size2d } from './convolution.js'
export {
  type CustomLayerOptions,
  type CustomParameter,
  customLayer,
} from './custom.js'
export { type DenseOptions, dense } from './dense.js'
export { dropout } from './dropout.js'
export { type EmbeddingOptions, embedding } from './embedding.js'
export type { CustomContext } from './hosted.js'
export { type DistributionInitializer, type Initializer, randomNormal, randomUniform } from './initializers.js'
export { type GraphNode, input, type Layer } from './layer.js'
export { add, concat, merge } from './merge.js'
export { type BatchNormOptions, batchNorm, type LayerNormOptions, layerNorm } from './normalization.js'
export { type CustomRegularizer, customRegularizer, elastic, l1, l2, type Regularizer } from './regularizers.js'
export { flatten, reshape } from './reshape.js'
export { type NormalizationOptions, normalization } from './standard.js'
