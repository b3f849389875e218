import type { FloatArray, NativeDataset } from '../../native.js'
import type { FitCall } from '../../train/callback.js'
import type { TrainTarget } from '../../train/target.js'
import { inTurn } from '../../train/turn.js'
import type { Latest } from '../recording/latest.js'
import type { PredictionsEntry } from '../recording/recording.js'
import { FeatureMapWatch } from './feature-maps.js'
import { exampleImage, firstLayer, imageShape } from './images.js'

const mostExamples = 1000
const mostClasses = 1000
const mostOfConfusion = 100
const mostMisclassified = 24
const batchSize = 256

type Looked = Pick<PredictionsEntry, 'predicted' | 'actual'> & Pick<Latest, 'confusion' | 'misclassified'>

/** Some examples of a classification, looked at now and then: of the validation data, else of those trained on. */
export class ExampleWatch {
  readonly #target: TrainTarget
  readonly #dataset: NativeDataset
  readonly #labels: Int32Array
  /** Where the examples lie in the data. */
  readonly #rows: Uint32Array
  readonly #threads: number
  readonly #featureMaps: FeatureMapWatch | null

  private constructor(
    target: TrainTarget,
    dataset: NativeDataset,
    labels: Int32Array,
    rows: Uint32Array,
    { threads, featureMaps }: { threads: number; featureMaps: boolean },
  ) {
    this.#target = target
    this.#dataset = dataset
    this.#labels = labels
    this.#rows = rows
    this.#threads = threads
    this.#featureMaps = featureMaps && this.#imageShape() ? FeatureMapWatch.open(target, this.#example(0)) : null
  }

  /** Null for what is no classification into exclusive classes, and for streams. */
  static async open(
    target: TrainTarget,
    { training, validation, settings: { threads } }: FitCall,
    featureMaps: boolean,
  ): Promise<ExampleWatch | null> {
    const classes = target.outputShape.length === 1 ? target.outputShape[0]! : 0
    if (classes < 2 || classes > mostClasses || target.loss.targets === 'dense') return null
    const source = validation?.rows ? validation : training
    if (source.rows === null) return null
    for await (const piece of source.pieces()) {
      const count = Math.min(mostExamples, piece.size)
      const rows = Uint32Array.from({ length: count }, (_, i) => Math.floor((i * piece.size) / count))
      const dataset = piece.subset(rows)
      const labels = dataset.read('target', 0, 0, count)
      if (labels instanceof Int32Array) {
        return new ExampleWatch(target, dataset, labels, rows, { threads, featureMaps })
      }
      dataset.dispose()
    }
    return null
  }

  close(): void {
    this.#featureMaps?.close()
    this.#dataset.dispose()
  }

  async look(): Promise<Looked> {
    const { program } = this.#target
    const call = { dataset: this.#dataset, batchSize, threads: this.#threads }
    const scores = await inTurn(program, () => program.predict(call))
    const classes = this.#target.outputShape[0]!
    const predicted = new Array<number>(classes).fill(0)
    const actual = new Array<number>(classes).fill(0)
    const confusion = predicted.map(() => new Array<number>(classes).fill(0))
    const wrong: { row: number; predicted: number; actual: number; confidence: number }[] = []
    for (const [row, label] of this.#labels.entries()) {
      actual[label]!++
      const { best, share } = likeliest(scores.subarray(row * classes, (row + 1) * classes))
      if (Number.isNaN(share)) continue
      predicted[best]!++
      confusion[label]![best]!++
      if (best !== label) wrong.push({ row, predicted: best, actual: label, confidence: share })
    }
    const worst = wrong.sort((a, b) => b.confidence - a.confidence).slice(0, mostMisclassified)
    return {
      predicted,
      actual,
      ...(classes <= mostOfConfusion && { confusion }),
      misclassified: worst.map(({ row, ...entry }) => ({ ...entry, row: this.#rows[row]!, image: this.#image(row) })),
    }
  }

  /** The pictures that go with a look. */
  pictures(): Pick<Latest, 'image' | 'firstLayer' | 'featureMaps'> {
    const image = this.#imageShape()
    if (!image) return {}
    const layers = this.#featureMaps?.look()
    return {
      image,
      firstLayer: firstLayer(this.#target.program, this.#target.descriptor, image),
      ...(layers && { featureMaps: { row: this.#rows[0]!, image: this.#image(0), layers } }),
    }
  }

  #imageShape() {
    const { inputs } = this.#target
    return inputs.length === 1 && inputs[0]!.kind === 'real' ? imageShape(inputs[0]!.shape) : null
  }

  #image(row: number): string | undefined {
    return this.#imageShape() ? exampleImage(this.#example(row)) : undefined
  }

  #example(row: number): FloatArray {
    return this.#dataset.read('input', 0, row, 1) as FloatArray
  }
}

/** The largest score's class, and its share by softmax, which is NaN where a score is: then no class was chosen. */
function likeliest(scores: FloatArray): { best: number; share: number } {
  let best = 0
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i
  let sum = 0
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i]! - scores[best]!)
  return { best, share: 1 / sum }
}
