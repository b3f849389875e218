// Compiled, never run: predictions, classes, class weights, normalization and cross-validation.
import {
  type CrossValidation,
  crossValidate,
  dense,
  type Model,
  type NestedNumbers,
  normalization,
  type Predictions,
  sequential,
} from 'gradus'

declare const make: () => Model
const model = sequential({ input: [4] }, [normalization({ per: 'all' }), dense(3)])

export async function example(x: Float32Array, signal: AbortSignal): Promise<void> {
  const predictions: Predictions = await model.predict(x)
  const first: Float32Array | Float64Array | undefined = predictions[0]
  const nested: NestedNumbers[] = predictions.toArray()
  for (const row of model.predictSync([[1, 2, 3, 4]])) console.log(row[0], nested, first)
  const classes: number[] | string[] = await model.predictClasses([1, 2, 3, 4], { signal })
  const names: readonly string[] | undefined = model.classes
  await model.adapt({ x }, { signal })
  const found: CrossValidation = await crossValidate(make, { x, y: ['a', 'b'] }, { folds: 3, stratify: true })
  const mean: number | undefined = found.mean.accuracy
  await crossValidate(
    async () => make(),
    { x, y: [0, 1] },
    { fit: (fold) => ({ epochs: fold + 1 }), groupBy: ['a', 'b'] },
  )
  model.fit({ x, y: predictions }, { classWeights: 'balanced' })
  model.fit({ x, y: ['a', 'b'] }, { classWeights: { a: 2 } })
  console.log(classes, names, mean)
  // @ts-expect-error: rows are read
  predictions[0] = new Float32Array(3)
  // @ts-expect-error: a word that is none
  model.fit({ x }, { classWeights: 'balance' })
  // @ts-expect-error: a Map is no record
  model.fit({ x }, { classWeights: new Map([[0, 2]]) })
  // @ts-expect-error: something else than a model
  await crossValidate(() => 3, { x, y: [0, 1] })
  // @ts-expect-error: per what there is not
  normalization({ per: 'row' })
}
