// Argument: number of the net. Prints evaluations, seconds and verdict of one gradient check, the second in its process.
import { adam, dense, gradientCheck, relu, sequential, softmaxCrossEntropy } from '../../dist/index.js'
import nets from './nets.json' with { type: 'json' }

const { widths, examples } = nets[process.argv[2]]
const hidden = widths.slice(1, -1).flatMap((width) => [dense(width), relu()])
const model = sequential({ input: [widths[0]], seed: 1 }, [...hidden, dense(widths.at(-1))])
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
const data = {
  x: Float32Array.from({ length: examples * widths[0] }, () => Math.random() * 2 - 1),
  y: Int32Array.from({ length: examples }, () => Math.floor(Math.random() * widths.at(-1))),
}

async function check() {
  let evaluations = 0
  const onProgress = ({ done }) => {
    evaluations = done
  }
  const begin = performance.now()
  const { verdict } = await gradientCheck(model, data, { examples, threads: 2, onProgress })
  return { evaluations, seconds: (performance.now() - begin) / 1000, verdict }
}

await check()
console.log(JSON.stringify(await check()))
