// Which language a word is in, by an embedding: each pair of letters is a row of a table, a word the mean of its rows, with a
// mask that leaves out the padding. The pairs and their numbers are kept in the model's file.
// Data: names of languages in Unicode's CLDR, which Node.js has in it (Unicode-3.0). Run: node examples/languages.js
import * as gradus from 'gradus'

const letters = [...'abcdefghijklmnopqrstuvwxyz']
const codes = letters.flatMap((a) => letters.flatMap((b) => ['', ...letters].map((c) => a + b + c)))
const languageOf = new Map() // null: the same in several
for (const language of ['de', 'en', 'fr', 'pl', 'tr']) {
  const names = new Intl.DisplayNames(language, { type: 'language', fallback: 'none' })
  for (const word of codes.flatMap((code) => names.of(code)?.toLowerCase() ?? []))
    languageOf.set(word, languageOf.has(word) ? null : language)
}
const words = [...languageOf.keys()].filter((word) => languageOf.get(word))

// A tokenizer: 0 stands for padding, 1 for pairs that were not seen. The mask says how much each position counts.
const [length, dimension] = [20, 24]
const pairsOf = (word) => [...word, ' '].map((letter, i) => (word[i - 1] ?? ' ') + letter).slice(0, length)
const known = ['(padding)', '(unknown)', ...new Set(words.flatMap(pairsOf))]
function encode(words, known) {
  const fill = (row) => [...row, ...Array(length - row.length).fill(0)]
  const rows = words.map((word) => pairsOf(word.toLowerCase()).map((pair) => Math.max(1, known.indexOf(pair))))
  return { pairs: rows.map(fill), mask: rows.map((row) => fill(row.map(() => 1 / row.length)).map((share) => [share])) }
}

// Of (batch, length) vectors, each with its share behind it, the sums. i counts through the vectors' numbers.
const at = (i) => i + Math.floor(i / dimension)
const shareAt = (i) => at(i) - (i % dimension) + dimension
const sumAt = (i) => Math.floor(i / dimension / length) * dimension + (i % dimension)
const maskedMean = gradus.customLayer({
  name: 'maskedMean',
  outputShape: () => dimension,
  forward(x, _, { batch, cache }) {
    cache.x = x
    const y = new x.constructor(batch * dimension)
    for (let i = 0; i < batch * length * dimension; i++) y[sumAt(i)] += x[shareAt(i)] * x[at(i)]
    return y
  },
  backward(dy, _, { batch, cache: { x } }) {
    const dx = x.map(() => 0) // nothing for the shares, which are data
    for (let i = 0; i < batch * length * dimension; i++) dx[at(i)] = x[shareAt(i)] * dy[sumAt(i)]
    return { dx }
  },
})

const [pairs, mask] = [gradus.input([length], { name: 'pairs' }), gradus.input([length, 1], { name: 'mask' })]
const mean = maskedMean(gradus.concat(gradus.embedding(known.length, dimension)(pairs), mask))
const model = gradus.graph({ inputs: [pairs, mask], output: gradus.dense(5)(mean), seed: 1 })
const [loss, optimizer] = [gradus.softmaxCrossEntropy(), gradus.adam({ learningRate: 0.01 })]
model.compile({ loss, optimizer, metrics: ['accuracy', 'confusionMatrix'] })
const data = { x: encode(words, known), y: words.map((word) => languageOf.get(word)) }
const { train, test } = gradus.split(data, { stratify: true, seed: 1 })
await model.fit(train, { epochs: 10, validation: test })
const { accuracy, confusionMatrix } = await model.evaluate(test)
console.log(confusionMatrix, `\naccuracy on words not seen: ${accuracy.toFixed(3)}`)
const loaded = await gradus.loadModel(await model.toBuffer({ metadata: { known } }), { layers: { maskedMean } })
const asked = ['Elbisch', 'Elvish', 'elfique', 'elficki', 'Elfçe']
const found = await loaded.predictClasses(encode(asked, loaded.metadata.known))
console.log(asked.map((word, i) => `${word}: ${found[i]}`).join(', '))
