// The small network that all ways begin with, how it is trained, and a list of such networks as a search leaves it.
import { join } from 'node:path'
import { adam, dense, flatten, relu, sequential, softmaxCrossEntropy } from 'gradus'

/** Epochs of every fit but the student's. */
export const epochs = 12
export const fit = { epochs, batchSize: 128 }

export const network = (seed, { width = 128, ...options } = {}) =>
  sequential({ input: [28, 28], seed }, [flatten(), dense(width, { init: 'he' }), relu(), dense(10)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam(options),
    metrics: ['accuracy'],
  })

export async function trained(model, train, options) {
  await model.fit(train, { ...fit, quiet: true, ...options })
  return model
}

/** Files with what their models reach on the validation data. */
export async function searched({ seed, train, validation, dir }) {
  const list = []
  for (const width of [64, 128, 192]) {
    for (const learningRate of [5e-4, 1e-3, 2e-3, 4e-3]) {
      const model = await trained(network(100 * seed + 10 + list.length, { width, learningRate }), train)
      const file = join(dir, `${width}-${learningRate}.safetensors`)
      await model.save(file)
      list.push({ file, score: (await model.evaluate(validation)).accuracy })
    }
  }
  return list
}
