// Data from a file to a model, compiled as `tsc --init` asks for: with exactOptionalPropertyTypes.
import {
  type CsvOptions,
  type CsvTable,
  type CsvTargetTable,
  type Dataset,
  dataset,
  type Examples,
  type Model,
  readCsv,
  readIdx,
  readNpz,
  shuffle,
  split,
  standardization,
  standardize,
  type Windows,
  window,
} from 'gradus'

/** The way that most take. */
export async function fromFile(model: Model): Promise<void> {
  const table = await readCsv('iris.csv', { target: 'species' })
  const labels: Float64Array | Int32Array = table.y
  const names: readonly string[] | undefined = table.classes
  const { train, test } = split(table, { fraction: 0.2, stratify: true })
  const columns: string[] = train.columns
  const scale = standardize(train.x)
  await model.fit({ x: scale.apply(train.x), y: train.y }, { epochs: 3 })
  await model.fit({ ...train, x: scale.apply(train.x) }, { validation: { ...test, x: scale.apply(test.x) } })
  await model.evaluate(test)
  const second = await readCsv('more.csv', { target: -1, classes: table.classes, missing: 'skip' })
  await model.evaluate({ x: scale.apply(second.x), y: second.y, classes: second.classes })
  console.log(labels, names, columns)
}

/** Without a target there is no y; with options that are not known yet it may be there. */
export async function targets(options: CsvOptions, model: Model): Promise<void> {
  const features: CsvTable = await readCsv(new URL('file:///features.csv'))
  // @ts-expect-error There is no target.
  console.log(features.y)
  const { x } = await readCsv('features.csv', { columns: ['a', 'b'], missing: 0, missingWords: ['NA'] })
  await model.predict(x)
  const either = await readCsv('some.csv', options)
  // @ts-expect-error It may not be there.
  const y: CsvTargetTable['y'] = either.y
  await model.fit({ x: either.x, y: either.y, sampleWeights: undefined, classes: either.classes })
  // @ts-expect-error Neither a number nor 'skip'.
  await readCsv('some.csv', { missing: 'drop' })
  // @ts-expect-error Another sign than a point or comma.
  await readCsv('some.csv', { decimal: ';' })
  console.log(y)
}

export async function names(model: Model): Promise<void> {
  await model.fit({ x: [[1], [2]], y: ['cat', 'dog'] })
  const data: Dataset = dataset({ x: [[1], [2]], y: ['cat', 'dog'] as const, classes: ['cat', 'dog', 'elk'] })
  const classes: readonly string[] | undefined = data.classes
  // @ts-expect-error Names and numbers do not mix.
  dataset({ x: [[1], [2]], y: ['cat', 1] })
  const parts: { train: Dataset; test: Dataset } = split(data, { groupBy: ['a', 'b'], seed: undefined })
  const mixed: Dataset = shuffle(data)
  console.log(classes, parts, mixed)
}

export async function parts(model: Model): Promise<void> {
  const examples = { x: new Float32Array(8), y: Int32Array.of(0, 1), origin: 'here' }
  const { train } = split(examples, { shuffle: false, groupBy: Uint8Array.of(1, 2), rows: 2 })
  const y: Int32Array = train.y
  const origin: string = train.origin
  const several: Examples = { x: { left: [[1]], right: { data: new Uint8Array(4), shape: undefined } }, y: undefined }
  // @ts-expect-error A group is a number or a word.
  split(examples, { groupBy: [{}] })
  // @ts-expect-error There is no such option.
  split(examples, { testSize: 0.2 })
  await model.fit(shuffle(several))
  console.log(y, origin)
}

export async function kept(model: Model): Promise<void> {
  const price = standardize(Float32Array.of(1, 2, 3), { features: undefined })
  const again = standardization(JSON.parse(JSON.stringify(price)) as { mean: number[]; deviation: number[] })
  const dollars: Float32Array | Float64Array = again.invert(await model.predict([[1]])).data
  const shape: number[] | undefined = again.apply([1, 2]).shape
  const { mean, deviation }: { mean: number[]; deviation: number[] } = again.toJSON()
  console.log(dollars, shape, mean, deviation)
}

export async function others(model: Model): Promise<void> {
  const images = await readIdx('images.gz', { maxBytes: 2 ** 32 })
  const { x, y } = await readNpz('arrays.npz')
  // @ts-expect-error An archive may lack it.
  await model.fit({ x, y })
  if (x && y) await model.fit({ x, y })
  const windows: Windows = window(images.data, { length: 3, horizon: 2, target: 0 })
  // @ts-expect-error The length must be said.
  window(images.data, { horizon: 2 })
  await model.fit(windows)
}
