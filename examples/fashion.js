// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 70,000 pictures of clothes, read as bytes from gzipped IDX files.
// Data: Debian's package dataset-fashion-mnist (MIT): apt-get install dataset-fashion-mnist; or give a folder with the files.
// Run: node examples/fashion.js [folder]
import { join } from 'node:path'
import {
  adam,
  batchNorm,
  cosine,
  dense,
  dropout,
  flatten,
  readIdx,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'

const folder = process.argv[2] ?? '/usr/share/datasets/fashion-mnist'
const names = ['T-shirt', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot']
const read = async (part) => ({
  x: await readIdx(join(folder, `${part}-images-idx3-ubyte.gz`)),
  y: await readIdx(join(folder, `${part}-labels-idx1-ubyte.gz`)),
})
const [train, test] = [await read('train'), await read('t10k')]

const block = (units) => [dense(units, { bias: false }), batchNorm(), relu(), dropout(0.3)]
const model = sequential({ input: [28, 28], seed: 1 }, [flatten(), ...block(512), ...block(256), dense(10)])
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy', 'confusionMatrix'] })
const epochs = 10
await model.fit(train, { epochs, batchSize: 256, validation: test, schedule: cosine({ length: epochs }) })

const { accuracy, confusionMatrix } = await model.evaluate(test)
console.log(`accuracy on the test set: ${accuracy.toFixed(4)}`)
const mistakes = confusionMatrix.flatMap((counts, right) =>
  counts.map((count, read) => ({ right, read, count: right === read ? 0 : count })),
)
for (const { right, read, count } of mistakes.sort((a, b) => b.count - a.count).slice(0, 5)) {
  console.log(
    `true ${names[right]}, predicted ${names[read]}: ${count} of ${confusionMatrix[right].reduce((a, b) => a + b)}`,
  )
}
