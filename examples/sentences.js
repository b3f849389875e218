// Short texts by an embedding: each word a row of a table, a text the mean of its words, with a mask for padding. The words and
// their numbers are kept in the model's file. The texts are made up here: a few words carry the sense, others do not.
import * as gradus from 'gradus'

const senses = { good: ['great', 'lovely', 'fine', 'superb'], bad: ['awful', 'dull', 'poor', 'boring'] }
const fillers = ['the', 'film', 'was', 'a', 'story', 'and', 'plot', 'it', 'had', 'cast']
const pick = (list, i) => list[Math.floor(Math.abs(Math.sin(i * 12.9898)) * 43758.5453) % list.length] // repeatable
const y = Array.from({ length: 400 }, (_, i) => (i % 2 ? 'good' : 'bad'))
const texts = y.map((sense, i) => {
  const others = Array.from({ length: 3 + (i % 5) }, (_, k) => pick(fillers, 31 * i + k))
  return [...others, pick(senses[sense], i), pick(fillers, 7 * i)].join(' ')
})

// A tokenizer: 0 stands for padding, 1 for words that were not seen. The mask says how much each position counts.
const [length, dimension] = [10, 8]
const words = ['(padding)', '(unknown)', ...new Set(texts.join(' ').split(' '))]
function encode(list, known) {
  const read = (text) => text.toLowerCase().split(/\s+/).slice(0, length)
  const filled = (numbers) => [...numbers, ...Array(length - numbers.length).fill(0)]
  return {
    words: list.map((text) => filled(read(text).map((word) => Math.max(1, known.indexOf(word))))),
    mask: list.map((text) => filled(read(text).map((_, __, all) => 1 / all.length))),
  }
}

/** Of (positions × dimension) numbers and a mask of so many positions: the sum over the positions, weighted by the mask. */
const masked = gradus.customLayer({
  name: 'masked',
  outputShape: () => [dimension],
  forward(x, _, { batch, cache }) {
    cache.x = x
    const y = new x.constructor(batch * dimension)
    each(batch, (vector, mask, out) => (y[out] += x[mask] * x[vector]))
    return y
  },
  backward(dy, _, { batch, cache: { x } }) {
    const dx = new x.constructor(x.length)
    each(batch, (vector, mask, out) => {
      dx[vector] = x[mask] * dy[out]
      dx[mask] += x[vector] * dy[out]
    })
    return { dx }
  },
})
function each(batch, work) {
  const width = length * dimension
  for (let i = 0; i < batch * width; i++) {
    const [text, at] = [Math.floor(i / width), i % width]
    const begin = text * (width + length)
    work(begin + at, begin + width + Math.floor(at / dimension), text * dimension + (at % dimension))
  }
}

const [ids, mask] = [gradus.input([length], { name: 'words' }), gradus.input([length], { name: 'mask' })]
const vectors = gradus.flatten()(gradus.embedding(words.length, dimension)(ids))
const output = gradus.dense(2)(masked(gradus.concat(vectors, mask)))
const model = gradus.graph({ inputs: [ids, mask], output, seed: 1 })
const [loss, optimizer] = [gradus.softmaxCrossEntropy(), gradus.adam({ learningRate: 0.02 })]
model.compile({ loss, optimizer, metrics: ['accuracy'] })
const { train, test } = gradus.split({ x: encode(texts, words), y }, { stratify: true })
console.log(`gradient: ${(await gradus.gradientCheck(model, train, { examples: 20 })).verdict}`)
await model.fit(train, { epochs: 10, quiet: true }).done
console.log(`accuracy on texts not seen: ${(await model.evaluate(test)).accuracy}`)
const bytes = await model.toBuffer({ metadata: { words } })

const loaded = await gradus.loadModel(bytes, { layers: { masked } })
const asked = ['A superb story', 'It was dull and the cast was poor']
const found = await loaded.predictClasses(encode(asked, loaded.metadata.words))
for (const [i, text] of asked.entries()) console.log(`${text}: ${found[i]}`)
