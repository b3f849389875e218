// What is trained on the GPU of these tests: the emulated one, which `npm run test:emulated` builds before it runs them, or
// where GRADUS_CUDA_LIBRARY is a card's library that card.
import { fileURLToPath } from 'node:url'
import { adam, batchNorm, dense, dropout, l2, relu, sequential, softmaxCrossEntropy } from 'gradus'
import { numbers } from '../support/reference.js'

const emulated = fileURLToPath(new URL('../../build-emulated/gradus_emulated.so', import.meta.url))
process.env.GRADUS_CUDA_LIBRARY ??= emulated
export const isEmulated = process.env.GRADUS_CUDA_LIBRARY === emulated
export const place = isEmulated ? 'emulated:0' : 'cuda:0'

export const [rows, inputs, classes] = [40, 6, 3]
export const dataOf = (rows) => ({
  x: numbers(rows * inputs, 3),
  y: Int32Array.from({ length: rows }, (_, i) => (i * 7) % classes),
})
export const data = dataOf(rows)

export const model = (device, { middle = relu(), dtype = 'float32', seed = 3, ...options } = {}) =>
  sequential({ input: [inputs], seed, dtype }, [
    dense(9, { regularizer: l2(1e-3) }),
    batchNorm(),
    middle,
    dropout(0.3),
    dense(classes),
  ]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.01 }),
    metrics: ['accuracy', 'logLoss'],
    device,
    ...options,
  })
export const options = { epochs: 2, batchSize: 16, quiet: true, clipNorm: 0.5 }
