// Trains into the run directory given until it is killed.
import { dense, relu, sequential, sgd, softmaxCrossEntropy } from '../../dist/index.js'

const model = sequential({ input: [64], seed: 1 }, [dense(7), relu(), dense(3)])
model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 0.001 }) })
const x = Float32Array.from({ length: 70 * 64 }, (_, i) => Math.sin(i * i))
const y = Int32Array.from({ length: 70 }, (_, i) => (i * i) % 3)
await model.fit({ x, y }, { epochs: 1e9, batchSize: 16, dir: process.argv[2], quiet: true }).done
