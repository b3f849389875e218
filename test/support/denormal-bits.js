// Prints the bits of kernels and of a training whose numbers are denormal; with a library's path, after loading that.
import { dense, meanSquaredError, sequential, sgd } from 'gradus'
import { exp, sgdStep } from 'gradus/kernels'

/** Made from bits: float arithmetic would flush them here already. */
const floats = (length, bits) => new Float32Array(Uint32Array.from({ length }, (_, i) => bits + i).buffer)
const bitsOf = (array) => [...new Uint32Array(array.buffer, array.byteOffset, array.length)]

const [library] = process.argv.slice(2)
if (library) {
  try {
    process.dlopen({ exports: {} }, library)
  } catch {
    // It is no addon; its constructor has run.
  }
}
const flushed = Number('2.3e-308') / 4 === 0

const bits = {}
bits.exp = bitsOf(exp(Float32Array.of(-100, -90), new Float32Array(2)))
const weights = floats(3, 1000)
sgdStep(floats(3, 2000), weights, { learningRate: 0.25 })
bits.sgdStep = bitsOf(weights)

const model = sequential({ input: [64], seed: 3 }, [dense(64, { bias: false }), dense(3, { bias: false })])
model.compile({ loss: meanSquaredError(), optimizer: sgd({ learningRate: 1e36 }) })
const rows = 300
const data = { x: floats(rows * 64, 1000), y: new Float32Array(rows * 3).fill(1) }
await model.fit(data, { epochs: 2, batchSize: 150, threads: 3, shuffle: false, quiet: true }).done
bits.weights = Object.values(model.getWeights()).flatMap(({ data }) => bitsOf(data))
bits.prediction = bitsOf((await model.predict(data.x.slice(0, 64))).data)
console.log(JSON.stringify({ flushed, bits }))
