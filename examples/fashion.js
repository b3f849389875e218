// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 70,000 pictures of clothes, read as bytes from gzipped IDX files.
// Data: Debian's package dataset-fashion-mnist (MIT): apt-get install dataset-fashion-mnist; or give a folder with the files.
// Run: node examples/fashion.js [folder]
import { join } from 'node:path'
import {
  adam,
  batchNorm,
  dense,
  dropout,
  flatten,
  oneCycle,
  readIdx,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'

const folder = process.argv[2] ?? '/usr/share/datasets/fashion-mnist'
const classes = ['T-shirt', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'boot']
const read = async (part) => ({
  x: await readIdx(join(folder, `${part}-images-idx3-ubyte.gz`)),
  y: await readIdx(join(folder, `${part}-labels-idx1-ubyte.gz`)),
  classes,
})
const [train, test] = [await read('train'), await read('t10k')]

const block = (units) => [dense(units, { bias: false }), batchNorm(), relu(), dropout(0.3)]
const model = sequential({ input: [28, 28], seed: 1 }, [flatten(), ...block(256), ...block(128), dense(10)])
const metrics = ['accuracy', 'confusionMatrix']
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 2e-3 }), metrics })
const epochs = 8
await model.fit(train, { epochs, batchSize: 256, validation: test, schedule: oneCycle({ length: epochs }) })

const { accuracy, confusionMatrix } = await model.evaluate(test)
console.log(confusionMatrix)
console.log(`accuracy on the test set: ${accuracy.toFixed(4)}`)
const first = test.x.data.subarray(0, 28 * 28)
console.log(`the first picture: ${await model.predictClasses(first)}`)
