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
export { type Conv1dOptions, type Conv2dOptions, conv1d, conv2d } from './convolution.js'
export {
  type CustomLayerOptions,
  type CustomParameter,
  customLayer,
} from './custom.js'
export { type DenseOptions, dense } from './dense.js'
export {
  type DepthwiseConv2dOptions,
  depthwiseConv2d,
  type SeparableConv2dOptions,
  separableConv2d,
} from './depthwise.js'
export { dropout, spatialDropout } from './dropout.js'
export { type EmbeddingOptions, embedding } from './embedding.js'
export type { CustomContext } from './hosted.js'
export { type DistributionInitializer, type Initializer, randomNormal, randomUniform } from './initializers.js'
export { type GraphNode, input, type Layer } from './layer.js'
export { add, concat, merge } from './merge.js'
export { type BatchNormOptions, batchNorm, groupNorm, type LayerNormOptions, layerNorm } from './normalization.js'
export {
  type AveragePool1dOptions,
  type AveragePool2dOptions,
  averagePool1d,
  averagePool2d,
  globalAveragePool,
  globalMaxPool,
  maxPool1d,
  maxPool2d,
  type Pool1dOptions,
  type Pool2dOptions,
} from './pooling.js'
export { type CustomRegularizer, customRegularizer, elastic, l1, l2, type Regularizer } from './regularizers.js'
export { flatten, reshape } from './reshape.js'
export { cropping2d, type Sides2d, type Upsample2dOptions, upsample2d, zeroPadding2d } from './resize.js'
export { type NormalizationOptions, normalization } from './standard.js'
export { type Conv2dTransposeOptions, conv2dTranspose } from './transposed.js'
export type { Padding1d, Padding2d, Size2d } from './windows.js'
