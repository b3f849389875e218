/**
 * A network of one tanh layer and a softmax, trained with momentum, in plain loops over numbers: what training is
 * compared with. Written from the formulas, with none of the package's code.
 */
export class Reference {
  constructor([weight1, bias1, weight2, bias2], { inputs, hidden, classes, l2 }) {
    this.weights = [weight1, bias1, weight2, bias2].map((values) => [...values])
    this.velocity = this.weights.map((values) => values.map(() => 0))
    Object.assign(this, { inputs, hidden, classes, l2 })
  }

  forward(x, row) {
    const [weight1, bias1, weight2, bias2] = this.weights
    const activation = bias1.map((bias, j) => {
      let sum = bias
      for (let i = 0; i < this.inputs; i++) sum += x[row * this.inputs + i] * weight1[i * this.hidden + j]
      return Math.tanh(sum)
    })
    const scores = bias2.map((bias, k) => {
      let sum = bias
      for (let j = 0; j < this.hidden; j++) sum += activation[j] * weight2[j * this.classes + k]
      return sum
    })
    return { activation, scores }
  }

  /** Loss of one example, whether it is right, and its gradient times `weight` added to `gradient`. */
  example(x, y, row, weight, gradient) {
    const { activation, scores } = this.forward(x, row)
    const largest = Math.max(...scores)
    const exponentials = scores.map((score) => Math.exp(score - largest))
    const total = exponentials.reduce((sum, value) => sum + value)
    const label = y[row]
    const toScore = exponentials.map((value, k) => weight * (value / total - (k === label ? 1 : 0)))
    for (let j = 0; gradient && j < this.hidden; j++) {
      let toActivation = 0
      for (let k = 0; k < this.classes; k++) {
        gradient[2][j * this.classes + k] += activation[j] * toScore[k]
        toActivation += this.weights[2][j * this.classes + k] * toScore[k]
      }
      const toSum = toActivation * (1 - activation[j] ** 2)
      gradient[1][j] += toSum
      for (let i = 0; i < this.inputs; i++) gradient[0][i * this.hidden + j] += x[row * this.inputs + i] * toSum
    }
    for (let k = 0; gradient && k < this.classes; k++) gradient[3][k] += toScore[k]
    const loss = Math.log(total) - (scores[label] - largest)
    return { loss, right: scores.indexOf(largest) === label ? 1 : 0 }
  }

  regularizationLoss() {
    return (this.l2 / 2) * this.weights[0].reduce((sum, value) => sum + value ** 2, 0)
  }

  evaluate(x, y) {
    const found = Array.from(y, (_, row) => this.example(x, y, row, 1, null))
    const mean = (name) => found.reduce((sum, one) => sum + one[name], 0) / y.length
    return { loss: mean('loss'), accuracy: mean('right'), regularizationLoss: this.regularizationLoss() }
  }

  /** One record an epoch. Batches are cut from the rows as they lie; `accumulate` of them make one update. */
  train(x, y, { epochs, batchSize, accumulate = 1, rate, momentum, sampleWeights, classWeights, clipValue, clipNorm }) {
    // Class weights act on the loss, not on what counts examples.
    const countOf = (row) => sampleWeights?.[row] ?? 1
    const weightOf = (row) => countOf(row) * (classWeights?.[y[row]] ?? 1)
    const records = []
    for (let epoch = 0; epoch < epochs; epoch++) {
      const sums = { loss: 0, right: 0, count: 0, weight: 0, regularization: 0, norm: 0, ratio: 0, updates: 0 }
      for (let first = 0; first < y.length; first += batchSize * accumulate) {
        const last = Math.min(y.length, first + batchSize * accumulate)
        this.update(x, y, first, last, { weightOf, countOf, rate: rate(epoch), momentum, clipValue, clipNorm }, sums)
      }
      records.push({
        loss: sums.loss / sums.weight,
        accuracy: sums.right / sums.count,
        regularizationLoss: sums.regularization / sums.updates,
        gradientNorm: sums.norm / sums.updates,
        updateRatio: sums.ratio / sums.updates,
        learningRate: rate(epoch),
      })
    }
    return records
  }

  update(x, y, first, last, { weightOf, countOf, rate, momentum, clipValue, clipNorm }, sums) {
    let weight = 0
    for (let row = first; row < last; row++) weight += weightOf(row)
    const gradient = this.weights.map((values) => values.map(() => 0))
    for (let row = first; row < last; row++) {
      const { loss, right } = this.example(x, y, row, weightOf(row) / weight, gradient)
      sums.loss += loss * weightOf(row)
      sums.right += right * countOf(row)
      sums.count += countOf(row)
    }
    sums.weight += weight
    sums.regularization += this.regularizationLoss()
    sums.updates++
    this.weights[0].forEach((value, i) => {
      gradient[0][i] += this.l2 * value
    })
    const norm = (lists) => Math.sqrt(lists.flat().reduce((sum, value) => sum + value ** 2, 0))
    sums.norm += norm(gradient)
    const scale = Math.min(1, (clipNorm ?? Infinity) / norm(gradient))
    const limit = clipValue ?? Infinity
    const limited = gradient.map((values) => values.map((g) => Math.max(-limit, Math.min(limit, scale * g))))
    const before = norm(this.weights)
    this.velocity = this.velocity.map((values, k) => values.map((v, i) => momentum * v - rate * limited[k][i]))
    this.weights = this.weights.map((values, k) => values.map((value, i) => value + this.velocity[k][i]))
    sums.ratio += norm(this.velocity) / before
  }
}
