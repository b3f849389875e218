// What the search of study.js has found: its best model on the test set, which is looked at once, and the ten best together.
// Run: node examples/search/best.js [folder of the study]
import { adam, ensemble, softmaxCrossEntropy } from 'gradus'
import { openStudy } from 'gradus/search'
import { readPictures } from '../ensemble/data.js'

const { test } = await readPictures('mnist', 1)
const study = await openStudy(process.argv[2] ?? 'studies/study')
const { number, value, params } = await study.best()
console.log(`best of ${(await study.trials()).length} trials: ${number}, on validation ${value}`, params)

const compiled = (model) => model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] })
const accuracy = async ({ model }) => (await compiled(model).evaluate(test)).accuracy
console.log('on the test set:', await study.finalTest(accuracy))

const models = await study.topModels(10)
const together = await ensemble(models.map(compiled)).evaluate(test)
console.log(`the best ${models.length} together:`, together.accuracy)
