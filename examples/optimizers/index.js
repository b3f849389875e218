// What two animations in CS231n's notes (cs231n.github.io/neural-networks-3) show: optimizers in a ravine and on a saddle,
// here all of Gradus. node examples/optimizers/index.js [folder] [--still]
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { adaDelta, adagrad, adam, adamW, amsgrad, lion, muon, nadam, rmsprop, sgd } from 'gradus'
import { ravine, saddle } from './surface.js'
import { draw } from './svg.js'
import { trajectory } from './trajectory.js'

const optimizers = {
  sgd,
  momentum: (options) => sgd({ ...options, momentum: 0.9 }),
  nesterov: (options) => sgd({ ...options, momentum: 0.9, nesterov: true }),
  adagrad,
  adaDelta,
  rmsprop,
  adam,
  adamW,
  amsgrad,
  nadam,
  lion,
  muon,
}

// The first three share a rate, so that only momentum differs. Adam, AdamW and AMSGrad at one rate would hide each other.
// AdaDelta would begin with steps of √ε = 0.001, too short for a picture.
const pictures = {
  ravine: {
    title: 'A ravine: momentum overshoots, adaptive rates cut the corner',
    surface: ravine,
    marked: 40,
    rates: {
      ...{ sgd: 0.15, momentum: 0.15, nesterov: 0.15, adagrad: 0.5, adaDelta: 20, rmsprop: 0.05 },
      ...{ adam: 0.2, adamW: 0.14, amsgrad: 0.1, nadam: 0.1, lion: 0.1, muon: 0.06 },
    },
  },
  saddle: {
    title: 'A saddle: SGD stays at the top, adaptive rates leave at once',
    surface: saddle,
    marked: 24,
    rates: {
      ...{ sgd: 0.05, momentum: 0.05, nesterov: 0.05, adagrad: 0.15, adaDelta: 10, rmsprop: 0.03 },
      ...{ adam: 0.07, adamW: 0.05, amsgrad: 0.03, nadam: 0.03, lion: 0.02, muon: 0.04 },
    },
  },
}

const steps = 150
const words = process.argv.slice(2)
const still = words.includes('--still')
const folder = words.find((word) => word !== '--still') ?? '.'
for (const [name, { title, surface, marked, rates }] of Object.entries(pictures)) {
  const trails = []
  for (const [optimizer, make] of Object.entries(optimizers)) {
    const learningRate = rates[optimizer]
    trails.push({ name: optimizer, learningRate, points: await trajectory(surface, make({ learningRate }), steps) })
  }
  const notes = `${steps} steps from one start${still ? `, marks after ${marked}` : ''}. Darker is lower. Numbers are learning rates.`
  const file = join(folder, `${name}.svg`)
  writeFileSync(file, draw({ title, notes, surface, trails, marked: still ? marked : undefined }))
  console.log(file)
}
