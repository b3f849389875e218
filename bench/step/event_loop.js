// Argument: number of threads. Trains on data of MNIST's size and prints by how many milliseconds, at worst, a timer of
// one millisecond came late meanwhile: the longest time for which the event loop did not turn. With --expose-gc what making
// the data has left to the collector is collected before.
import { adam, dense, relu, sequential, softmaxCrossEntropy } from '../../dist/index.js'

const threads = Number(process.argv[2])
const examples = 60000
const x = Uint8Array.from({ length: examples * 784 }, () => Math.random() * 256)
const y = Int32Array.from({ length: examples }, () => Math.floor(Math.random() * 10))
const model = sequential({ input: [784], seed: 1 }, [dense(256), relu(), dense(10)])
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] })

const interval = 1
let longest = 0
let last = performance.now()
const turn = () => {
  const now = performance.now()
  longest = Math.max(longest, now - last - interval)
  last = now
}
const timer = setInterval(turn, interval)
globalThis.gc?.()
await new Promise((resolve) => setTimeout(resolve, 50))
longest = 0
await model.fit({ x, y }, { epochs: 2, batchSize: 128, threads, quiet: true }).done
turn()
clearInterval(timer)
console.log(longest)
