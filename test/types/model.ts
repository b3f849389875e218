// Compiled, never run: what the types let through, and after @ts-expect-error what they do not.
import {
  adam,
  add,
  customLayer,
  customLoss,
  dense,
  dropout,
  type Evaluation,
  embedding,
  type GradientReport,
  type GraphNode,
  gradientCheck,
  gradientCheckFunction,
  graph,
  input,
  type Layer,
  l2,
  loadModel,
  type Model,
  type NestedNumbers,
  type Predictions,
  randomNormal,
  relu,
  sanityCheck,
  sequential,
  softmaxCrossEntropy,
  stepDecay,
  topKAccuracy,
  type Verdict,
  type Weights,
} from 'gradus'

// The example of the documentation.
const model = sequential({ input: [784], seed: 1 }, [
  dense(256, { init: 'he', regularizer: l2(1e-4) }),
  relu(),
  dropout(0.5),
  dense(10),
])
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 1e-3 }), metrics: ['accuracy'] })

export async function example(x: Float32Array, y: Uint8Array, signal: AbortSignal): Promise<void> {
  const run = model.fit(
    { x, y },
    { epochs: 30, batchSize: 128, validation: { x, y }, signal, schedule: stepDecay({ every: 5 }), clipNorm: 5 },
  )
  for await (const epoch of run) {
    const loss: number = epoch.loss
    const accuracy: number | undefined = epoch.valAccuracy
    console.log(loss, accuracy, epoch.updateRatio)
  }
  const history = await run.done
  const losses: number[] = history.loss
  const evaluation: Evaluation = await model.evaluate({ x, y })
  const predictions: Predictions = await model.predict(x)
  const outputs: Float32Array | Float64Array = predictions.row(0)
  const nested: NestedNumbers[] = model.predictSync([[1, 2]]).toArray()
  const likely: number | undefined = (await model.predictProbabilities(x))[0]?.[3]
  await model.save('model.safetensors', { optimizer: true })
  const loaded: Model = await loadModel('model.safetensors')
  const weights: Weights = loaded.getWeights()
  const shape: number[] | undefined = weights['dense1.weight']?.shape
  loaded.setWeights(weights)
  console.log(losses, evaluation.loss, outputs, shape, nested, likely)
}

{
  using disposable = model
  const compiled: Model = disposable.compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam(),
    metrics: [topKAccuracy(5)],
  })
  const table: string = compiled.summary()
  const layer: Layer = dense(3, { init: randomNormal({ deviation: 0.1 }), activation: 'tanh' })
  const node: GraphNode = layer(input([4]))
  graph({ inputs: [input([4])], output: add(node, relu()(node)), dtype: 'float64' })
  console.log(table)
}

// @ts-expect-error: a misspelt option
dense(10, { activaton: 'relu' })
// @ts-expect-error: an activation that is not there
dense(10, { activation: 'swish' })
// @ts-expect-error: an initializer that is not there
dense(10, { init: 'kaiming' })
// @ts-expect-error: the size is missing
dense()
// @ts-expect-error: the dimension is missing
embedding(100)
// @ts-expect-error: a dtype that is not there
sequential({ input: [4], dtype: 'float16' }, [relu()])
// @ts-expect-error: a layer that was not made
sequential({ input: [4] }, [relu])
// @ts-expect-error: the loss is missing
model.compile({ optimizer: adam() })
// @ts-expect-error: an optimizer in the loss's place
model.compile({ loss: adam(), optimizer: adam() })
// @ts-expect-error: a metric that is not there
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['acuracy'] })
// @ts-expect-error: words in whole
adam({ lr: 1e-3 })
// @ts-expect-error: the output is missing
graph({ inputs: [input([4])] })
// @ts-expect-error: an array is no option
model.getWeights([])

// Roles of a custom layer's parameters are inferred from what `parameters` gives.
const scale = customLayer({
  name: 'scale',
  parameters: ([size]) => ({ gain: { shape: [size!], init: 'ones' } }),
  forward(x, { gain }, { cache }) {
    cache.x = x
    return x.map((value, i) => value * gain[i % gain.length]!)
  },
  backward: (dy, { gain }) => ({ dx: dy, gradients: { gain } }),
})
const absolute = customLoss({
  name: 'absolute',
  targets: 'labels',
  forward: (output, labels: Int32Array) => output.map((value, i) => Math.abs(value - labels[i]!)),
  backward: (output) => output,
})
const checked = sequential({ input: 4 }, [dense(3, { regularizer: l2(0.1) }), scale])
checked.compile({ loss: absolute, optimizer: adam() })
const report: GradientReport = await gradientCheck(checked, { x: new Float32Array(8), y: [0, 1] })
const verdict: Verdict = report.parameters[0]!.worst[0]!.kink === null ? report.verdict : 'wrong'
const sound: boolean = (await sanityCheck(checked, { x: new Float32Array(8), y: [0, 1] })).passed
const cubes = gradientCheckFunction(
  (x) => x[0]! ** 3,
  (x) => x.map((value) => 3 * value ** 2),
  [1],
)
// @ts-expect-error: there is no such verdict
cubes.verdict === 'fine'

export { sound, verdict }
