// Trains on data of MNIST's size and prints the longest time, in milliseconds, for which the event loop did not turn.
import { adam, dense, relu, sequential, softmaxCrossEntropy } from '../../dist/index.js'

const examples = 60000
const x = Uint8Array.from({ length: examples * 784 }, () => Math.random() * 256)
const y = Int32Array.from({ length: examples }, () => Math.floor(Math.random() * 10))
const model = sequential({ input: [784], seed: 1 }, [dense(256), relu(), dense(10)])
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] })

let longest = 0
let last = performance.now()
let running = true
function turn() {
  const now = performance.now()
  longest = Math.max(longest, now - last)
  last = now
  if (running) setImmediate(turn)
}
await new Promise((resolve) => setTimeout(resolve, 50))
last = performance.now()
turn()
await model.fit({ x, y }, { epochs: 2, batchSize: 128, threads: 1, quiet: true }).done
turn()
running = false
console.log(longest)
