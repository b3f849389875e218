// Three spiral arms in the plane, the toy data of CS231n's notes (cs231n.github.io/neural-networks-case-study): no line
// separates them, a small network does. Draws what it has learned.
import { adam, dense, l2, relu, sequential, softmaxCrossEntropy } from 'gradus'

const arms = 3
const perArm = 100
const noise = (i) => Math.sin(i * 12.9898) * Math.cos(i * 78.233) // repeatable, between -1 and 1
const x = []
const y = []
for (let arm = 0; arm < arms; arm++) {
  for (let i = 0; i < perArm; i++) {
    const radius = i / perArm
    const angle = 4 * (arm + radius) + 0.3 * noise(arm * perArm + i)
    x.push([radius * Math.sin(angle), radius * Math.cos(angle)])
    y.push(arm)
  }
}

const layers = [dense(100, { regularizer: l2(1e-4) }), relu(), dense(arms)]
const model = sequential({ input: [2], seed: 1 }, layers)
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 0.01 }), metrics: ['accuracy'] })
await model.fit({ x, y }, { epochs: 300, batchSize: 50, quiet: true })
const { loss, accuracy } = await model.evaluate({ x, y })
console.log(`loss ${loss.toFixed(3)}, accuracy ${(100 * accuracy).toFixed(1)} %\n`)

const [width, height] = [60, 28]
const grid = Array.from({ length: width * height }, (_, i) => [
  ((i % width) / (width - 1)) * 2.2 - 1.1,
  1.1 - (Math.floor(i / width) / (height - 1)) * 2.2,
])
const map = Array.from(await model.predictClasses(grid), (arm) => '·+#'[arm]).join('')
for (let row = 0; row < height; row++) console.log(map.slice(row * width, (row + 1) * width))
