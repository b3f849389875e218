// A small classifier in float64, its data, and how its results are compared.
import { createHash } from 'node:crypto'
import { dense, l2, sequential, sgd, softmaxCrossEntropy, tanh } from 'gradus'
import * as assert from 'uvu/assert'
import { numbers } from './reference.js'

export const rows = 37
export const x = numbers(rows * 5, 1)
export const y = Int32Array.from(numbers(rows, 2), (value) => Math.floor((value + 1) * 1.5))

export function smallModel({ optimizer = sgd({ learningRate: 0.3, momentum: 0.9 }), regularizer = l2(0.01) } = {}) {
  const layers = [dense(7, { regularizer }), tanh(), dense(3)]
  const model = sequential({ input: [5], seed: 4, dtype: 'float64' }, layers)
  return model.compile({ loss: softmaxCrossEntropy(), optimizer, metrics: ['accuracy', 'confusionMatrix'] })
}

export function near(actual, expected, what, tolerance = 1e-10) {
  const off = Math.abs(actual - expected) / Math.max(1e-3, Math.abs(expected))
  assert.ok(off < tolerance, `${what}: expected ${expected}, received ${actual}`)
}

export function allNear(actual, expected, what, tolerance) {
  assert.is(actual.length, expected.length, what)
  for (const [i, value] of actual.entries()) near(value, expected[i], `${what}[${i}]`, tolerance)
}

export function sameWeights(model, expected, tolerance) {
  for (const [k, values] of weightsOf(model).entries()) allNear(values, expected[k], `weight ${k}`, tolerance)
}

export const bitsOf = (model) => {
  const hash = createHash('sha256')
  for (const { data } of Object.values(model.getWeights())) hash.update(data)
  return hash.digest('hex')
}

export const weightsOf = (model) => Object.values(model.getWeights()).map(({ data }) => [...data])

export async function refusal(work) {
  try {
    await work()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}
